package pipeline

import (
	"context"
	"os"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
	"oneshot/internal/rundir"
)

// TestFaultKillLosesNoTraining: whoever changes a setting, is killed before the new results are complete, and
// goes back, has what there was without a step of training: it was whole at every moment, with all its seeds.
func TestFaultKillLosesNoTraining(t *testing.T) {
	tally := faulttest.New("kill -9 while results are replaced, no training lost")
	whole := newRun(t)
	old, changed := []string{"retrain.seeds=2", "retrain.steps=4"}, []string{"retrain.seeds=2", "retrain.steps=4", "retrain.lr=0.2"}
	if err := runAll(t, microRequest(whole, old...)); err != nil {
		t.Fatal(err)
	}
	want := tree(t, whole)
	step := 23
	if faulttest.All() {
		step = 1
	}
	after := 0
	for n := 1; ; n += step {
		dir := copied(t, whole)
		dead := killedAt(t, redo(dir, changed...), n)
		if dead == "" {
			break // it was complete before
		}
		tally.Injected++
		complete := newRetrained(t, whole, dead)
		trained := stepsOf(t, redo(dead, old...))
		if complete {
			after++
		} else if trained > 0 {
			t.Errorf("killed at change %d: %d steps are trained again", n, trained)
			continue
		}
		got := tree(t, dead)
		same := true
		for path, b := range want {
			if path != "LOCK" && path != "log.jsonl" && path != "manifest.json" && path != "search/times.jsonl" && got[path] != b {
				t.Errorf("killed at change %d, complete %v: %s differs", n, complete, path)
				same = false
			}
		}
		if same {
			tally.Survived++
		}
	}
	t.Logf("%d kills, %d of them when the new results were complete", tally.Injected, after)

	// The broken twin: the trainings of other seeds are not kept.
	dead := killedAt(t, redo(copied(t, whole), changed...), 40)
	if err := os.RemoveAll(rundir.Folder(dead).File(replacedFolder, seedsFolder)); err != nil {
		t.Fatal(err)
	}
	tally.Twin("seeds not kept", stepsOf(t, redo(dead, old...)) > 0)
	tally.Report(t)
}

// killedAt does all stages of a request and is killed before its n-th change. It returns what is left of the
// folder; "" where the request was done before.
func killedAt(t *testing.T, q Request, n int) (dead string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	undo := dyingAfter(n, func() {
		dead = crashImage(t, q.Folder)
		cancel(fault.ErrStopped)
	})
	defer undo()
	q.Resume = true
	r, err := Open(ctx, process(), q)
	if err == nil {
		defer r.Close()
		_, err = r.All(ctx, func(rundir.SearchSummary) {})
	}
	if dead == "" && err != nil {
		t.Fatal(err)
	}
	return dead
}

// stepsOf does all stages of a request, and says how many training steps that took.
func stepsOf(t *testing.T, q Request) (n int) {
	t.Helper()
	p := process()
	p.SaveAsked = func() bool {
		n++
		return false
	}
	q.Resume = true
	r, err := Open(t.Context(), p, q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.All(t.Context(), func(rundir.SearchSummary) {}); err != nil {
		t.Fatal(err)
	}
	return n
}

// newRetrained says whether a folder has all trainings, and they are others than before.
func newRetrained(t *testing.T, before, now string) bool {
	t.Helper()
	was, err := readSeeds(rundir.Folder(before))
	if err != nil {
		t.Fatal(err)
	}
	is, err := readSeeds(rundir.Folder(now))
	if err != nil {
		t.Fatal(err)
	}
	return len(is.Runs) == len(was.Runs) && *is.Runs[0].Loss != *was.Runs[0].Loss
}
