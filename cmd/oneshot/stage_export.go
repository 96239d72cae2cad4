package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"strconv"
	"strings"

	"oneshot/data"
	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// netMeta is what an exported file says about the network besides its weights,
// so that it can be evaluated without the run folder. It is stored as JSON
// under the key "oneshot" of the safetensors metadata.
type netMeta struct {
	Arch           string      `json:"arch"`
	Layers         int         `json:"layers"`
	Channels       int         `json:"channels"`
	StemMultiplier int         `json:"stem_multiplier"`
	Image          int         `json:"image"`
	Affine         bool        `json:"affine"`
	Classes        []string    `json:"classes"`
	Mean           [3]float32  `json:"mean"` // per channel R, G, B of pixels in 0..1
	Std            [3]float32  `json:"std"`
	Data           config.Data `json:"data"` // folder left out
	DataSHA256     string      `json:"data_sha256"`
	Seed           uint64      `json:"seed"` // also draws shapes10 and the search split
}

const metaKey = "oneshot"

// export writes the final network and its architecture; ExportModel reads the
// file back and compares every value. Doing it again gives the same bytes.
func (j *job) export(n *supernet.Net, arch space.Arch) error {
	meta, err := j.meta(arch)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(j.dir.file("export"), 0o755); err != nil {
		return err
	}
	if n, err = n.Inference(); err != nil {
		return err
	}
	if err := weights.ExportModel(j.dir.file("export", "model.safetensors"), n.Tensors(), meta); err != nil {
		return err
	}
	b, err := j.archJSON(arch)
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(j.dir.file("export", "arch.json"), b, 0o644)
}

func (j *job) meta(arch space.Arch) (map[string]string, error) {
	c := j.finalConfig(false)
	source := j.cfg.Data
	source.Dir = ""
	b, err := json.Marshal(netMeta{
		Arch: j.space.Format(arch), Layers: c.Layers, Channels: c.Channels, StemMultiplier: c.StemMultiplier,
		Image: c.Image, Affine: c.Affine, Classes: j.data.Classes, Mean: j.data.Mean, Std: j.data.Std,
		Data: source, DataSHA256: j.data.SHA256, Seed: j.cfg.Seed,
	})
	return map[string]string{
		"arch": j.space.Format(arch), "classes": strconv.Itoa(c.Classes), metaKey: string(b),
	}, err
}

// loaded is a network read from an exported file.
type loaded struct {
	net    *supernet.Net
	config supernet.NetConfig
	arch   space.Arch
	space  space.Space
}

// readMeta reads what an exported file says about itself.
func readMeta(path string) (weights.File, netMeta, error) {
	var m netMeta
	f, err := weights.ReadSafetensors(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, m, fault.Usage("", "%w", err)
	}
	if err != nil {
		return f, m, fault.WithCode(err, fault.ExitInvalid, "")
	}
	if err := json.Unmarshal([]byte(f.Meta[metaKey]), &m); err != nil {
		return f, m, fault.New(fault.ExitInvalid, "only files written by `oneshot export` carry what is needed to rebuild the network",
			"%s: no usable %q entry in its metadata", path, metaKey)
	}
	return f, m, nil
}

// loadExport reads an exported network. A non-empty archText must name the
// architecture the file holds; a file without our metadata is refused.
func loadExport(path, archText string, rt *supernet.Runtime) (*loaded, error) {
	f, m, err := readMeta(path)
	if err != nil {
		return nil, err
	}
	l := &loaded{}
	if l.space, l.arch, err = space.ParseAny(m.Arch); err != nil {
		return nil, fault.New(fault.ExitInvalid, "", "%s: architecture in metadata: %w", path, err)
	}
	if archText != "" {
		s, a, err := readArch(archText, l.space)
		if err != nil {
			return nil, err
		}
		if want := s.Format(a); want != m.Arch {
			return nil, fault.Usage("leave out --arch to use that of the file", "%s holds another architecture:\n  %s, not\n  %s", path, m.Arch, want)
		}
	}
	l.config = supernet.NetConfig{
		Space: l.space, Size: net.Size{Layers: m.Layers, Channels: m.Channels, StemMultiplier: m.StemMultiplier,
			Classes: len(m.Classes), Image: m.Image, Affine: m.Affine},
	}
	if err := plausible(l, f.Tensors); err != nil {
		return nil, fault.New(fault.ExitInvalid, "", "%s: %w", path, err)
	}
	if l.net, err = supernet.NewArch(l.config, l.arch, 0, rt); err != nil {
		return nil, fault.WithCode(fmt.Errorf("%s: %w", path, err), fault.ExitInvalid, "")
	}
	if err := l.net.SetTensors(f.Tensors); err != nil {
		return nil, fault.WithCode(fmt.Errorf("%s: %w", path, err), fault.ExitInvalid, "")
	}
	return l, nil
}

// plausible compares the network the metadata describes with the tensors in the
// file before anything of that size is allocated.
func plausible(l *loaded, ts []weights.Tensor) error {
	if err := l.config.Check(); err != nil {
		return err
	}
	var values int64
	for _, t := range ts {
		if !strings.HasSuffix(t.Name, ".running_mean") && !strings.HasSuffix(t.Name, ".running_var") {
			values += int64(len(t.F32))
		}
	}
	want, _, err := l.config.Cost(l.arch)
	if err != nil {
		return err
	}
	if want != values {
		return fmt.Errorf("the metadata describes a network of %d parameters, the file has %d", want, values)
	}
	return nil
}

// result is result.json and the object `run --json` ends with. Accuracies are
// fractions. Nothing in it depends on the clock or the machine.
type result struct {
	Run       string         `json:"run"` // base name of the folder
	Supernet  trainSummary   `json:"supernet"`
	Search    resultSearch   `json:"search"`
	Arch      resultArch     `json:"arch"`
	Retrain   retrainSummary `json:"retrain"`
	TestTop1  float64        `json:"test_top1"`
	TestCount int            `json:"test_images"`
}

// resultSearch is searchSummary without the winner, which is resultArch.
type resultSearch struct {
	Samples      int      `json:"samples"`
	BestScore    float64  `json:"best_score"` // the winner's first score
	RandomScore  float64  `json:"random_score"`
	Algo         string   `json:"algo"`
	RecheckScore *float64 `json:"recheck_score"`
	searchDetail
}

type resultArch struct {
	Hash   string `json:"hash"`
	Text   string `json:"text"`
	Params int64  `json:"params"`
	MAdds  int64  `json:"madds"`
}

// conclude evaluates the exported file, once, on the test images and writes
// result.json. A result that exists is read instead: the test images are never
// looked at twice.
func (j *job) conclude(ctx context.Context, best searchSummary) (result, error) {
	var r result
	if j.dir.has("result.json") {
		return r, j.dir.readJSON(&r, "result.json")
	}
	l, err := loadExport(j.dir.file("export", "model.safetensors"), "", j.rt)
	if err != nil {
		return r, err
	}
	r.Run = j.dir.base()
	if r.Supernet, err = j.trainSummary(); err != nil {
		return r, err
	}
	r.Search = resultSearch{best.Samples, best.Score, best.RandomScore, best.Algo, best.RecheckScore, best.searchDetail}
	if r.Arch, err = j.archResult(l.arch); err != nil {
		return r, err
	}
	if r.Retrain, err = j.retrainSummary(ctx, l.net, l.arch); err != nil {
		return r, err
	}
	t, err := j.evaluate(ctx, "test", l.net, l.arch, j.data.Test.Batches(evalBatch), j.data.Test.Len())
	if err != nil {
		return r, err
	}
	r.TestTop1, r.TestCount = t.Top1, t.Images
	return r, j.dir.writeJSON(r, "result.json")
}

// retrainSummary measures the final network on the search split, unless it was
// trained on it.
func (j *job) retrainSummary(ctx context.Context, n *supernet.Net, arch space.Arch) (retrainSummary, error) {
	s := retrainSummary{Epochs: j.cfg.Retrain.EpochsFor(j.retrainImages().Len())}
	if j.cfg.Retrain.AllImages {
		return s, nil
	}
	r, err := j.evaluate(ctx, "check", n, arch, j.data.Search.Batches(evalBatch), j.data.Search.Len())
	s.SearchTop1 = &r.Top1
	return s, err
}

// evalBatch is the batch size of evaluations; running statistics are used, so
// it changes no figure.
const evalBatch = 250

func (j *job) evaluate(ctx context.Context, stage string, n *supernet.Net, arch space.Arch, batches iter.Seq[*data.Batch], total int) (supernet.Result, error) {
	m := j.ui.meter(stage, 0, total)
	defer m.finish()
	last := 0
	r, err := supernet.Evaluate(ctx, n, arch, batches, func(done int) {
		m.update(done, done-last, "")
		last = done
	})
	if ctx.Err() != nil {
		return r, j.stopped(ctx, stage, last, total)
	}
	return r, err
}
