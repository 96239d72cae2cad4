package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/space"
	"oneshot/weights"
)

func (a *app) inspectCmd() *cobra.Command {
	var imageNet bool
	var archs string
	cmd := &cobra.Command{
		Use:   "inspect PATH|ARCH|--archs FILE",
		Short: "Describe a run folder, a checkpoint, a safetensors file or an architecture",
		Long: "Describe a run folder, a checkpoint, a safetensors file or an architecture.\n\nAn architecture is " +
			strings.Join(space.FormNames(), ",\n") + ", a 0/1 code, or a file with one of these.\n" +
			"Networks are counted as the retrain section of --preset or --config has them; without these, published\n" +
			"networks at their published size, by the rules of their code, those of other spaces than cells at their usual\n" +
			"size, and others as the preset tiny has them. --archs counts many: a line is printed for each, in order.",
		Args: func(_ *cobra.Command, args []string) error {
			if archs != "" && len(args) > 0 {
				return fault.Usage("leave out one of them", "inspect got --archs and %q", args[0])
			}
			if len(args) != 1 && archs == "" {
				return fault.Usage("", "inspect wants one path or architecture, but got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if archs != "" {
				return a.inspectArchs(archs, cmd.InOrStdin(), imageNet)
			}
			return a.inspect(args[0], imageNet)
		},
	}
	cmd.Flags().StringVar(&archs, "archs", "", "count the architectures of this `FILE`, one a line; - reads stdin")
	cmd.Flags().BoolVar(&imageNet, "imagenet", false, "of an architecture: the form for ImageNet (default 14 cells of 48 channels, 224 pixels, 1000 classes)")
	return cmd
}

func (a *app) inspect(what string, imageNet bool) error {
	info, err := os.Stat(what)
	switch {
	case err == nil && info.IsDir() && rundir.Folder(what).Has("config.yaml"):
		return a.inspectRun(what)
	case err == nil && info.IsDir():
		return a.inspectCheckpoint(what)
	case err == nil && strings.HasSuffix(what, ".safetensors"):
		f, err := weights.ReadSafetensors(what)
		if err != nil {
			return fault.WithCode(err, fault.ExitInvalid, "")
		}
		if err := supernet.CheckTensors(f.Tensors); err != nil {
			return fault.Wrap(fault.ExitInvalid, fmt.Errorf("%s: %w", what, err), "")
		}
		return a.showTensors("safetensors", what, -1, f.Tensors, f.Meta)
	case errors.Is(err, fs.ErrNotExist) && looksLikePath(what):
		return fault.Usage("", "inspect: %w", err)
	}
	return a.inspectArch(what, imageNet)
}

// looksLikePath tells a path from an architecture, whose text has a slash behind its
// first colon or bracket at the earliest. A line of a log with a Genotype may have a date before.
func looksLikePath(what string) bool {
	if strings.Contains(what, "Genotype(") {
		return false
	}
	slash := strings.IndexByte(what, filepath.Separator)
	return slash >= 0 && !strings.ContainsAny(what[:slash], ":([{")
}

func (a *app) inspectRun(path string) error {
	d := rundir.Folder(path)
	r, err := pipeline.Inspect(d)
	if err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(r)
	}
	a.ui.Printf("run      %s  (%s, seed %d, %s)\n", path, pipeline.PresetOr(r.Preset), r.Seed, r.Data)
	for _, s := range r.Stages {
		a.ui.Printf("%-8s %s  %d\n", s.Stage, s.State, s.Done)
	}
	if r.Sampling != nil {
		for _, l := range r.Sampling.Lines() {
			a.ui.Printf("%-8s %s\n", l[0], l[1])
		}
	}
	if r.Search != nil {
		var b strings.Builder
		if r.Result == nil {
			fmt.Fprintf(&b, "found    %s  (%s)\nsearch   %s\n", r.Search.Arch, r.Search.Hash, report.Headline(*r.Search))
		}
		report.SearchText(&b, *r.Search)
		a.ui.Printf("%s", &b)
	}
	for _, l := range r.Stale {
		a.ui.Printf("stale    %s: %s\n", l.Stage, l.Why)
	}
	if r.Result != nil {
		return a.showResult(d, *r.Result)
	}
	if r.Retrain != nil {
		var b strings.Builder
		r.Retrain.Text(&b)
		a.ui.Printf("%s", &b)
	}
	return nil
}

// inspectCheckpoint takes one checkpoint, or a folder of them: the newest.
func (a *app) inspectCheckpoint(path string) error {
	c, err := weights.Load(path)
	if err != nil {
		newest, skipped, errLatest := weights.LoadLatest(path)
		for _, e := range skipped {
			a.ui.Warnf("skipped a damaged checkpoint: %v", e)
		}
		switch {
		case errors.Is(errLatest, weights.ErrNoCheckpoint):
			return fault.WithCode(fmt.Errorf("%s: neither a run folder, which has a config.yaml, nor an intact checkpoint: %w", path, err), fault.ExitInvalid, "")
		case errLatest != nil: // a folder of checkpoints
			return fault.WithCode(errLatest, fault.ExitInvalid, "")
		}
		c = newest
	}
	if err := supernet.CheckTensors(c.Tensors); err != nil {
		return fault.Wrap(fault.ExitInvalid, fmt.Errorf("%s: step %d: %w", path, c.Step, err), "")
	}
	return a.showTensors("checkpoint", path, c.Step, c.Tensors, nil)
}

type tensorReport struct {
	Kind     string            `json:"kind"`
	File     string            `json:"file"`
	Step     *int              `json:"step,omitempty"`
	Tensors  int               `json:"tensors"`
	Values   int64             `json:"values"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

func (a *app) showTensors(kind, path string, step int, ts []weights.Tensor, meta map[string]string) error {
	r := tensorReport{Kind: kind, File: filepath.Base(path), Tensors: len(ts), Metadata: meta}
	if step >= 0 {
		r.Step = &step
	}
	for _, t := range ts {
		r.Values += int64(len(t.F32) + len(t.I64))
	}
	if a.opt.json {
		return a.ui.JSON(r)
	}
	a.ui.Printf("%s %s: %d tensors, %s values\n", kind, path, r.Tensors, ui.Count(r.Values))
	if r.Step != nil {
		a.ui.Printf("step     %d\n", *r.Step)
	}
	if m := meta["arch"]; m != "" {
		a.ui.Printf("arch     %s\n", m)
	}
	if o := pipeline.OriginOf(meta); o != nil {
		a.ui.Printf("weights  %s\n", o)
	}
	if a.ui.Verbose {
		for _, t := range slices.Clone(ts) {
			a.ui.Printf("%-60s %v\n", t.Name, t.Shape)
		}
	}
	return nil
}
