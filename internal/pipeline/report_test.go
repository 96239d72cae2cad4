package pipeline

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
)

// TestFaultMetricsTold: whatever happens to the lines of metrics.jsonl, the page says so; of the whole file it says
// nothing.
func TestFaultMetricsTold(t *testing.T) {
	dir := finished(t)
	d := rundir.Folder(dir)
	whole, err := os.ReadFile(d.File("metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(whole), "\n")
	at := func(stage string, n int) int { // the index of its n-th line
		for i, l := range lines {
			if strings.Contains(l, `"stage":"`+stage+`"`) {
				if n--; n == 0 {
					return i
				}
			}
		}
		t.Fatalf("no line of %s", stage)
		return 0
	}
	without := func(i int) string { return strings.Join(slices.Delete(slices.Clone(lines), i, i+1), "") }
	edited := func(i int) string {
		out := slices.Clone(lines)
		out[i] = strings.Replace(out[i], `"loss":2`, `"loss":1`, 1)
		if out[i] == lines[i] {
			t.Fatalf("nothing to edit in %s", out[i])
		}
		return strings.Join(out, "")
	}
	for name, c := range map[string]struct{ bytes, want string }{
		"whole":                 {string(whole), ""},
		"a step lost":           {without(at("train", 3)), "lacks 1 of the 12 steps of stage train, the first of them step 3"},
		"the last step lost":    {without(at("retrain", 12)), "lacks 1 of the 12 steps of stage retrain, the first of them step 12"},
		"a stage lost":          {strings.Join(lines[at("search", 1):], ""), "lacks 12 of the 12 steps of stage train"},
		"a step twice":          {strings.Join(slices.Insert(slices.Clone(lines), 1, lines[0]), ""), "has 1 step of stage train twice."},
		"a loss edited":         {edited(at("train", 5)), "lines of stage train in metrics.jsonl are not those that the run wrote"},
		"a loss edited, second": {edited(at("retrain", 5)), "lines of stage retrain in metrics.jsonl are not those that the run wrote"},
		"torn":                  {string(whole[:len(whole)-5]), "The last line of metrics.jsonl is incomplete"},
		"no JSON":               {"nonsense\n" + string(whole), "line 1 of metrics.jsonl is no line of metrics"},
		"steps that never were": {string(whole) + strings.Replace(lines[at("retrain", 12)], `"step":12`, `"step":13`, 1), "steps of stage retrain up to 13, and its last checkpoint is of step 12"},
	} {
		if err := os.WriteFile(d.File("metrics.jsonl"), []byte(c.bytes), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := readRun(d)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := strings.Join(r.Faults, "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		b, err := report.Run(r.RunParts).Render()
		if err != nil || strings.Contains(string(b), `class="warning"`) != (c.want != "") {
			t.Errorf("%s: the page warns: %v, %v", name, c.want == "", err)
		}
	}
	if err := os.Remove(d.File("metrics.jsonl")); err != nil {
		t.Fatal(err)
	}
	if r, err := readRun(d); err != nil || len(r.Faults) != 2 {
		t.Errorf("without the file: %q, %v", r.Faults, err)
	}
}

// TestLogIsRead: times and memory of a log with lines of other kinds, over several processes; a line that is
// damaged says nothing.
func TestLogIsRead(t *testing.T) {
	d := rundir.Folder(t.TempDir())
	log := `{"msg":"run      r  (seed 1, preset micro)"}
{"msg":"memory","stage":"train","needs_bytes":1000}
{"msg":"stage","stage":"train","seconds":2,"images_per_s":50,"done":5}
no json
{"msg":"run      r  (seed 1, preset micro)"}
{"msg":"memory","stage":"train","peak_bytes":3000,"threads":2}
{"msg":"stage","stage":"train","seconds":1,"images_per_s":100}
{"msg":"stage","stage":"train","seconds":2,"images_per_s":100}
{"msg":"memory","stage":"train","peak_bytes":2500,"threads":4}
{"msg":"progress","stage":"search","seconds":9}
` + `{"msg":"` + strings.Repeat("x", 2*longestLog) + `"}
{"msg":"stage","stage":"test","seconds":0.5}
{"msg":"run      r  (seed 1, preset micro)"}
{"msg":"stage","stage":"test","seconds":0.25}
{"msg":"stage","stage":"test","seconds":0.25}
{"msg":"stage","stage":"torn","sec`
	if err := os.WriteFile(d.File("log.jsonl"), []byte(log), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := readLog(d)
	want := []report.Spent{{Stage: "train", Seconds: 5, Images: 400, Times: 2, Announced: 1000, Peak: 3000}, {Stage: "test", Seconds: 1, Times: 2}}
	if err != nil || !slices.Equal(l.spent(), want) || l.threads != 4 || l.tests != 3 || Tests(d) != 3 {
		t.Errorf("%+v, %d threads, %v", l.spent(), l.threads, err)
	}
	// The log of a process that went on may lack its first line.
	if err := os.WriteFile(d.File("log.jsonl"), []byte(`{"msg":"stage","stage":"train","seconds":2}`+"\n"+`{"msg":"stage","stage":"train","seconds":2}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if l, err := readLog(d); err != nil || l.of["train"].Times != 1 {
		t.Errorf("%+v, %v", l.spent(), err)
	}
	if l, err := readLog(rundir.Folder(t.TempDir())); err != nil || len(l.spent()) != 0 {
		t.Errorf("without a log: %+v, %v", l, err)
	}
}

// TestOperationShares: of two samples, the better of which is the best tenth.
func TestOperationShares(t *testing.T) {
	dir := finished(t)
	r, err := readRun(rundir.Folder(dir))
	if err != nil {
		t.Fatal(err)
	}
	var all, best, found float64
	for _, o := range r.Operations {
		all, best, found = all+o.All, best+o.Best, found+o.Found
	}
	for _, sum := range []float64{all, best, found} {
		if !(sum > 99.999 && sum < 100.001) {
			t.Errorf("the shares add up to %v", sum)
		}
	}
	if len(r.Spent) < 4 || r.Spent[0].Peak == 0 || r.Spent[0].Seconds < 0 {
		t.Errorf("spent %+v", r.Spent)
	}
	if !slices.ContainsFunc(r.Commands, func(c string) bool { return strings.Contains(c, "--arch "+r.Arch.Text) }) {
		t.Errorf("commands %q", r.Commands)
	}
}

// TestTestImagesToldApart: those that the seed has chosen, or may have, are not the same with another seed.
func TestTestImagesToldApart(t *testing.T) {
	yes, no := true, false
	of := func(seed uint64, bySeed *bool, test int) string {
		return testImages(rundir.Manifest{Seed: seed, Dataset: rundir.Dataset{SHA256: "0123", Test: test, TestBySeed: bySeed}}, "val")
	}
	if of(1, &yes, 40) == of(2, &yes, 40) || of(1, nil, 40) == of(2, nil, 40) {
		t.Error("images drawn with two seeds are the same")
	}
	if of(1, &no, 40) != of(2, &no, 40) {
		t.Error("the same images are not")
	}
	for _, bySeed := range []*bool{&yes, &no, nil} {
		if one, two := of(1, bySeed, 40), of(1, bySeed, 40); one != two {
			t.Errorf("the same images are %q and %q", one, two)
		}
	}
	if of(1, &no, 40) == of(1, &no, 41) {
		t.Error("40 and 41 images are the same")
	}
	if got := testImages(rundir.Manifest{}, ""); got != "" {
		t.Errorf("unknown images are %q", got)
	}
	// What the manifest says of images: those of a folder without a test split, and some of a split.
	drawn, split := photos(t, 20), splitPhotos(t, map[string]int{"train": 16, "val": 4})
	for _, c := range []struct {
		config config.Config
		want   bool
	}{{ownConfig(t, drawn), true}, {ownConfig(t, split), false}, {ownConfig(t, split, "data.test_size=3"), true}} {
		d, err := plan.OpenData(t.Context(), c.config, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := describeImages(d).TestBySeed; got == nil || *got != c.want {
			t.Errorf("%s, %d test images: %v, want %v", c.config.Data.Dir, d.Test.Len(), got, c.want)
		}
		d.Close()
	}
}

// TestComparison: runs of one name are told apart, and what is no run, is named twice or would be written over
// something else is refused with nothing written.
func TestComparison(t *testing.T) {
	base := t.TempDir()
	a, b := filepath.Join(base, "a", "r"), filepath.Join(base, "b", "r")
	for i, dir := range []string{a, b} {
		if err := runAll(t, microRequest(dir, []string{"seed=3", "seed=4"}[i])); err != nil {
			t.Fatal(err)
		}
	}
	names, err := tellApart([]rundir.Folder{rundir.Folder(a), rundir.Folder(b), rundir.Folder(base)})
	if err != nil || !slices.Equal(names, []string{"a/r", "b/r", filepath.Base(base)}) {
		t.Errorf("%q, %v", names, err)
	}
	out := filepath.Join(base, "page.html")
	if err := WriteComparison([]rundir.Folder{rundir.Folder(a), rundir.Folder(b)}, out); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a/r", "b/r", "Settings that differ", "<td>seed</td>", "Newcombe"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	before, _ := json.Marshal(all(t, base))
	for _, c := range []struct {
		runs []string
		out  string
	}{
		{[]string{a, base}, out}, {[]string{a, a}, out}, {[]string{a, a + "/."}, out}, {[]string{a, filepath.Join(base, "none")}, out},
		{[]string{a, b}, filepath.Join(a, "result.json")}, {[]string{a, b}, filepath.Join(base, "a")}, {[]string{a, b}, filepath.Join(base, "none", "x.html")},
	} {
		err := WriteComparison([]rundir.Folder{rundir.Folder(c.runs[0]), rundir.Folder(c.runs[1])}, c.out)
		if err == nil || fault.Classify(err).Code != fault.ExitUsage {
			t.Errorf("%q to %s: %v", c.runs, c.out, err)
		}
	}
	if after, _ := json.Marshal(all(t, base)); string(after) != string(before) {
		t.Error("a request that is refused changes something")
	}
}
