package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/supernet/space"
)

// copied is a copy of a run folder.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := newRun(t)
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// stopped does all stages of a request and is stopped after so many training steps.
func stopped(t *testing.T, q Request, steps int) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	p, n := process(), 0
	p.SaveAsked = func() bool {
		if n++; n == steps {
			cancel(fault.ErrStopped)
		}
		return false
	}
	q.Resume = true
	r, err := Open(ctx, p, q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.All(ctx, func(rundir.SearchSummary) {}); fault.Classify(err).Code != fault.ExitStopped {
		t.Fatal(err)
	}
}

// allFresh wants every stage of a folder to be complete and right.
func allFresh(t *testing.T, dir string) {
	t.Helper()
	for stage, state := range states(t, dir) {
		if state != StateFresh {
			t.Errorf("%s is %s", stage, state)
		}
	}
}

// More seeds of another training: the result is not that of the old one.
func TestResultOfAnotherTraining(t *testing.T) {
	dir, straight := finished(t), newRun(t)
	sets := []string{"retrain.lr=0.2", "retrain.seeds=2"}
	if err := runAll(t, redo(dir, sets...)); err != nil {
		t.Fatal(err)
	}
	if err := runAll(t, microRequest(straight, sets...)); err != nil {
		t.Fatal(err)
	}
	if got, want := tree(t, dir), tree(t, straight); got["result.json"] != want["result.json"] {
		t.Errorf("%s\nwant\n%s", got["result.json"], want["result.json"])
	}
	allFresh(t, dir)
}

// Scores that somebody has edited are not searched on with, and are scored anew where that is asked for.
func TestEditedScores(t *testing.T) {
	dir := finished(t)
	want := tree(t, dir)
	full := filepath.Join(dir, "search", "samples.jsonl")
	edited := strings.Replace(want["search/samples.jsonl"], `"score":0.1`, `"score":0.9`, 1)
	if err := os.WriteFile(full, []byte(edited), 0o644); err != nil || edited == want["search/samples.jsonl"] {
		t.Fatal("nothing edited", err)
	}
	err := runAll(t, microRequest(dir))
	if fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), "samples.jsonl") {
		t.Error(err)
	}
	if b, _ := os.ReadFile(full); string(b) != edited {
		t.Error("the file has changed")
	}
	if err := runAll(t, redo(dir)); err != nil {
		t.Fatal(err)
	}
	got := tree(t, dir)
	for _, path := range []string{"search/samples.jsonl", "search/best.json", "result.json", "export/model.safetensors"} {
		if got[path] != want[path] {
			t.Errorf("%s differs", path)
		}
	}
	allFresh(t, dir)
}

// A folder of an earlier version has no records: what it has is of its configuration, not of what
// a request changes.
func TestChangedWithoutRecords(t *testing.T) {
	dir := finished(t)
	for _, s := range Stages {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(s.Record))); err != nil {
			t.Fatal(err)
		}
	}
	q := redo(dir, "retrain.lr=0.2")
	r, err := Open(t.Context(), process(), q)
	if err != nil {
		t.Fatal(err)
	}
	arch, err := r.RetrainedArch()
	if err == nil {
		_, err = r.RetrainAll(t.Context(), arch)
	}
	r.Close()
	if err != nil {
		t.Fatal(err)
	}
	if got := states(t, dir); got["test"] != StateStale || got["export"] != StateFresh {
		t.Errorf("%v", got)
	}
	if err := runAll(t, microRequest(dir, "retrain.lr=0.2")); err != nil {
		t.Fatal(err)
	}
	allFresh(t, dir)
}

// Who changes their mind between two seeds and goes back has the exported networks back too.
func TestExportFollowsTheSeeds(t *testing.T) {
	dir := newRun(t)
	if err := runAll(t, microRequest(dir, "retrain.seeds=2")); err != nil {
		t.Fatal(err)
	}
	want := tree(t, dir)
	stopped(t, redo(dir, "retrain.seeds=2", "retrain.lr=0.2"), 14) // of 12 a training
	if tree(t, dir)["export/model.safetensors"] == want["export/model.safetensors"] {
		t.Fatal("stopped before the first export")
	}
	if err := runAll(t, redo(dir, "retrain.seeds=2")); err != nil {
		t.Fatal(err)
	}
	got := tree(t, dir)
	for _, path := range []string{"export/model.safetensors", "retrain/seeds.json", "result.json", "retrain-seeds/4/export/model.safetensors"} {
		if got[path] != want[path] {
			t.Errorf("%s differs", path)
		}
	}
	allFresh(t, dir)
}

// A retraining that has no checkpoint yet may be of another architecture.
func TestAnotherArchitectureBeforeTheFirstStep(t *testing.T) {
	dir := finished(t)
	d := rundir.Folder(dir)
	ckpts, _ := filepath.Glob(d.File("retrain", "ckpt-*"))
	for _, c := range ckpts {
		if err := os.RemoveAll(c); err != nil {
			t.Fatal(err)
		}
	}
	if len(ckpts) == 0 {
		t.Fatal("no checkpoints")
	}
	q := redo(dir)
	q.Retrains, q.Redoes = true, []string{"retrain"}
	q.Arch = "lanas2:0.sep_conv_3x3+1.skip_connect,0.max_pool_3x3+2.sep_conv_5x5:0.sep_conv_3x3+1.skip_connect,1.max_pool_3x3+2.sep_conv_5x5"
	r, err := Open(t.Context(), process(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.RetrainAll(t.Context(), r.Arch); err != nil {
		t.Fatal(err)
	}
	if begun, err := begunArch(r.Space, d); err != nil || space.Hash(r.Space, begun) != space.Hash(r.Space, r.Arch) {
		t.Error(begun, err)
	}
}

// TestSeedsTakenBack: the trainings of all seeds come back together.
func TestSeedsTakenBack(t *testing.T) {
	dir := newRun(t)
	if err := runAll(t, microRequest(dir, "retrain.seeds=3")); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	stopped(t, redo(dir, "retrain.seeds=3", "retrain.lr=0.01"), 1)
	if d := rundir.Folder(dir); !d.Has(replacedFolder, "retrain") || !d.Has(replacedFolder, "retrain-seeds") || d.Has("retrain-seeds") {
		t.Fatal("not all is kept")
	}
	if err := runAll(t, redo(dir, "retrain.seeds=3")); err != nil {
		t.Fatal(err)
	}
	sameRun(t, tree(t, dir), before)
}

// TestTakenBack: who goes back to the old settings before the new results are complete has the old
// ones again.
func TestTakenBack(t *testing.T) {
	whole := finished(t)
	dir := copied(t, whole)
	stopped(t, redo(dir, "train.lr=0.01"), 1)
	if !rundir.Folder(dir).Has(replacedFolder, "supernet") {
		t.Fatal("nothing is kept")
	}
	if err := runAll(t, redo(dir)); err != nil {
		t.Fatal(err)
	}
	sameRun(t, tree(t, dir), tree(t, whole))
}

// TestGoneOnAndTakenBack: a training that was complete and goes on is kept as it was until it is complete
// again, in a folder whatever its name.
func TestGoneOnAndTakenBack(t *testing.T) {
	whole := finished(t)
	dir := filepath.Join(t.TempDir(), "r[1]*", "run")
	if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	stopped(t, redo(dir, "train.steps=2000", "run.checkpoint_steps=2", "run.checkpoint_keep=1"), 8)
	if rundir.Folder(dir).Has("supernet", "ckpt-00000012") {
		t.Fatal("the old checkpoint is still there: nothing is tested")
	}
	q := redo(dir)
	q.Config.Sets = append(q.Config.Sets, "run.checkpoint_steps=10", "run.checkpoint_keep=2")
	if err := runAll(t, q); err != nil {
		t.Fatal(err)
	}
	want := tree(t, whole)
	delete(want, "config.yaml") // how often it saves is another
	sameRun(t, tree(t, dir), want)
}

// sameRun wants the files of a run but those that name times.
func sameRun(t *testing.T, got, want map[string]string) {
	t.Helper()
	compared := 0
	for path, b := range want {
		if path == "LOCK" || path == "log.jsonl" || path == "manifest.json" {
			continue
		}
		compared++
		if got[path] != b {
			t.Errorf("%s differs", path)
		}
	}
	if compared < 20 {
		t.Errorf("%d files compared", compared)
	}
}
