package pipeline

import (
	"context"
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"oneshot/internal/atomicfile"
	"oneshot/internal/atomicfile/faultfs"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/supernet"
)

// exportsAs does what the verb export does.
func exportsAs(ctx context.Context, dir string, e ExportSpec) (Exports, error) {
	r, err := Open(ctx, still(), Request{Folder: dir, Resume: true, Needs: e.Needs(config.Request{})})
	if err != nil {
		return Exports{}, err
	}
	defer r.Close()
	return r.ExportAs(ctx, e, config.Request{})
}

// TestInheritedExportHasItsScore: on the search images the file of each sample has the score of that sample, to the bit,
// although it was read from the disk into a network of its own. The stages stay fresh, and nothing of theirs changes.
func TestInheritedExportHasItsScore(t *testing.T) {
	dir := base(t)
	d := rundir.Folder(dir)
	before := stageFiles(all(t, dir))
	samples, err := d.Samples("search/samples.jsonl")
	if err != nil || len(samples) < 4 {
		t.Fatal(len(samples), err)
	}
	rt, err := supernet.NewRuntime(1)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	scores := map[float64]bool{}
	for _, s := range samples {
		made, err := exportsAs(t.Context(), dir, ExportSpec{Weights: Inherited, Subnet: s.Arch})
		if err != nil {
			t.Fatal(err)
		}
		if o := made.Origin; o.Score == nil || *o.Score != s.Score || o.Images != s.Images || o.Step != o.Steps {
			t.Errorf("%s: %+v, its score was %v", s.Hash, *o, s.Score)
		}
		if want := d.File("export-inherited", s.Hash); string(made.Folder) != want {
			t.Errorf("written to %s, want %s", made.Folder, want)
		}
		file, err := ReadExport(made.Folder.File("model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		x, err := file.Network("", 0, rt)
		if err != nil {
			t.Fatal(err)
		}
		c := config.Default()
		c.Seed, c.Data = file.Seed, file.Data
		_, got, err := EvaluateFile(t.Context(), still().UI, x, file.About, c, func(string) bool { return false }, "search", Room{})
		if err != nil || got.Top1 != s.Score || got.Images != s.Images {
			t.Errorf("%s: %.6f on %d images, %v; its score is %.6f on %d", s.Hash, got.Top1, got.Images, err, s.Score, s.Images)
		}
		scores[got.Top1] = true
	}
	if len(scores) < 2 {
		t.Error("all have the same score: the test is blind")
	}
	for stage, was := range before {
		if now := stageFiles(all(t, dir))[stage]; now != was {
			t.Errorf("the stage %s has changed", stage)
		}
	}
	chain, err := Chain(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range chain {
		if l.State != StateFresh {
			t.Errorf("%s is %s: %s", l.Stage, l.State, l.Why)
		}
	}
	// A byte that changed is noticed by whoever reads the file, and by status.
	path := d.File("export-inherited", samples[0].Hash, "model.safetensors")
	if notes, err := OtherExports(d); err != nil || len(notes) > 0 {
		t.Errorf("%q, %v", notes, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-3] ^= 4
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadExport(path); fault.Classify(err).Code != fault.ExitInvalid {
		t.Errorf("another weight: %v", err)
	}
	if notes, err := OtherExports(d); err != nil || len(notes) != 1 || !strings.Contains(notes[0], samples[0].Hash) {
		t.Errorf("%q, %v", notes, err)
	}
}

// TestFaultInheritedExport: whatever change of a file fails in an export of inherited weights, the run is as it was, what
// the folder has is whole or said not to be, and the same command ends with the same bytes.
func TestFaultInheritedExport(t *testing.T) {
	dir := base(t)
	spec := ExportSpec{Weights: Inherited, Forms: []string{"onnx", "pytorch"}}
	export := func(dir string) error { _, err := exportsAs(t.Context(), dir, spec); return err }
	again := func() string {
		out := newRun(t)
		if err := os.CopyFS(out, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		return out
	}
	undisturbed := again()
	f := &faultfs.FS{}
	if err := through(f, func() error { return export(undisturbed) }); err != nil {
		t.Fatal(err)
	}
	want := exportedFiles(all(t, undisturbed))
	if len(want) != 5 {
		t.Fatalf("%d files, want 5", len(want))
	}
	injected := 0
	for _, n := range spread(f.Calls, 16) {
		dir := again()
		bad := &faultfs.FS{FailAt: n + 1, Err: syscall.EIO, Stays: true}
		err := through(bad, func() error { return export(dir) })
		if bad.Injected == 0 {
			continue
		}
		injected++
		if err == nil && !strings.Contains(bad.Failed.Path, "log.jsonl") && !strings.Contains(bad.Failed.Path, "LOCK") {
			t.Errorf("call %d, %v failed, and nothing is said", n+1, bad.Failed)
		}
		if err != nil && !errors.Is(err, syscall.EIO) {
			t.Errorf("call %d, %v: %v", n+1, bad.Failed, err)
		}
		for name, text := range exportedFiles(all(t, dir)) {
			if text != want[name] && !strings.Contains(name, ".tmp-") {
				t.Errorf("call %d, %v: %s is half", n+1, bad.Failed, name)
			}
		}
		if err := through(quick{atomicfile.OS}, func() error { return export(dir) }); err != nil {
			t.Errorf("call %d, %v; again: %v", n+1, bad.Failed, err)
		}
		got := exportedFiles(all(t, dir))
		for name, text := range want {
			if got[name] != text {
				t.Errorf("call %d, %v; again: %s is another", n+1, bad.Failed, name)
			}
		}
	}
	if injected < 10 {
		t.Errorf("%d faults are too few", injected)
	}
}

// exportedFiles are those of inherited weights.
func exportedFiles(files map[string]string) map[string]string {
	out := map[string]string{}
	for name, text := range files {
		if strings.HasPrefix(name, "export-inherited/") && !strings.HasSuffix(name, "/") {
			out[name] = text
		}
	}
	return out
}
