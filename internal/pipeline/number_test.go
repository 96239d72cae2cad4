package pipeline

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/supernet"
	"oneshot/weights"
)

// grown multiplies the tensors whose names end in one of these by so much, as far as float32
// reaches.
func grown(ts []weights.Tensor, by float64, names ...string) []weights.Tensor {
	for _, t := range ts {
		for _, name := range names {
			if !strings.HasSuffix(t.Name, name) {
				continue
			}
			for i, v := range t.F32 {
				t.F32[i] = float32(min(3e38, max(-3e38, float64(v)*by)))
			}
		}
	}
	return ts
}

// TestFileOfNoNumbersIsRefused: a file whose weights, statistics or preprocessing are none is
// refused where it is read, by its path and the name of the value, whoever reads it.
func TestFileOfNoNumbersIsRefused(t *testing.T) {
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	c.Seed = 3
	x, a := exported(t, c)
	path := filepath.Join(t.TempDir(), "model.safetensors")
	write := func(ts []weights.Tensor, edit func(meta map[string]any)) {
		t.Helper()
		b, err := json.Marshal(a)
		meta := map[string]any{}
		err = errors.Join(err, json.Unmarshal(b, &meta))
		if edit != nil {
			edit(meta)
		}
		b, more := json.Marshal(meta)
		f, create := os.Create(path)
		if err := errors.Join(err, more, create, weights.WriteSafetensors(f, ts, map[string]string{aboutKey: string(b)}), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	set := func(name string, v float64) []weights.Tensor {
		ts := x.Net.Tensors()
		for _, w := range ts {
			if w.Name == name {
				w.F32[1] = float32(v)
				return ts
			}
		}
		t.Fatalf("no tensor %s", name)
		return nil
	}
	about := func(key string, v any) func(map[string]any) {
		return func(meta map[string]any) { meta[key] = v }
	}
	refused := 0
	for _, k := range []struct {
		ts   []weights.Tensor
		edit func(map[string]any)
		want string
	}{
		{x.Net.Tensors(), nil, ""},
		{set("stem.conv.weight", math.NaN()), nil, `"stem.conv.weight" holds NaN at index 1`},
		{set("stem.bn.running_mean", math.Inf(-1)), nil, `"stem.bn.running_mean" holds -Inf at index 1`},
		{set("stem.bn.running_var", -0.5), nil, `"stem.bn.running_var" holds -0.5 at index 1`},
		{x.Net.Tensors(), about("std", []any{0.2, 0, 0.2}), "std[1] is 0"},
		{x.Net.Tensors(), about("std", []any{0.2, 0.2}), "std[2] is 0"},
		{x.Net.Tensors(), about("std", []any{-0.2, 0.2, 0.2}), "std[0] is -0.2"},
		{x.Net.Tensors(), about("std", []any{0.2, 0.2, 1e-44}), "std[2] is "},
		{x.Net.Tensors(), about("std", []any{0.2, 0.2, json.Number("1e39")}), "std is number 1e39"},
		{x.Net.Tensors(), about("mean", []any{0.5, json.Number("-1e39"), 0.5}), "mean is number -1e39"},
	} {
		write(k.ts, k.edit)
		_, err := ReadExport(path)
		if k.want == "" {
			if err != nil {
				t.Fatalf("a sound file: %v", err)
			}
			continue
		}
		if err == nil || fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), path+": ") || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%v, want %q", err, k.want)
		}
		refused++
	}
	if refused != 9 {
		t.Errorf("%d refused", refused)
	}
	write(set("stem.conv.weight", math.NaN()), nil)
	for _, key := range []string{"retrain.init", "retrain.teacher"} {
		dir := newRun(t)
		q := microRequest(dir, key+"="+path)
		q.Retrains, q.Arch = true, a.Arch
		r, err := Open(t.Context(), process(), q)
		if err == nil {
			r.Close()
		}
		if err == nil || fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), path+": ") {
			t.Errorf("%s: %v", key, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: a folder was made for nothing", key)
		}
	}
}

// TestNoAccuracyOfNoNumbers: a file with weights so large that its outputs are no numbers has no
// accuracy, and is named.
func TestNoAccuracyOfNoNumbers(t *testing.T) {
	dir := photos(t, 20)
	x, a := exported(t, ownConfig(t, dir))
	x.File = "some/model.safetensors"
	if _, _, err := EvaluateFile(t.Context(), process().UI, x, a, again(a, dir), given(), "test", Room{}); err != nil {
		t.Fatal(err)
	}
	if err := x.Net.SetTensors(grown(x.Net.Tensors(), 1e45, ".weight")); err != nil {
		t.Fatal(err)
	}
	for _, split := range []string{"test", "search"} {
		_, _, err := EvaluateFile(t.Context(), process().UI, x, a, again(a, dir), given(), split, Room{})
		var none *supernet.NoNumberError
		if !errors.As(err, &none) || fault.Classify(err).Code != fault.ExitDiverged || !strings.HasPrefix(err.Error(), x.File+": ") {
			t.Errorf("%s: %v", split, err)
		}
	}
}

// TestSearchOfADivergedSupernet: the checkpoint of a supernet of which some operations, then
// all, have grown too large is searched as far as there are scores, and says so when it is
// asked for one of the others.
func TestSearchOfADivergedSupernet(t *testing.T) {
	dir := newRun(t)
	open := func() *Run {
		t.Helper()
		q := microRequest(dir, "search.samples=12", "search.init=6")
		q.Resume = true
		r, err := Open(t.Context(), process(), q)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open()
	if _, err := r.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	// poison changes the newest checkpoint of the supernet, as if the training had left it so.
	poison := func(names ...string) {
		t.Helper()
		from := r.Folder.File("supernet")
		c, skipped, err := weights.LoadLatest(from)
		if err != nil || len(skipped) > 0 {
			t.Fatal(skipped, err)
		}
		c.Tensors = grown(c.Tensors, 1e30, names...)
		if err := weights.SaveCheckpoint(from, c.Step, c, 1); err != nil {
			t.Fatal(err)
		}
		if err := r.completes("train", r.Folder); err != nil {
			t.Fatal(err)
		}
	}
	poison("nodes.0.edges.0.sep_conv_5x5.pw1.weight")
	sum, _, err := r.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sum.Failed == 0 || sum.Failed == sum.Samples || sum.RecheckScore == nil || sum.Top[0].Failed != "" {
		t.Fatalf("%d of %d failed; %s has won", sum.Failed, sum.Samples, sum.Arch)
	}
	first := tree(t, dir)
	failed := ""
	for line := range strings.Lines(first["search/samples.jsonl"]) {
		var l struct{ Arch, Failed string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(l.Failed, ".running_var[") {
			failed = l.Arch
		}
	}
	_, _, err = r.ScoreArch(t.Context(), failed, config.Request{})
	var none *supernet.NoNumberError
	if !errors.As(err, &none) || fault.Classify(err).Code != fault.ExitDiverged || !strings.Contains(err.Error(), failed) || !strings.HasPrefix(err.Error(), r.Folder.File("supernet")) {
		t.Errorf("score of %s: %v", failed, err)
	}
	r.Close()
	r = open() // what is read back is what was found
	if _, _, err := r.Find(t.Context()); err != nil || r.Searched {
		t.Errorf("searched again: %v, %v", r.Searched, err)
	}
	for path, b := range tree(t, dir) {
		if strings.HasPrefix(path, "search/") && b != first[path] {
			t.Errorf("%s has changed", path)
		}
	}
	r.Close()

	dir = newRun(t)
	r = open()
	defer func() { r.Close() }()
	if _, err := r.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	poison("stem.conv.weight")
	for range 2 {
		if _, _, err := r.Find(t.Context()); err == nil || fault.Classify(err).Code != fault.ExitDiverged || !strings.Contains(err.Error(), "none of 12 subnetworks") {
			t.Errorf("%v", err)
		}
	}
}
