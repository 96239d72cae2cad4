package pipeline

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// finished makes a whole run in a new folder.
func finished(t *testing.T) string {
	t.Helper()
	dir := newRun(t)
	if err := runAll(t, microRequest(dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runAll does all stages of a request.
func runAll(t *testing.T, q Request) error {
	t.Helper()
	q.Resume = true
	r, err := Open(t.Context(), process(), q)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = r.All(t.Context(), func(rundir.SearchSummary) {})
	return err
}

// redo is a request that may do all stages of a folder anew, with some settings.
func redo(dir string, sets ...string) Request {
	q := microRequest(dir, sets...)
	q.Resume, q.Override, q.Redoes = true, true, []string{"train", "search", "retrain"}
	return q
}

// states of the stages of a folder, by name.
func states(t *testing.T, dir string) map[string]string {
	t.Helper()
	chain, err := Chain(rundir.Folder(dir))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, l := range chain {
		out[l.Stage] = l.State
		if (l.Why == "") != (l.State == StateFresh) || l.State != StateFresh && l.Command == "" {
			t.Errorf("%+v", l)
		}
	}
	return out
}

// TestRecordsOfARun: the checksums in the records are those of the files, computed apart from the
// program's own.
func TestRecordsOfARun(t *testing.T) {
	dir := finished(t)
	sum := func(path string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%x", sha256.Sum256(b))
	}
	newest := func(stage string) string {
		t.Helper()
		all, _ := filepath.Glob(filepath.Join(dir, stage, "ckpt-*", "model.safetensors"))
		slices.Sort(all)
		rel, err := filepath.Rel(dir, all[len(all)-1])
		if err != nil {
			t.Fatal(err)
		}
		return sum(filepath.ToSlash(rel))
	}
	record := func(path string) (r rundir.Record) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err == nil {
			err = json.Unmarshal(b, &r)
		}
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	supernet, retrained := newest("supernet"), newest("retrain")
	var best rundir.SearchSummary
	if err := rundir.Folder(dir).ReadJSON(&best, "search", "best.json"); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]rundir.Record{
		"supernet/record.json": {Outputs: map[string]string{"supernet": supernet}},
		"search/record.json": {Inputs: map[string]string{"supernet": supernet, "search.algo": "lanas", "seed": "3"},
			Outputs: map[string]string{"search/samples.jsonl": sum("search/samples.jsonl"), "search/rechecks.jsonl": sum("search/rechecks.jsonl"), "search/best.json": sum("search/best.json")}},
		"retrain/record.json": {Inputs: map[string]string{"arch": best.Arch, "retrain.seed": "3"},
			Outputs: map[string]string{"retrain": retrained, "retrain/arch.json": sum("retrain/arch.json")}},
		"export/record.json": {Inputs: map[string]string{"retrain": retrained},
			Outputs: map[string]string{"export/model.safetensors": sum("export/model.safetensors"), "export/arch.json": sum("export/arch.json")}},
		"result.record.json": {Inputs: map[string]string{"supernet": supernet, "export": sum("export/model.safetensors"), "search": sum("search/best.json")},
			Outputs: map[string]string{"result.json": sum("result.json"), "test/examples.json": sum("test/examples.json")}},
	} {
		got := record(path)
		for name, v := range want.Inputs {
			if got.Inputs[name] != v {
				t.Errorf("%s: %s is %q, want %q", path, name, got.Inputs[name], v)
			}
		}
		if !maps.Equal(got.Outputs, want.Outputs) {
			t.Errorf("%s: results are %v, want %v", path, got.Outputs, want.Outputs)
		}
	}
	for stage, state := range states(t, dir) {
		if state != StateFresh {
			t.Errorf("%s is %s", stage, state)
		}
	}
}

// TestEveryResultIsLookedAt: whichever file of the results is another one, its stage is stale and so is
// what was made of it. Looking changes nothing.
func TestEveryResultIsLookedAt(t *testing.T) {
	whole := finished(t)
	want := tree(t, whole)
	follows := map[string][]string{"train": {"search", "retrain", "export", "test"}, "search": {"retrain", "export", "test"},
		"retrain": {"export", "test"}, "export": {"test"}}
	changed := 0
	for path, stage := range map[string]string{
		"search/samples.jsonl": "search", "search/rechecks.jsonl": "search", "search/best.json": "search",
		"export/model.safetensors": "export", "export/arch.json": "export", "result.json": "test",
		"test/examples.json": "test",
	} {
		dir := newRun(t)
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		full := filepath.Join(dir, filepath.FromSlash(path))
		b, err := os.ReadFile(full)
		if err != nil {
			t.Fatal(err)
		}
		// A digit of a score, or a byte of a weight.
		if at := strings.Index(string(b), `"score":0.`); at >= 0 {
			b[at+len(`"score":0.`)] ^= 1
		} else {
			b[len(b)-2] ^= 1
		}
		if err := os.WriteFile(full, b, 0o644); err != nil {
			t.Fatal(err)
		}
		changed++
		got := states(t, dir)
		for s, state := range got {
			stale := s == stage || slices.Contains(follows[stage], s)
			if stale != (state == StateStale) {
				t.Errorf("with another %s, %s is %s", path, s, state)
			}
		}
	}
	if changed < 6 {
		t.Errorf("%d files changed", changed)
	}
	for path, b := range tree(t, whole) {
		if b != want[path] {
			t.Errorf("%s has changed", path)
		}
	}
}

// TestCourses: what becomes of each stage of a finished run when a setting changes.
func TestCourses(t *testing.T) {
	whole := finished(t)
	for _, x := range []struct {
		set  string
		want map[string]string // what is announced of each stage
	}{
		{"train.steps=24", map[string]string{"train": "goes on", "search": "anew"}},
		{"train.steps=6", map[string]string{"train": "anew", "search": "anew"}},
		{"train.lr=0.01", map[string]string{"train": "anew", "search": "anew"}},
		{"net.channels=8", map[string]string{"train": "anew", "search": "anew"}},
		{"score.recal_images=24", map[string]string{"search": "anew"}},
		{"search.init=3", map[string]string{"search": "anew"}},
		{"search.samples=5", map[string]string{"search": "anew"}},
		{"search.samples=10", nil},
		{"search.top=2", nil},
		{"retrain.steps=24", map[string]string{"retrain": "goes on"}},
		{"retrain.steps=6", map[string]string{"retrain": "anew"}},
		{"retrain.lr=0.01", map[string]string{"retrain": "anew"}},
		{"retrain.ema=0.9", map[string]string{"retrain": "anew"}},
		{"run.workers=1", nil},
	} {
		q := redo(whole, x.set)
		v, err := Look(t.Context(), process(), q, true)
		if err != nil || v.Unseen != nil {
			t.Errorf("%s: %v, %v", x.set, err, v.Unseen)
			continue
		}
		got := map[string]string{}
		for _, line := range v.Lines {
			for _, what := range []string{"anew", "goes on", "stale"} {
				if rest, ok := strings.CutPrefix(line, what); ok {
					stage, _, _ := strings.Cut(strings.TrimSpace(rest), ":")
					got[stage] = what
				}
			}
		}
		if !maps.Equal(got, x.want) {
			t.Errorf("%s: %v, want %v", x.set, got, x.want)
		}
	}
}

// TestChangedAndDoneAnew: whatever changes, a run that does anew what it must ends in the bytes of one
// that was begun so, in the results that do not remember how they came about.
func TestChangedAndDoneAnew(t *testing.T) {
	sets := []string{"train.lr=0.01", "search.samples=5", "retrain.ema=0.9", "net.channels=8", "search.init=3", "retrain.lr=0.01", "data.train_size=140"}
	if testing.Short() {
		sets = sets[:3]
	}
	for _, set := range sets {
		dir, straight := finished(t), newRun(t)
		if err := runAll(t, microRequest(straight, set)); err != nil {
			t.Fatal(err)
		}
		if err := runAll(t, redo(dir, set)); err != nil {
			t.Errorf("%s: %v", set, err)
			continue
		}
		got, want := tree(t, dir), tree(t, straight)
		compared := 0
		for path, b := range want {
			if strings.Contains(path, "record.json") || !strings.Contains(path, "ckpt-00000012/") && !strings.HasPrefix(path, "search/") &&
				!strings.HasPrefix(path, "export/") && path != "metrics.jsonl" || strings.HasSuffix(path, "times.jsonl") {
				continue
			}
			compared++
			if got[path] != b {
				t.Errorf("%s: %s differs", set, path)
			}
		}
		if compared < 10 {
			t.Errorf("%s: %d files compared", set, compared)
		}
		for path := range got {
			if strings.HasPrefix(path, replacedFolder) {
				t.Errorf("%s: %s is left", set, path)
			}
		}
		for stage, state := range states(t, dir) {
			if state != StateFresh {
				t.Errorf("%s: %s is %s", set, stage, state)
			}
		}
	}
}

// TestMoreIsAskedFor: what only makes a stage go further leaves it right, but not finished.
func TestMoreIsAskedFor(t *testing.T) {
	dir := finished(t)
	for _, x := range []struct{ set, stage, file, holds string }{
		{"search.samples=10", "search", "search/samples.jsonl", `"index":9,`},
		{"search.top=2", "search", "search/record.json", `"search.top": "2"`},
		{"search.baselines=random", "search", "search/baseline-random.jsonl", `"index":9,`},
		{"retrain.seeds=2", "retrain", "retrain/seeds.json", `"seed": 4,`},
	} {
		q := redo(dir)
		q.Config.Preset, q.Config.Sets = "", []string{x.set} // on top of what the folder has
		r, err := Open(t.Context(), process(), q)
		if err != nil {
			t.Fatal(err)
		}
		if got := states(t, dir); got[x.stage] != StatePartial {
			t.Errorf("with %s, %s is %s", x.set, x.stage, got[x.stage])
		}
		_, err = r.All(t.Context(), func(rundir.SearchSummary) {})
		r.Close()
		if err != nil {
			t.Errorf("%s: %v", x.set, err)
		}
		if b := tree(t, dir)[x.file]; !strings.Contains(b, x.holds) {
			t.Errorf("with %s, %s has no %s:\n%s", x.set, x.file, x.holds, b)
		}
		for stage, state := range states(t, dir) {
			if state != StateFresh {
				t.Errorf("with %s, %s is %s in the end", x.set, stage, state)
			}
		}
	}
}

// TestScoresOfTwoArithmetics: a search goes on only with the arithmetic that it began with.
func TestScoresOfTwoArithmetics(t *testing.T) {
	dir := newRun(t)
	q := microRequest(dir, "search.samples=4", "search.init=4")
	if err := runAll(t, q); err != nil {
		t.Fatal(err)
	}
	d := rundir.Folder(dir)
	rec, err := d.ReadRecord("search/record.json")
	if err != nil || rec == nil || len(rec.Arithmetic) != 1 {
		t.Fatal(rec, err)
	}
	rec.Arithmetic = []string{"cpu float32 abacus"}
	if err := d.WriteRecord("search/record.json", *rec); err != nil {
		t.Fatal(err)
	}
	if err := runAll(t, q); err != nil {
		t.Errorf("a search that is complete is refused: %v", err)
	}
	before := tree(t, dir)
	q.Config.Sets = append(q.Config.Sets, "search.samples=6")
	q.Override = true // but no stage may be done anew
	err = runAll(t, q)
	if fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), "abacus") {
		t.Error(err)
	}
	if after := tree(t, dir); after["search/samples.jsonl"] != before["search/samples.jsonl"] {
		t.Error("a score was added")
	}
	// What will be done anew is said before, and what is refused is refused then.
	if v, err := Look(t.Context(), process(), redo(dir, "search.samples=6", "search.init=4"), false); err != nil || !strings.Contains(strings.Join(v.Lines, "\n"), "anew     search: it has begun with \"cpu float32 abacus\"") {
		t.Errorf("%q, %v", v.Lines, err)
	}
	if err := runAll(t, redo(dir, "search.samples=6", "search.init=4")); err != nil {
		t.Error(err)
	}
	if rec, err := d.ReadRecord("search/record.json"); err != nil || rec.Arithmetic[0] == "cpu float32 abacus" {
		t.Errorf("%+v, %v", rec, err)
	}
}
