package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// retrainSummary is the final network's part of result.json.
type retrainSummary struct {
	Epochs float64 `json:"epochs"`
	// SearchTop1 is top-1 on the search split, null where the network was
	// trained on these images too (retrain.all_images).
	SearchTop1 *float64 `json:"search_top1"`
}

// retrain trains arch from scratch to its last step, from wherever it stands,
// and returns the network to evaluate: with averaged weights if there are any.
func (j *job) retrain(ctx context.Context, arch space.Arch) (*supernet.Net, error) {
	if err := j.fixArch(arch); err != nil {
		return nil, err
	}
	images := j.retrainImages()
	c := j.retrainConfig(images.Len())
	n, err := supernet.NewArch(j.finalConfig(true), arch, j.cfg.Seed, j.rt)
	if err != nil {
		return nil, err
	}
	j.ui.debugf("retrain: %d parameters, %d images, %d steps of %d", n.Params(), images.Len(), c.Steps, c.Batch)
	return n, j.advance(ctx, "retrain", n, images, c)
}

// fixArch records in retrain/arch.json what is retrained, and refuses to go on
// with another architecture in the same folder.
func (j *job) fixArch(arch space.Arch) error {
	path := j.dir.file("retrain", "arch.json")
	b, err := atomicfile.ReadAtMost(path, 1<<20)
	if err == nil {
		old, err := archIn(j.space, b)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if was, want := j.space.Format(old), j.space.Format(arch); was != want {
			return fault.Usage("use another --out for another architecture",
				"this folder retrains another architecture:\n  %s -> %s", was, want)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if b, err = j.archJSON(arch); err != nil {
		return err
	}
	if err := os.MkdirAll(j.dir.file("retrain"), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, b, 0o644)
}

func (j *job) archJSON(arch space.Arch) ([]byte, error) {
	b, err := j.space.MarshalArch(arch)
	return append(bytes.TrimSpace(b), '\n'), err
}
