package search

import (
	"strings"
	"testing"

	"oneshot/internal/rundir"
)

// The best are those that were scored twice, in their order, then the others by score; a network counts once, and
// what has no score not at all.
func TestBest(t *testing.T) {
	line := func(hash string, score, loss float64) rundir.Sample {
		return rundir.Sample{Hash: hash, Score: score, Loss: loss}
	}
	broken := line("broken", 0, rundir.NoLoss)
	broken.Failed = "loss is NaN"
	lines := []rundir.Sample{line("d", 0.5, 2), line("a", 0.9, 1), line("b", 0.8, 1), broken, line("c", 0.5, 1), line("d", 0.5, 2), line("e", 0.4, 1), line("x", 0.85, 1)}
	second := 0.7
	top := []rundir.TopEntry{{Hash: "b", RecheckScore: &second}, {Hash: "a", RecheckScore: &second}, {Hash: "x", Failed: "no number"}}
	for n, want := range map[int]string{1: "b", 2: "b a", 3: "b a c", 4: "b a c d", 9: "b a c d e"} {
		var got []string
		for i, e := range Best(lines, top, n) {
			if e.Rank != i+1 {
				t.Errorf("%s has rank %d", e.Hash, e.Rank)
			}
			got = append(got, e.Hash)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%d: %s, want %s", n, text, want)
		}
	}
}
