package search

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"oneshot/data"
	"oneshot/internal/config"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/lanas"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

var testData = sync.OnceValues(func() (*data.Dataset, error) {
	return data.Open(data.Config{Name: "shapes10", Seed: 3, TrainSize: 160, SearchSize: 40, TestSize: 40})
})

// clock is a time source the test moves.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// fakeScorer gives an architecture a score that is a pure function of it: the
// share of its sep_conv_5x5 and noise, which is less, and other, the second time.
type fakeScorer struct {
	s      space.Space
	again  bool
	calls  *int
	before func() error // runs before each score; may end the process
	// fails says why an architecture has no score, "" where it has one.
	fails func(text string, again bool) string
}

func (f fakeScorer) Close() {}

func (f fakeScorer) Score(_ context.Context, a space.Arch) (supernet.Result, error) {
	*f.calls++
	if err := f.before(); err != nil {
		return supernet.Result{}, err
	}
	r := f.score(a)
	if why := f.fails(f.s.Format(a), f.again); why != "" {
		return supernet.Result{}, &supernet.NoNumberError{Of: "score", Why: why, Images: r.Images}
	}
	return r, nil
}

func (f fakeScorer) score(a space.Arch) supernet.Result {
	text := f.s.Format(a)
	h := fnv.New64a()
	io.WriteString(h, text)
	noise, images := 0.4, 20
	if f.again {
		io.WriteString(h, " again")
		noise, images = 0.1, 40
	}
	u := float64(h.Sum64()>>11) / (1 << 53)
	score := 0.2 + 0.05*float64(strings.Count(text, "sep_conv_5x5")) + noise*u
	return supernet.Result{Top1: score, Loss: 2 - score, Images: images}
}

// testStage is a search in dir with fake scores; change may alter the
// configuration before it is checked.
type testStage struct {
	*Stage
	calls, recalls int
	clock          *clock
	before         func() error
	fails          func(text string, again bool) string
	said           *strings.Builder
}

func newTestStage(t testing.TB, dir string, change func(*config.Config)) *testStage {
	t.Helper()
	c, err := config.FromPreset("micro")
	if err != nil {
		t.Fatal(err)
	}
	c.Seed, c.Search.Samples, c.Search.Init, c.Search.Top = 3, 40, 10, 4
	c.Score.Images = 20
	if change != nil {
		change(&c)
	}
	if err := c.Check(); err != nil {
		t.Fatal(err)
	}
	st := &testStage{clock: &clock{time.Unix(1000, 0)}, before: func() error { return nil }, said: &strings.Builder{},
		fails: func(string, bool) string { return "" }}
	p := &plan.Plan{Config: c}
	if p.Space, err = plan.OpenSpace(c); err != nil {
		t.Fatal(err)
	}
	if p.Data, err = testData(); err != nil {
		t.Fatal(err)
	}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	within, err := p.SearchSpace()
	if err != nil {
		t.Fatal(err)
	}
	st.Stage = New(p, rundir.Folder(dir), ui.New(io.Discard, st.said, st.clock.now), within, func(again bool) (Scorer, error) {
		calls := &st.calls
		if again {
			calls = &st.recalls
		}
		return fakeScorer{p.Space, again, calls, func() error { return st.before() }, func(text string, again bool) string { return st.fails(text, again) }}, nil
	})
	return st
}

// searched runs the search to its end.
func (st *testStage) searched(t testing.TB) rundir.SearchSummary {
	t.Helper()
	sum, err := st.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// searchFiles are the bytes that must not depend on interruptions.
func searchFiles(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := filepath.Glob(filepath.Join(dir, "search", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(names, filepath.Join(dir, "metrics.jsonl")) {
		if filepath.Base(name) == "times.jsonl" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = string(b)
	}
	return out
}

func sameFiles(t testing.TB, what string, got, want map[string]string) bool {
	t.Helper()
	same := len(got) == len(want)
	for name, b := range want {
		if got[name] != b {
			t.Errorf("%s: %s differs", what, name)
			same = false
		}
	}
	return same
}

func samplesOf(t testing.TB, dir, name string) []rundir.Sample {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "search", name))
	if err != nil {
		t.Fatal(err)
	}
	var out []rundir.Sample
	for line := range strings.Lines(string(b)) {
		var l rundir.Sample
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	return out
}

var errPower = errors.New("power cut")

// cutAfter lets n scores through.
func cutAfter(n int) func() error {
	return func() error {
		if n--; n < 0 {
			return errPower
		}
		return nil
	}
}

// A search cut anywhere and continued writes what one never cut writes, for
// every algorithm: the files are all it remembers.
func TestSearchCutAnywhere(t *testing.T) {
	for _, algo := range []string{"lanas", "evolution"} {
		settings := func(c *config.Config) { c.Search.Algo, c.Search.Baselines = algo, "random" }
		whole := newRun(t)
		st := newTestStage(t, whole, settings)
		st.searched(t)
		want, total := searchFiles(t, whole), st.calls+st.recalls
		cuts := 0
		for n := 0; n < total; n += 3 {
			dir := newRun(t)
			st := newTestStage(t, dir, settings)
			st.before = cutAfter(n)
			if _, err := st.Run(t.Context()); !errors.Is(err, errPower) {
				t.Fatalf("cut after %d scores: %v", n, err)
			}
			cuts++
			st = newTestStage(t, dir, settings)
			st.searched(t)
			if got := st.calls + st.recalls; got != total-n {
				t.Errorf("%s cut after %d of %d scores: %d more", algo, n, total, got)
			}
			sameFiles(t, algo, searchFiles(t, dir), want)
		}
		if cuts < 10 {
			t.Errorf("%s: only %d cuts", algo, cuts)
		}
	}
}

// amnesiac is a search that forgets what it is told in a replay but for which
// codes are taken: the broken twin of a resume.
type amnesiac struct{ lanas.Search }

func (a amnesiac) Tell(code []byte, _ float64) error { return a.Search.Tell(code, 0.5) }

// The comparison above notices a search that is continued without its scores.
func TestCutWithoutReplayIsNoticed(t *testing.T) {
	long := func(c *config.Config) { c.Search.Samples = 80 }
	whole, dir := newRun(t), newRun(t)
	newTestStage(t, whole, long).searched(t)
	st := newTestStage(t, dir, long)
	st.before = cutAfter(45)
	if _, err := st.Run(t.Context()); !errors.Is(err, errPower) {
		t.Fatal(err)
	}
	st = newTestStage(t, dir, long)
	honest := st.searcher
	st.searcher = func(algo string) (*searcher, error) {
		s, err := honest(algo)
		s.Search = amnesiac{s.Search}
		return s, err
	}
	st.searched(t)
	if searchFiles(t, dir)["samples.jsonl"] == searchFiles(t, whole)["samples.jsonl"] {
		t.Error("what was told before the cut does not matter: the test compares nothing")
	}
}

// No sample exceeds a ceiling, whoever proposes it; without the ceiling some do.
func TestSearchKeepsToLimits(t *testing.T) {
	free := newRun(t)
	newTestStage(t, free, nil).searched(t)
	lines := samplesOf(t, free, "samples.jsonl")
	var params, madds []float64
	for _, l := range lines {
		params, madds = append(params, float64(l.Params)), append(madds, float64(l.MAdds))
	}
	for _, algo := range lanas.Algorithms() {
		dir := newRun(t)
		maxParams, maxMAdds := int64(quantile(params, 0.2)), int64(quantile(madds, 0.2))
		st := newTestStage(t, dir, func(c *config.Config) {
			c.Search.Algo, c.Search.MaxParams, c.Search.MaxMAdds = algo, config.Count(maxParams), config.Count(maxMAdds)
		})
		sum := st.searched(t)
		got := samplesOf(t, dir, "samples.jsonl")
		if len(got) != 40 {
			t.Errorf("%s: %d samples", algo, len(got))
		}
		for _, l := range got {
			a, err := st.plan.Space.Parse(l.Arch)
			if err != nil {
				t.Fatal(err)
			}
			r, err := st.plan.DescribeArch(a)
			if err != nil {
				t.Fatal(err)
			}
			if r.Params > maxParams || r.MAdds > maxMAdds || r.Params != l.Params || r.MAdds != l.MAdds {
				t.Errorf("%s: sample %d has %d and %d, says %d and %d, the limits are %d and %d",
					algo, l.Index, r.Params, r.MAdds, l.Params, l.MAdds, maxParams, maxMAdds)
			}
		}
		if sum.Params > maxParams {
			t.Errorf("%s: the winner has %d parameters", algo, sum.Params)
		}
	}
}

func quantile(v []float64, q float64) float64 {
	order := make([]rundir.Sample, len(v))
	for i, x := range v {
		order[i].Score = -x
	}
	return v[ranking(order)[int(q*float64(len(v)))]]
}

// The winner is the best by the second score, which the first one does not
// decide; the rest of the table follows in that order.
func TestRecheckChooses(t *testing.T) {
	for _, top := range []int{0, 1, 12} {
		dir := newRun(t)
		st := newTestStage(t, dir, func(c *config.Config) { c.Search.Top, c.Search.Algo = top, "random" })
		sum := st.searched(t)
		lines := samplesOf(t, dir, "samples.jsonl")
		if st.recalls != top || len(sum.Top) != max(1, top) {
			t.Fatalf("top %d: %d scored again, %d in the table", top, st.recalls, len(sum.Top))
		}
		first := lines[ranking(lines)[0]]
		if sum.HighestScore != first.Score {
			t.Errorf("highest score %v, want %v", sum.HighestScore, first.Score)
		}
		if top == 0 {
			if sum.Hash != first.Hash || sum.RecheckScore != nil {
				t.Errorf("without second scores %s wins, want %s", sum.Hash, first.Hash)
			}
			continue
		}
		best := -1.0
		for i, e := range sum.Top {
			a, _ := st.plan.Space.Parse(e.Arch)
			want := fakeScorer{s: st.plan.Space, again: true}.score(a).Top1
			if *e.RecheckScore != want || lines[e.Sample].Score != e.Score || e.Rank != i+1 {
				t.Errorf("entry %d is %+v, want a second score of %v", i, e, want)
			}
			if i > 0 && want > *sum.Top[i-1].RecheckScore {
				t.Errorf("entry %d is better than the one before", i)
			}
			best = max(best, want)
		}
		if *sum.RecheckScore != best || sum.Hash != sum.Top[0].Hash {
			t.Errorf("top %d: the winner has %v, the best %v", top, *sum.RecheckScore, best)
		}
		if top == 12 && sum.Hash == first.Hash {
			t.Error("both scores agree on the winner: the test compares nothing")
		}
	}
}

// newRun is an empty folder; all have the same name, which reports hold.
func newRun(t testing.TB) string { return filepath.Join(t.TempDir(), "run") }
