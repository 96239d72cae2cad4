package lanas

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// TestBeatsBaselinesOnAdditiveLandscapes on the release's space of 160 entries,
// far larger than any table: 10^15 architectures.
func TestBeatsBaselinesOnAdditiveLandscapes(t *testing.T) {
	sp, seeds := newCells(t, 5), uint64(3)
	if testing.Short() {
		seeds = 1
	}
	for seed := range seeds {
		score := additive(seed, sp.Dim())
		found := map[string][]float64{}
		for _, name := range []string{"lanas", "lanas-paper", "evolution", "random"} {
			s, err := NewSearch(name, sp, Options{Seed: seed, Budget: 200})
			if err != nil {
				t.Fatal(err)
			}
			found[name] = run(t, s, 200, score)
			t.Logf("seed %d: %-11s best %.3f, mean of the last 67 %.3f", seed, name, slices.Max(found[name]), mean(found[name][133:]))
		}
		if l, e := slices.Max(found["lanas"]), slices.Max(found["evolution"]); !(l > e) {
			t.Errorf("seed %d: LaNAS's best %.3f is not above evolution's %.3f", seed, l, e)
		}
		if p, r := mean(found["lanas-paper"][133:]), mean(found["random"][133:]); !(p > r+0.1) {
			t.Errorf("seed %d: the last third of the paper's LaNAS has mean %.3f, random search's %.3f", seed, p, r)
		}
	}
}

// BenchmarkAskTell is the time of a whole search per sample, on the 160 entries
// of the lanas5 space.
func BenchmarkAskTell(b *testing.B) {
	sp := newCells(b, 5)
	score := additive(1, sp.Dim())
	for _, name := range []string{"lanas", "lanas-paper", "evolution"} {
		for _, n := range []int{300, 4000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					s, err := NewSearch(name, sp, Options{Budget: n})
					if err != nil {
						b.Fatal(err)
					}
					run(b, s, n, score)
				}
				b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N*n), "ms/sample")
			})
		}
	}
}

// BenchmarkAskTellLate is the time of a sample after 100,000 others, over two
// whole epochs, so that learning the tree is in it.
func BenchmarkAskTellLate(b *testing.B) {
	sp := newCells(b, 5)
	score := additive(1, sp.Dim())
	r := rand.New(rand.NewPCG(1, 1))
	samples := make([]Sample, 100000)
	for i := range samples {
		code := sp.Sample(r)
		samples[i] = Sample{code, score(code)}
	}
	for _, name := range []string{"lanas", "lanas-paper"} {
		b.Run(name, func(b *testing.B) {
			n := 0
			for b.Loop() {
				b.StopTimer()
				s, err := NewSearch(name, sp, Options{Budget: 200000})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Replay(samples); err != nil {
					b.Fatal(err)
				}
				var before runtime.MemStats
				runtime.ReadMemStats(&before)
				b.StartTimer()
				n += len(run(b, s, 800, score))
				b.StopTimer()
				var after runtime.MemStats
				runtime.ReadMemStats(&after)
				b.ReportMetric(float64(after.HeapAlloc)/1e6, "MB")
				b.StartTimer()
			}
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(n), "ms/sample")
		})
	}
}
