package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// topSets make a run whose search has six architectures; each training has a checkpoint before its last one.
var topSets = []string{"search.samples=6", "search.init=3", "search.top=2", "search.baselines=", "train.steps=4", "retrain.steps=5", "run.checkpoint_steps=2"}

// topOfRun asks for the best k of a folder's search, as `retrain` does.
func topOfRun(dir, k string, sets ...string) Request {
	q := microRequest(dir, append(append(slices.Clone(topSets), "retrain.top="+k), sets...)...)
	q.Retrains, q.Resume, q.Sizes, q.Frees, q.Redoes = true, true, []string{"retrain"}, []string{"retrain"}, []string{"retrain"}
	return q
}

// searchedRun is a finished run of which only the best was retrained, as a copy.
func searchedRun(t *testing.T) func() string {
	t.Helper()
	whole := newRun(t)
	if err := runAll(t, microRequest(whole, topSets...)); err != nil {
		t.Fatal(err)
	}
	return func() string { return copyOf(t, whole) }
}

// copyOf is a copy of a run folder, which has the same base name.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := newRun(t)
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

func storedResult(t *testing.T, dir string) (res rundir.Result) {
	t.Helper()
	if err := rundir.Folder(dir).ReadJSON(&res, "result.json"); err != nil {
		t.Fatal(err)
	}
	return res
}

// homesOf are the hashes that have a home beside the run.
func homesOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, topFolder))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// Architectures that are trained until whatever step, and then go on, leave the bytes of ones that never stopped; so do
// ones of which more are asked for later. Meanwhile the stage is partial, and status names what goes on.
func TestTopStoppedAnywhere(t *testing.T) {
	begun := searchedRun(t)
	whole := begun()
	sum, err := retrainAll(t, topOfRun(whole, "3"), 0)
	if err != nil {
		t.Fatal(err)
	}
	allFresh(t, whole)
	wanted := files(t, whole)
	if n := len(sum.Top.Archs); n != 3 || sum.Top.Test == nil || sum.Top.Looks != 3 || sum.Seeds != nil || len(homesOf(t, whole)) != 2 {
		t.Fatalf("%d: %+v", n, sum.Top)
	}
	if res := storedResult(t, whole); res.Retrain.Top == nil || res.Arch.Hash != sum.Top.Archs[0].Hash || res.TestTop1 != sum.Top.Archs[0].Test.Mean {
		t.Errorf("result.json: %+v", res.Retrain)
	}
	stops := 0
	for stop := 1; stop <= 5; stop += 2 { // three steps of a training do not save anyway
		dir := begun()
		_, err := retrainAll(t, topOfRun(dir, "3"), stop)
		if fault.Classify(err).Code != fault.ExitStopped {
			t.Fatalf("stopped at step %d: %v", stop, err)
		}
		stops++
		if s := states(t, dir)["retrain"]; s != StatePartial {
			t.Errorf("stopped at step %d it is %s", stop, s)
		}
		chain, err := Chain(rundir.Folder(dir))
		if want := "oneshot retrain --out " + dir; err != nil || Next(chain) != want {
			t.Errorf("next: %q, want %q (%v)", Next(chain), want, err)
		}
		if _, err := retrainAll(t, topOfRun(dir, "3"), 0); err != nil {
			t.Fatal(err)
		}
		same(t, files(t, dir), wanted)
	}
	later := begun()
	for _, k := range []string{"2", "3"} {
		if _, err := retrainAll(t, topOfRun(later, k), 0); err != nil {
			t.Fatal(err)
		}
	}
	same(t, files(t, later), wanted)
	if stops != 3 {
		t.Errorf("stopped %d times", stops)
	}
}

// Others that are asked for later are trained beside those that are there, fewer leave the others where they are, and
// a result says of what was asked for last. Nothing is trained or tested twice.
func TestTopReuses(t *testing.T) {
	dir := searchedRun(t)()
	before := storedResult(t, dir)
	trainings := func(k string, sets ...string) (n int, top *rundir.Top) {
		t.Helper()
		p := process()
		p.SaveAsked = func() bool { n++; return false } // after three of the five steps
		r, err := Open(t.Context(), p, topOfRun(dir, k, sets...))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		sum, err := r.RetrainAll(context.WithoutCancel(t.Context()), r.Arch)
		if err != nil {
			t.Fatal(err)
		}
		allFresh(t, dir)
		return n / 3, sum.Top
	}
	for _, c := range []struct{ k, trained, listed, homes int }{{3, 2, 3, 2}, {5, 2, 5, 4}, {2, 0, 2, 4}, {1, 0, 0, 4}, {5, 0, 5, 4}} {
		n, top := trainings(string(rune('0' + c.k)))
		listed := 0
		if top != nil {
			listed = len(top.Archs)
		}
		if n != c.trained || listed != c.listed || len(homesOf(t, dir)) != c.homes {
			t.Errorf("--top %d: %d trained, %d listed, %d homes; want %+v", c.k, n, listed, len(homesOf(t, dir)), c)
		}
		res := storedResult(t, dir)
		if got := res.Retrain.Top; (got == nil) != (c.listed == 0) || got != nil && len(got.Archs) != c.listed {
			t.Errorf("--top %d: result.json has %+v", c.k, got)
		}
		if res.Retrain.Top = nil; res.TestTop1 != before.TestTop1 || res.Arch != before.Arch {
			t.Errorf("--top %d: another result", c.k)
		}
	}
	// With a second seed each of them is trained once more, and what is compared are means.
	n, top := trainings("3", "retrain.seeds=2")
	if n != 3 || top.Seeds != 2 || top.Looks != 6 || top.Archs[1].Test.Deviation == nil {
		t.Errorf("two seeds: %d trained, %+v", n, top)
	}
}

// What the settings or the search decide makes all of them stale; with --override they are done anew, and none of
// before is among them. Those that another winner leaves as they are come back.
func TestTopIsNeverMixed(t *testing.T) {
	begun := searchedRun(t)
	dir := begun()
	if _, err := retrainAll(t, topOfRun(dir, "3"), 0); err != nil {
		t.Fatal(err)
	}
	had, old := files(t, dir), copyOf(t, dir)
	if _, err := Open(t.Context(), process(), topOfRun(dir, "3", "retrain.lr=0.2")); fault.Classify(err).Code != fault.ExitUsage {
		t.Errorf("another recipe: %v", err)
	}
	q := topOfRun(dir, "3", "retrain.lr=0.2")
	q.Override = true
	if _, err := retrainAll(t, q, 2); fault.Classify(err).Code != fault.ExitStopped {
		t.Fatal(err)
	}
	if !rundir.Folder(dir).Has(replacedFolder, topFolder) || rundir.Folder(dir).Has(topFolder) {
		t.Error("those of another recipe are not set aside")
	}
	if _, err := retrainAll(t, q, 0); err != nil {
		t.Fatal(err)
	}
	now := files(t, dir)
	for _, hash := range homesOf(t, dir) {
		if f := topFolder + "/" + hash + "/export/model.safetensors"; now[f] == "" || now[f] == had[f] {
			t.Errorf("%s is not of the new recipe", f)
		}
	}
	// A home that is of something else is named, and nothing of it is taken.
	hash := homesOf(t, dir)[0]
	home := filepath.Join(dir, topFolder, hash)
	if err := os.RemoveAll(home); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(home, os.DirFS(filepath.Join(old, topFolder, hash))); err != nil {
		t.Fatal(err)
	}
	if s := states(t, dir)["retrain"]; s != StateStale {
		t.Errorf("a home of another recipe is %s", s)
	}
	if _, err := retrainAll(t, topOfRun(dir, "3", "retrain.lr=0.2"), 0); fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), hash) {
		t.Errorf("a home of another recipe: %v", err)
	}

	if _, err := retrainAll(t, q, 0); err != nil {
		t.Errorf("a home of another recipe, with --override: %v", err)
	}
	allRetrained(t, dir, now)

	// Another supernet, and with it other scores.
	super := begun()
	if _, err := retrainAll(t, topOfRun(super, "3"), 0); err != nil {
		t.Fatal(err)
	}
	if err := runAll(t, redo(super, append(slices.Clone(topSets), "retrain.top=3", "train.lr=0.2")...)); err != nil {
		t.Fatal(err)
	}
	allFresh(t, super)
	fresh := newRun(t)
	if err := runAll(t, microRequest(fresh, append(slices.Clone(topSets), "retrain.top=3", "train.lr=0.2")...)); err != nil {
		t.Fatal(err)
	}
	if a, b := files(t, super), files(t, fresh); a["retrain/top.json"] != b["retrain/top.json"] || a["result.json"] != b["result.json"] {
		t.Error("the figures are not those of a run that began so")
	}
}

// Where the search goes on and finds another architecture, the one that is exported is trained anew. Of the others, those
// that are asked for again come back as they were.
func TestTopOfAnotherWinner(t *testing.T) {
	dir := newRun(t)
	sets := func(samples string) []string {
		return append(slices.Clone(topSets), "search.samples="+samples, "search.init=2", "retrain.top=8")
	}
	if err := runAll(t, microRequest(dir, sets("3")...)); err != nil {
		t.Fatal(err)
	}
	was, first, before := homesOf(t, dir), storedResult(t, dir).Arch.Hash, files(t, dir)
	again := redo(dir, sets("8")...)
	again.Redoes = []string{"search"}
	r, err := Open(t.Context(), process(), again)
	if err != nil {
		t.Fatal(err)
	}
	sum, _, err := r.Find(t.Context())
	r.Close()
	if err != nil || sum.Hash == first || slices.Contains(was, sum.Hash) {
		t.Fatalf("the winner was %s and is %s of %s: %v", first, sum.Hash, was, err)
	}
	q := topOfRun(dir, "8", sets("8")...)
	if _, err := Open(t.Context(), process(), q); fault.Classify(err).Code != fault.ExitUsage {
		t.Errorf("another winner without --override: %v", err)
	}
	p, trained := process(), 0
	p.SaveAsked = func() bool { trained++; return false }
	q.Override = true
	if r, err = Open(t.Context(), p, q); err != nil {
		t.Fatal(err)
	}
	_, err = r.RetrainAll(t.Context(), r.Arch)
	r.Close()
	if err != nil {
		t.Fatal(err)
	}
	after := files(t, dir)
	for _, hash := range was {
		for _, f := range []string{"/retrain/seeds.json", "/export/model.safetensors", "/metrics.jsonl"} {
			if f = topFolder + "/" + hash + f; before[f] == "" || after[f] != before[f] {
				t.Errorf("%s is not the one that was there", f)
			}
		}
	}
	if all := len(homesOf(t, dir)) + 1; all != 8 || trained != 3*(all-len(was)) {
		t.Errorf("%d architectures, %d steps asked whether to save: those of %s are trained again", all, trained, was)
	}
	allRetrained(t, dir, nil)
}

// allRetrained wants the trainings of a folder to be those of another one.
func allRetrained(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	got := files(t, dir)
	for f, b := range want {
		if (strings.HasPrefix(f, "retrain") || strings.HasPrefix(f, "export/")) && got[f] != b {
			t.Errorf("%s differs", f)
		}
	}
	if s := states(t, dir)["retrain"]; s != StateFresh || rundir.Folder(dir).Has(replacedFolder) {
		t.Errorf("retrain is %s", s)
	}
}
