package pipeline

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

const testArch = "lanas2:0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+2.sep_conv_5x5:0.sep_conv_3x3+1.skip_connect,1.max_pool_3x3+2.sep_conv_5x5"

// repeated asks for an architecture with several seeds.
func repeated(dir string, seeds string, sets ...string) Request {
	q := microRequest(dir, append(sets, "retrain.seeds="+seeds, "retrain.steps=5", "run.checkpoint_steps=2")...)
	q.Retrains, q.Resume, q.Arch, q.Sizes, q.Frees = true, true, testArch, []string{"retrain"}, []string{"retrain"}
	return q
}

// retrainAll runs a request until step stop of all its steps, 0 is to the end.
func retrainAll(t *testing.T, q Request, stop int) (rundir.RetrainSummary, error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	p, asked := process(), 0
	p.SaveAsked = func() bool { // is asked after every step but those that save anyway
		if asked++; asked == stop {
			cancel(fault.ErrStopped)
		}
		return false
	}
	r, err := Open(t.Context(), p, q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	return r.RetrainAll(ctx, r.Arch)
}

// files are those of a run that do not depend on when it ran.
func files(t *testing.T, dir string) map[string]string {
	all := tree(t, dir)
	maps.DeleteFunc(all, func(path, _ string) bool {
		return path == "LOCK" || path == "log.jsonl" || path == "manifest.json" || strings.Contains(path, "ckpt-")
	})
	return all
}

// Trainings that are stopped after any step, and go on, leave the bytes of ones that never
// stopped; so do ones that were asked for later.
func TestSeedsStoppedAnywhere(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "run") // its name is in the page
	want, err := retrainAll(t, repeated(whole, "3"), 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(want.Seeds.Runs); n != 3 || want.Seeds.Test.Deviation == nil || want.Seeds.Search == nil || want.Seeds.Runs[2].Seed != 5 {
		t.Fatalf("%+v", want.Seeds)
	}
	wanted := files(t, whole)
	for _, name := range []string{"retrain/seeds.json", "retrain/report.html", "retrain-seeds/4/export/model.safetensors", "retrain-seeds/5/metrics.jsonl"} {
		if wanted[name] == "" {
			t.Errorf("no %s", name)
		}
	}
	if a, b := wanted["retrain-seeds/4/metrics.jsonl"], wanted["retrain-seeds/5/metrics.jsonl"]; a == b || a == wanted["metrics.jsonl"] {
		t.Error("another seed trains alike")
	}
	stopped := 0
	for stop := 1; stop <= 7; stop += 2 {
		dir := filepath.Join(t.TempDir(), "run")
		if _, err := retrainAll(t, repeated(dir, "3"), stop); err != nil {
			stopped++
			if fault.Classify(err).Code != fault.ExitStopped {
				t.Fatal(err)
			}
			if text := fault.Classify(err).Hint; !strings.HasSuffix(text, "--out "+dir+" continues") {
				t.Errorf("hint %q", text)
			}
		}
		if _, err := retrainAll(t, repeated(dir, "3"), 0); err != nil {
			t.Fatal(err)
		}
		same(t, files(t, dir), wanted)
	}
	if stopped < 3 {
		t.Errorf("stopped only %d times", stopped)
	}
	later := filepath.Join(t.TempDir(), "run")
	for _, seeds := range []string{"1", "2", "3"} {
		if _, err := retrainAll(t, repeated(later, seeds), 0); err != nil {
			t.Fatal(err)
		}
	}
	same(t, files(t, later), wanted)
	os.Remove(filepath.Join(later, "retrain", "seeds.json")) // tested again, not trained
	before := tree(t, later)["retrain-seeds/5/retrain/ckpt-00000005/DONE"]
	if _, err := retrainAll(t, repeated(later, "3"), 0); err != nil || before == "" {
		t.Fatal(err)
	}
	same(t, files(t, later), wanted)
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	for path, b := range want {
		if got[path] != b {
			t.Errorf("%s differs", path)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
}

// A file of seeds that is not of these seeds is refused, and named.
func TestSeedsOfAnother(t *testing.T) {
	dir := newRun(t)
	if _, err := retrainAll(t, repeated(dir, "2"), 0); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "retrain", "seeds.json")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, twin := range map[string]string{
		"other seed": strings.Replace(string(b), `"seed": 3`, `"seed": 9`, 1),
		"cut":        string(b[:40]),
	} {
		if err := os.WriteFile(path, []byte(twin), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := retrainAll(t, repeated(dir, "2"), 0); err == nil || fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), "seeds.json") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The exported file of another seed says which one, and how the images are divided; its
// training has that seed.
func TestSeedInTheFile(t *testing.T) {
	dir := newRun(t)
	if _, err := retrainAll(t, repeated(dir, "2"), 0); err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), process(), repeated(dir, "2"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c := r.Training("retrain")
	for _, of := range repeats(r.Folder, r.Config.Retrain, 3) {
		from, err := newestCheckpoint(of.folder.File("retrain"), r.process.UI)
		if err != nil || from == nil {
			t.Fatalf("no checkpoint of seed %d: %v", of.seed, err)
		}
		for _, seed := range []uint64{3, 4} {
			if c.Seed = seed; (c.Continues(*from) == nil) != (seed == of.seed) {
				t.Errorf("training of seed %d: goes on with %d: %v", of.seed, seed, c.Continues(*from))
			}
		}
	}
	for file, want := range map[string]string{"export": "null", "retrain-seeds/4/export": "4"} {
		f, err := ReadExport(filepath.Join(dir, filepath.FromSlash(file), "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := json.Marshal(f.TrainSeed); string(got) != want || f.Seed != 3 {
			t.Errorf("%s: seed %d, trained with %s, want 3 and %s", file, f.Seed, got, want)
		}
	}
}
