package lanas

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// weight is a cost: how often the last alternative is chosen, and a little.
func weight(c choices) func([]byte) float64 {
	return func(code []byte) float64 {
		w := 0.5
		for i := range c.n {
			w += float64(code[i*c.k+c.k-1])
		}
		return w
	}
}

// TestLimitsHold: nothing beyond the limits is ever proposed, by any search,
// where one architecture in 10^5 is within them.
func TestLimitsHold(t *testing.T) {
	sp := choices{10, 4}
	first := func(code []byte) float64 { // 10 minus how often the first is chosen
		w := 10.0
		for i := range sp.n {
			w -= float64(code[i*sp.k])
		}
		return w
	}
	within, err := WithLimits(sp, Limit{"last", 2.6, weight(sp)}, Limit{"first", 2, first})
	if err != nil {
		t.Fatal(err)
	}
	score := additive(1, sp.Dim())
	for name, s := range searches(t, within, 7) {
		tight := 0
		for range 120 {
			code, err := s.Ask()
			if errors.Is(err, ErrExhausted) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if weight(sp)(code) > 2.6 || first(code) > 2 {
				t.Fatalf("%s proposes %v, beyond the limits", name, code)
			}
			if first(code) == 2 {
				tight++
			}
			if err := s.Tell(code, score(code)); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.Samples()) < 100 || tight < 20 {
			t.Errorf("%s: %d samples, %d at the limit", name, len(s.Samples()), tight)
		}
	}
}

// TestLimitsOnATinyRest: a space of which one architecture is left gives that
// one, and then is exhausted, in a bounded time.
func TestLimitsOnATinyRest(t *testing.T) {
	sp := choices{6, 3}
	within, err := WithLimits(sp, Limit{"all first", 0.5, func(code []byte) float64 {
		w := 6.1
		for i := range sp.n {
			w -= float64(code[i*sp.k])
		}
		return w
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range searches(t, within, 1) {
		code, err := s.Ask()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := s.Tell(code, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Ask(); !errors.Is(err, ErrExhausted) {
			t.Errorf("%s: error %v, want ErrExhausted", name, err)
		}
	}
}

func TestImpossibleLimitsAreNamed(t *testing.T) {
	sp := choices{6, 3}
	_, err := WithLimits(sp, Limit{"wide", 100, weight(sp)}, Limit{"heavy", 0.4, weight(sp)})
	var e *LimitError
	if !errors.As(err, &e) || e.Limit.Name != "heavy" || e.Least != 0.5 || !strings.Contains(err.Error(), "heavy at most 0.4") {
		t.Errorf("error %v, least %g", err, e.Least)
	}
	if _, err := WithLimits(sp, Limit{"none", 0, weight(sp)}); err == nil || !strings.Contains(err.Error(), "limit none is 0") {
		t.Errorf("error %v", err)
	}
	if s, err := WithLimits(sp); err != nil || s != Space(sp) {
		t.Error("no limits are not the space itself")
	}
}

// TestLimitedSampleIsUniform where a good part of the space is within.
func TestLimitedSampleIsUniform(t *testing.T) {
	sp := choices{3, 3}
	within, err := WithLimits(sp, Limit{"last", 1.5, weight(sp)})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	count := map[string]int{}
	const draws = 20000
	for range draws {
		count[string(within.Sample(r))]++
	}
	if len(count) != 20 { // 8 without the last alternative, 12 with one
		t.Fatalf("%d architectures, want 20", len(count))
	}
	for code, n := range count {
		if n < draws/20*8/10 || n > draws/20*12/10 {
			t.Errorf("%v is drawn %d times of %d", []byte(code), n, draws)
		}
	}
}
