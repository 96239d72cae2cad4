package rundir

import (
	"math"
	"testing"
)

// The deviation is the unbiased one, as statistics.stdev of Python has it: 0.01 of
// 0.90, 0.91, 0.92.
func TestSpread(t *testing.T) {
	s := SpreadOf([]float64{0.90, 0.91, 0.92})
	if !(math.Abs(s.Mean-0.91) <= 1e-12) || s.Deviation == nil || !(math.Abs(*s.Deviation-0.01) <= 1e-12) {
		t.Errorf("%+v", s)
	}
	if s := SpreadOf([]float64{0.5}); s.Mean != 0.5 || s.Deviation != nil {
		t.Errorf("of one value %+v", s)
	}
}

// Runs without an accuracy on the search images have no mean of it.
func TestSeedsAdd(t *testing.T) {
	a, b := 0.4, 0.6
	var s Seeds
	s.Add(SeedRun{Seed: 1, Tested: Tested{SearchTop1: &a, TestTop1: 0.2}})
	s.Add(SeedRun{Seed: 2, Tested: Tested{SearchTop1: &b, TestTop1: 0.4}})
	if s.Search == nil || s.Search.Mean != 0.5 || !(math.Abs(s.Test.Mean-0.3) <= 1e-12) || len(s.Runs) != 2 {
		t.Errorf("%+v", s)
	}
	s.Add(SeedRun{Seed: 3})
	if s.Search != nil {
		t.Error("a mean of runs of which one has no accuracy")
	}
}
