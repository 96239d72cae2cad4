package search

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/lanas"
	"oneshot/supernet/space"
)

// Second scores cut at any byte are dropped with a warning and scored again.
func TestRechecksTornAnywhere(t *testing.T) {
	dir := newRun(t)
	newTestStage(t, dir, nil).searched(t)
	want := searchFiles(t, dir)
	whole := want["rechecks.jsonl"]
	path := filepath.Join(dir, "search", "rechecks.jsonl")
	torn, again := 0, 0
	for cut := 0; cut < len(whole); cut += 29 {
		if err := os.WriteFile(path, []byte(whole[:cut]), 0o644); err != nil {
			t.Fatal(err)
		}
		st := newTestStage(t, dir, nil)
		st.searched(t)
		sameFiles(t, "cut", searchFiles(t, dir), want)
		if n := 4 - strings.Count(whole[:cut], "\n"); st.recalls != n {
			t.Errorf("cut at %d: %d scored again, want %d", cut, st.recalls, n)
		}
		isTorn := cut > 0 && whole[cut-1] != '\n'
		if warned := strings.Contains(st.said.String(), "rechecks.jsonl: dropped an incomplete last line"); warned != isTorn {
			t.Errorf("cut at %d: warned %v", cut, warned)
		}
		if isTorn {
			torn++
		}
		again += st.recalls
	}
	if torn < 10 || again < 10 {
		t.Errorf("%d torn lines, %d scored again", torn, again)
	}
}

// unsummed removes the checksums of lines that a test edits, so that what reads the lines sees them.
func unsummed(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(rundir.SumsOf(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// Samples and second scores that a run of this configuration did not write are
// refused, and the file stays as it is.
func TestSearchLinesAreStrict(t *testing.T) {
	dir := newRun(t)
	newTestStage(t, dir, func(c *config.Config) { c.Search.MaxParams = 5000 }).searched(t)
	refused := 0
	for _, name := range []string{"samples.jsonl", "rechecks.jsonl"} {
		path := filepath.Join(dir, "search", name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		edits := map[string]func(map[string]any){
			"index 7, want 2":                     func(l map[string]any) { l["index"] = 7 },
			"sample of seed 4, want 3":            func(l map[string]any) { l["seed"] = 4 },
			"score 1.5 is not in 0..1":            func(l map[string]any) { l["score"] = 1.5 },
			"does not belong to the architecture": func(l map[string]any) { l["hash"] = "0123456789ab" },
			"space":                               func(l map[string]any) { l["arch"] = "lanas1:0.skip_connect" },
			"images 0":                            func(l map[string]any) { l["images"] = 0 },
		}
		if name == "samples.jsonl" {
			edits["written by an earlier version"] = func(l map[string]any) { delete(l, "params") }
			edits["search.max_params is 5000, but"] = func(l map[string]any) {
				st := newTestStage(t, newRun(t), nil)
				a, _ := st.plan.Space.Parse("lanas2:0.sep_conv_5x5+1.sep_conv_5x5,0.sep_conv_5x5+1.sep_conv_5x5:0.sep_conv_5x5+1.sep_conv_5x5,0.sep_conv_5x5+1.sep_conv_5x5")
				l["arch"], l["hash"] = st.plan.Space.Format(a), space.Hash(st.plan.Space, a)
			}
		} else {
			edits["recal_images 0"] = func(l map[string]any) { delete(l, "recal_images") }
		}
		for want, edit := range edits {
			lines := strings.SplitAfter(string(whole), "\n")
			var l map[string]any
			if err := json.Unmarshal([]byte(lines[2]), &l); err != nil {
				t.Fatal(err)
			}
			edit(l)
			b, _ := json.Marshal(l)
			lines[2] = string(b) + "\n"
			edited := strings.Join(lines, "")
			if err := os.WriteFile(path, []byte(edited), 0o644); err != nil {
				t.Fatal(err)
			}
			unsummed(t, path)
			st := newTestStage(t, dir, func(c *config.Config) { c.Search.MaxParams = 5000 })
			_, err := st.Run(t.Context())
			if err == nil || fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), name+":3: ") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", name, err, want)
				continue
			}
			if got, _ := os.ReadFile(path); string(got) != edited {
				t.Errorf("%s: a file that was refused has changed", name)
			}
			refused++
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if refused != 15 {
		t.Errorf("%d edits refused", refused)
	}
}

// A sample told twice is refused.
func TestSampleTwiceIsRefused(t *testing.T) {
	dir := newRun(t)
	newTestStage(t, dir, nil).searched(t)
	path := filepath.Join(dir, "search", "samples.jsonl")
	b, _ := os.ReadFile(path)
	lines := strings.SplitAfter(string(b), "\n")
	lines[1] = strings.Replace(lines[0], `"index":0`, `"index":1`, 1)
	os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644)
	unsummed(t, path)
	if _, err := newTestStage(t, dir, nil).Run(t.Context()); err == nil || fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), "sample 1: ") {
		t.Errorf("%v", err)
	}
}

// A search of a time limit ends with the samples it has, at least one; the time
// adds up over the processes that worked on it.
func TestTimeStopsTheSearch(t *testing.T) {
	limit := func(d time.Duration) func(*config.Config) {
		return func(c *config.Config) { c.Search.Time = config.Duration(d) }
	}
	slow := func(st *testStage) { // 10 s a score
		st.before = func() error { st.clock.t = st.clock.t.Add(10 * time.Second); return nil }
	}
	for _, c := range []struct {
		limit time.Duration
		want  int
		timed bool
	}{{60 * time.Second, 6, true}, {55 * time.Second, 6, true}, {time.Nanosecond, 1, true}, {0, 40, false}, {time.Hour, 40, false}} {
		dir := newRun(t)
		st := newTestStage(t, dir, limit(c.limit))
		slow(st)
		sum := st.searched(t)
		if sum.Samples != c.want || sum.TimedOut != c.timed {
			t.Errorf("%v: %d samples, timed out %v", c.limit, sum.Samples, sum.TimedOut)
		}
		if said := strings.Contains(st.said.String(), "(search.time)"); said != c.timed {
			t.Errorf("%v: said %q", c.limit, st.said)
		}
		if st.recalls != min(4, c.want) {
			t.Errorf("%v: %d scored again", c.limit, st.recalls)
		}
		// The time is still up in the next process.
		st = newTestStage(t, dir, limit(c.limit))
		slow(st)
		if again := st.searched(t); again.Samples != c.want || st.calls+st.recalls != 0 || again.TimedOut != c.timed {
			t.Errorf("%v: %d samples and %d scores in the second process", c.limit, again.Samples, st.calls+st.recalls)
		}
	}
	// Stopped after 3 samples and continued a day later: 3 more.
	dir := newRun(t)
	st := newTestStage(t, dir, limit(60*time.Second))
	ctx, cancel := context.WithCancelCause(t.Context())
	st.before = func() error {
		if st.clock.t = st.clock.t.Add(10 * time.Second); st.calls == 4 {
			cancel(fault.ErrStopped)
		}
		return nil
	}
	if _, err := st.Run(ctx); err == nil || fault.Classify(err).Code != fault.ExitStopped {
		t.Fatal(err)
	}
	st = newTestStage(t, dir, limit(60*time.Second))
	st.clock.t = st.clock.t.Add(24 * time.Hour)
	slow(st)
	if sum := st.searched(t); sum.Samples != 6 || st.calls != 3 {
		t.Errorf("%d samples, %d of them in the second process", sum.Samples, st.calls)
	}
}

// A damaged file of times is refused with what to do about it.
func TestDamagedTimesAreRefused(t *testing.T) {
	dir := newRun(t)
	newTestStage(t, dir, nil).searched(t)
	path := filepath.Join(dir, "search", "times.jsonl")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append([]byte("x\n"), b...), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = newTestStage(t, dir, nil).Run(t.Context())
	if err == nil || fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), "times.jsonl:1") {
		t.Errorf("%v", err)
	}
}

// What a search does again, because its samples were lost, counts once.
func TestTimeOfLostSamplesIsForgotten(t *testing.T) {
	dir := newRun(t)
	slow := func() *testStage {
		st := newTestStage(t, dir, func(c *config.Config) { c.Search.Time = config.Duration(60 * time.Second) })
		st.before = func() error { st.clock.t = st.clock.t.Add(10 * time.Second); return nil }
		return st
	}
	slow().searched(t)
	path := filepath.Join(dir, "search", "samples.jsonl")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kept := strings.Join(strings.SplitAfter(string(b), "\n")[:2], "")
	if err := os.WriteFile(path, []byte(kept), 0o644); err != nil {
		t.Fatal(err)
	}
	st := slow()
	if sum := st.searched(t); sum.Samples != 6 || st.calls != 4 {
		t.Errorf("%d samples, %d of them again", sum.Samples, st.calls)
	}
}

// A search that goes on after it had ended gives what a long one gives at once:
// second scores of samples that are no longer among the best are forgotten.
func TestSearchGoesOn(t *testing.T) {
	samples := func(n int) func(*config.Config) {
		return func(c *config.Config) { c.Search.Samples, c.Search.Algo = n, "random" }
	}
	long, dir := newRun(t), newRun(t)
	newTestStage(t, long, samples(60)).searched(t)
	short := newTestStage(t, dir, samples(12)).searched(t)
	st := newTestStage(t, dir, samples(60))
	sum := st.searched(t)
	sameFiles(t, "continued", searchFiles(t, dir), searchFiles(t, long))
	if st.calls != 48 || short.Top[0].Hash == sum.Top[0].Hash {
		t.Errorf("%d scores; %s was the best and still is", st.calls, short.Top[0].Hash)
	}
}

// All algorithms start from the same random subnetworks, of the number asked for.
func TestAllStartFromTheSameRandomOnes(t *testing.T) {
	dir := newRun(t)
	var others []string
	for _, algo := range lanas.Algorithms() {
		if algo != "lanas" {
			others = append(others, algo)
		}
	}
	newTestStage(t, dir, func(c *config.Config) { c.Search.Baselines = strings.Join(others, ",") }).searched(t)
	first := samplesOf(t, dir, "samples.jsonl")
	for _, name := range append([]string{"lanas"}, others...) {
		file := "baseline-" + name + ".jsonl"
		if name == "lanas" {
			file = "samples.jsonl"
		}
		for i, l := range samplesOf(t, dir, file) {
			if (l.Source == "warm-up") != (i < 10) && !strings.HasPrefix(name, "lanas") { // which may warm up for longer
				t.Errorf("%s: source %q of sample %d", name, l.Source, i)
			}
			if i < 10 && (l.Hash != first[i].Hash || l.Source != "warm-up") {
				t.Errorf("%s: sample %d is %s (%s), want %s", name, i, l.Hash, l.Source, first[i].Hash)
			}
		}
	}
}

// Baselines get as many samples as the search had; what is known is not scored
// again and has the same score to the bit.
func TestBaselinesHaveTheSameBudget(t *testing.T) {
	settings := func(c *config.Config) { c.Search.Baselines, c.Search.Samples = "random, evolution", 60 }
	dir := newRun(t)
	st := newTestStage(t, dir, settings)
	sum := st.searched(t)
	known, scored := map[string]rundir.Sample{}, 0
	for k, name := range []string{"samples.jsonl", "baseline-random.jsonl", "baseline-evolution.jsonl"} {
		lines := samplesOf(t, dir, name)
		if len(lines) != 60 {
			t.Fatalf("%s has %d samples", name, len(lines))
		}
		reused := 0
		for _, l := range lines {
			if old, ok := known[l.Hash]; ok {
				reused++
				if old.Score != l.Score || old.Loss != l.Loss || old.Images != l.Images {
					t.Errorf("%s: sample %d is %+v, was %+v", name, l.Index, l, old)
				}
				continue
			}
			scored++
			known[l.Hash] = l
		}
		if k == 0 {
			continue
		}
		b := sum.Baselines[k-1]
		best := lines[ranking(lines)[0]]
		if b.Reused != reused || reused < 10 || b.Samples != 60 || b.BestScore != best.Score || b.Hash != best.Hash {
			t.Errorf("%s: %+v, want %d reused and a best score of %v", name, b, reused, best.Score)
		}
		mean := 0.0
		for _, l := range lines[40:] {
			mean += l.Score / 20
		}
		if d := b.LastThirdMean - mean; !(d < 1e-12 && d > -1e-12) {
			t.Errorf("%s: last third %v, want %v", name, b.LastThirdMean, mean)
		}
	}
	if st.calls != scored {
		t.Errorf("%d scores for %d subnetworks", st.calls, scored)
	}
	// A baseline added later gives what it would have given at once.
	late := newRun(t)
	newTestStage(t, late, func(c *config.Config) { settings(c); c.Search.Baselines = "" }).searched(t)
	newTestStage(t, late, settings).searched(t)
	sameFiles(t, "late", searchFiles(t, late), searchFiles(t, dir))
	// So does a search whose time was up: fewer samples, as few for all.
	short := newRun(t)
	st = newTestStage(t, short, func(c *config.Config) { settings(c); c.Search.Time = config.Duration(70 * time.Second) })
	st.before = func() error { st.clock.t = st.clock.t.Add(10 * time.Second); return nil }
	if sum := st.searched(t); sum.Samples != 7 || sum.Baselines[0].Samples != 7 || sum.Baselines[1].Samples != 7 {
		t.Errorf("%+v", sum.Baselines)
	}
}

// A summary that was changed is written again, with a warning; one that agrees
// is left alone.
func TestBestFollowsTheSamples(t *testing.T) {
	dir := newRun(t)
	newTestStage(t, dir, nil).searched(t)
	path := filepath.Join(dir, "search", "best.json")
	want, _ := os.ReadFile(path)
	for _, c := range []struct {
		spoil string
		warns bool
	}{{string(want), false}, {strings.Replace(string(want), `"samples": 40`, `"samples": 41`, 1), true}, {"{}\n", true}} {
		os.WriteFile(path, []byte(c.spoil), 0o644)
		st := newTestStage(t, dir, nil)
		st.searched(t)
		if warned := strings.Contains(st.said.String(), "did not agree"); warned != c.warns || st.calls+st.recalls != 0 {
			t.Errorf("warned %v, %d scores", warned, st.calls+st.recalls)
		}
		if got, _ := os.ReadFile(path); string(got) != string(want) {
			t.Errorf("best.json is %s", got)
		}
	}
}

func FuzzSearchLines(f *testing.F) {
	dir := newRun(f)
	st := newTestStage(f, dir, nil)
	st.searched(f)
	for _, b := range searchFiles(f, dir) {
		for line := range strings.Lines(b) {
			f.Add([]byte(line))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, arch, err := st.parseSample(b, 0); err == nil {
			checkParsed(t, st.plan, l.Score, l.Hash, arch)
		}
		if l, err := st.parseRecheck(b, 0); err == nil {
			arch, _ := st.plan.Space.Parse(l.Arch)
			checkParsed(t, st.plan, l.Score, l.Hash, arch)
		}
	})
}

// checkParsed: a line that was accepted is of the space and in range.
func checkParsed(t *testing.T, p *plan.Plan, score float64, hash string, arch space.Arch) {
	if p.Space.Check(arch) != nil || space.Hash(p.Space, arch) != hash || !(score >= 0 && score <= 1) {
		t.Errorf("accepted %v, %s, %v", score, hash, arch)
	}
}
