package lanas

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write testdata/golden-*.txt")

// TestGoldenTranscripts pin every decision of every search: a change here
// changes what every seed finds.
func TestGoldenTranscripts(t *testing.T) {
	sp := choices{6, 3}
	score := additive(2, sp.Dim())
	for name, s := range searches(t, sp, 5) {
		var b strings.Builder
		for i := range 60 {
			var p Proposal
			var err error
			if l, ok := s.(*Searcher); ok {
				p, err = l.Propose()
			} else {
				p.Code, err = s.Ask()
			}
			if err != nil {
				t.Fatal(err)
			}
			v := score(p.Code)
			text := ""
			for _, bit := range p.Code {
				text += string('0' + bit)
			}
			fmt.Fprintf(&b, "%2d %s %-7s leaf %2d region %2d fallback %d score %.6f\n", i, text, p.Source, p.Leaf, p.Region, p.Fallback, v)
			if err := s.Tell(p.Code, v); err != nil {
				t.Fatal(err)
			}
		}
		if l, ok := s.(*Searcher); ok {
			for _, g := range l.Tree() {
				fmt.Fprintf(&b, "%d < %d depth %d good %v leaf %v samples %d mean %.6f best %.6f threshold %.6f ucb %.6f share %.3f terms %.4v\n",
					g.ID, g.Parent, g.Depth, g.Good, g.Leaf, g.Samples, g.Mean, g.Best, g.Threshold, g.UCB, g.Share, g.Terms)
			}
		}
		file := "testdata/golden-" + name + ".txt"
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want, []byte(b.String())) {
			t.Errorf("%s differs from %s; if it should, run go test -update\n%s", name, file, b.String())
		}
	}
}

// searches makes one of each search, with a budget of 60.
func searches(t testing.TB, sp Space, seed uint64) map[string]Search {
	t.Helper()
	all := map[string]Search{}
	for _, name := range Algorithms() {
		s, err := NewSearch(name, sp, Options{Seed: seed, Budget: 60})
		if err != nil {
			t.Fatal(err)
		}
		all[name] = s
	}
	return all
}

// TestReplayEqualsLive: at every length, a search that replays the samples
// asks what the live one asked.
func TestReplayEqualsLive(t *testing.T) {
	sp := newCells(t, 3)
	score := additive(6, sp.Dim())
	for name, live := range searches(t, sp, 3) {
		for n := range 80 {
			again := searches(t, sp, 3)[name]
			if err := again.Replay(live.Samples()); err != nil {
				t.Fatal(err)
			}
			want, err := live.Ask()
			if err != nil {
				t.Fatal(err)
			}
			got, err := again.Ask()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%s: proposal %d after replay differs from the live one", name, n)
			}
			if err := live.Tell(want, score(want)); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAskDependsOnlyOnSamplesAndPending: looking at the tree, or having asked
// and told in another rhythm, changes nothing.
func TestAskDependsOnlyOnSamplesAndPending(t *testing.T) {
	s := searched(t, 60, nil)
	s.Tree()
	a, _ := s.Ask()
	b, _ := s.Ask()
	again := searched(t, 0, nil)
	if err := again.Replay(s.Samples()); err != nil {
		t.Fatal(err)
	}
	c, _ := again.Ask()
	again.Tree()
	d, _ := again.Ask()
	if !bytes.Equal(a, c) || !bytes.Equal(b, d) || bytes.Equal(a, b) {
		t.Error("two pending proposals depend on more than samples and pending")
	}
	if !reflect.DeepEqual(s.Tree(), again.Tree()) {
		t.Error("the trees differ")
	}
}

// TestNoDuplicates: however asks and tells alternate, no code comes twice.
func TestNoDuplicates(t *testing.T) {
	sp := choices{4, 3} // 81 codes
	score := additive(1, sp.Dim())
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.Uint64().Draw(rt, "seed")
		steps := rapid.SliceOfN(rapid.Bool(), 1, 150).Draw(rt, "ask")
		for name, s := range searches(t, sp, seed) {
			proposed := map[string]bool{}
			var open [][]byte
			for _, ask := range steps {
				if ask || len(open) == 0 {
					code, err := s.Ask()
					if errors.Is(err, ErrExhausted) && len(proposed) == 81 {
						continue
					}
					if err != nil || proposed[string(code)] {
						rt.Fatalf("%s: proposal %d is a duplicate or error %v", name, len(proposed), err)
					}
					proposed[string(code)] = true
					open = append(open, code)
					continue
				}
				k := len(proposed) % len(open) // not in the order asked
				if err := s.Tell(open[k], score(open[k])); err != nil {
					rt.Fatal(err)
				}
				open = slices.Delete(open, k, k+1)
			}
		}
	})
}

// TestBruteForceTwin compares the searcher with enumeration on 81 codes, up to
// the last of them: a proposal is one of the unseen codes of its region, and a
// fallback happens only when the region below has none.
func TestBruteForceTwin(t *testing.T) {
	sp := choices{4, 3}
	all := sp.all()
	fallbacks := 0
	for seed := range uint64(5) {
		c := Paper()
		c.Init, c.Seed, c.RejectTries = 8, seed, 300
		s, err := New(sp, c)
		if err != nil {
			t.Fatal(err)
		}
		score := additive(seed, sp.Dim())
		top := math.Inf(-1)
		for _, code := range all {
			top = max(top, score(code))
		}
		unseen := map[string]bool{}
		for _, code := range all {
			unseen[string(code)] = true
		}
		free := func(g *region) (n int) {
			for code := range unseen {
				if met, conditions := meets(g, []byte(code)); met == conditions {
					n++
				}
			}
			return n
		}
		for n := range all {
			p, err := s.Propose()
			if err != nil {
				t.Fatalf("seed %d: proposal %d of %d: %v", seed, n, len(all), err)
			}
			if !unseen[string(p.Code)] {
				t.Fatalf("seed %d: proposal %d is not an unseen code", seed, n)
			}
			if p.Source != FromWarmup {
				if met, conditions := meets(s.epoch.regions[p.Region], p.Code); met != conditions {
					t.Fatalf("seed %d: proposal %d is not in its region", seed, n)
				}
				for g := s.epoch.regions[p.Leaf]; g.id != p.Region; g = g.parent {
					fallbacks++
					if k := free(g); k > 0 {
						t.Errorf("seed %d: proposal %d falls back from region %d, which has %d unseen codes", seed, n, g.id, k)
					}
				}
			}
			delete(unseen, string(p.Code))
			if err := s.Tell(p.Code, score(p.Code)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Ask(); !errors.Is(err, ErrExhausted) {
			t.Errorf("seed %d: error %v when the space is used up", seed, err)
		}
		if b, ok := s.Best(); !ok || b.Score != top {
			t.Errorf("seed %d: best %v, want %v", seed, b.Score, top)
		}
	}
	if fallbacks < 20 {
		t.Errorf("only %d fallbacks", fallbacks)
	}
}

func TestTellRefuses(t *testing.T) {
	for name, s := range searches(t, choices{2, 2}, 1) {
		good := []byte{1, 0, 0, 1}
		if err := s.Tell(good, 1); err != nil {
			t.Fatal(err)
		}
		good[0] = 0 // the search keeps its own copy
		if s.Samples()[0].Code[0] != 1 {
			t.Errorf("%s: keeps the caller's slice", name)
		}
		for _, c := range []struct {
			code  []byte
			score float64
			want  string
		}{
			{[]byte{1, 0, 0, 1}, 1, "told before"},
			{[]byte{1, 0, 0}, 1, "3 entries, want 4"},
			{[]byte{1, 0, 0, 2}, 1, "code[3] is 2"},
			{[]byte{1, 0, 1, 0}, math.NaN(), "not finite"},
			{[]byte{1, 0, 1, 0}, math.Inf(1), "not finite"},
		} {
			if err := s.Tell(c.code, c.score); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: Tell(%v, %v): error %v, want one with %q", name, c.code, c.score, err, c.want)
			}
		}
		if err := s.Replay([]Sample{{[]byte{0, 1, 0, 1}, 2}, {[]byte{0, 1, 0, 1}, 2}}); err == nil || !strings.HasPrefix(err.Error(), "sample 1:") {
			t.Errorf("%s: Replay of a repeated sample: error %v", name, err)
		}
		if b, _ := s.Best(); len(s.Samples()) != 2 || b.Score != 2 {
			t.Errorf("%s: %d samples, best %v", name, len(s.Samples()), b.Score)
		}
	}
}

func TestBestIsTheEarliestAmongEquals(t *testing.T) {
	s, err := NewRandom(choices{2, 2}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Best(); ok {
		t.Error("a best sample before the first")
	}
	codes := choices{2, 2}.all()
	for i, v := range []float64{-3, -1, -1, -2} {
		if err := s.Tell(codes[i], v); err != nil {
			t.Fatal(err)
		}
	}
	if b, _ := s.Best(); !bytes.Equal(b.Code, codes[1]) {
		t.Errorf("best is %v, want the second", b)
	}
}

func TestConfigCheckNamesTheSetting(t *testing.T) {
	if err := Default().Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"init":            func(c *Config) { c.Init = 0 },
		"height":          func(c *Config) { c.Height = 17 },
		"budget":          func(c *Config) { c.Budget = -1 },
		"exploit":         func(c *Config) { c.Exploit = math.NaN() },
		"explore_from":    func(c *Config) { c.ExploreFrom = 1.5 },
		"explore_until":   func(c *Config) { c.ExploreUntil = math.NaN() },
		"explore_share":   func(c *Config) { c.ExploreShare = 2 },
		"explore_cp":      func(c *Config) { c.ExploreCp = -1 },
		"cp":              func(c *Config) { c.Cp = math.NaN() },
		"select_per_tree": func(c *Config) { c.SelectPerTree = 0 },
		"ridge":           func(c *Config) { c.Ridge = -1 },
		"min_split":       func(c *Config) { c.MinSplit = 1 },
		"reject_tries":    func(c *Config) { c.RejectTries = -1 },
		"mutate_tries":    func(c *Config) { c.MutateTries = -1 },
	} {
		c := Default()
		change(&c)
		if _, err := New(choices{2, 2}, c); err == nil || !strings.Contains(err.Error(), "lanas: "+want+" is") {
			t.Errorf("error %v, want one about %s", err, want)
		}
	}
	if _, err := New(choices{}, Default()); err == nil {
		t.Error("an empty space is accepted")
	}
	if _, err := NewEvolution(choices{2, 2}, 1, 0, 1); err == nil {
		t.Error("an empty population is accepted")
	}
}

// TestEvolutionBreedsFromTheLatest: children are neighbours of the latest
// Population samples, however good the earlier ones were.
func TestEvolutionBreedsFromTheLatest(t *testing.T) {
	sp := choices{60, 4} // wide: a child that was scored before is next to never bred
	s, err := NewEvolution(sp, 1, 5, 5)
	if err != nil {
		t.Fatal(err)
	}
	best := 0
	for n := range 60 {
		code, err := s.Ask()
		if err != nil {
			t.Fatal(err)
		}
		if n >= 5 {
			parents := s.Samples()[n-5:]
			k := slices.IndexFunc(parents, func(p Sample) bool {
				differ := 0
				for i := range code {
					if code[i] != p.Code[i] {
						differ++
					}
				}
				return differ == 2
			})
			if k < 0 {
				t.Fatalf("child %d is no neighbour of the latest 5", n)
			}
			if k == 0 {
				best++
			}
		}
		if err := s.Tell(code, float64(-n)); err != nil { // the oldest is the best
			t.Fatal(err)
		}
	}
	// Of 5 draws from 5, the oldest is among them with probability 0.67.
	if best < 25 {
		t.Errorf("the best of the population bred %d of 55 children", best)
	}
}

// TestAllStartFromTheSame: whatever the algorithm, its first Init architectures
// are those of random search, and the next one is its own.
func TestAllStartFromTheSame(t *testing.T) {
	sp := choices{12, 4}
	const init = 40 // more than evolution's population
	score := additive(1, sp.Dim())
	random, err := NewRandom(sp, 8)
	if err != nil {
		t.Fatal(err)
	}
	run(t, random, init+3, score)
	for _, name := range Algorithms() {
		s, err := NewSearch(name, sp, Options{Seed: 8, Init: init, Budget: 100})
		if err != nil {
			t.Fatal(err)
		}
		run(t, s, init+3, score)
		same := 0
		for i, x := range s.Samples() {
			if bytes.Equal(x.Code, random.Samples()[i].Code) {
				same++
			}
		}
		if want := init; same != want && name != "random" {
			t.Errorf("%s: %d of the first architectures are random search's, want %d", name, same, want)
		}
	}
}
