package lanas

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"oneshot/internal/rng"
)

// Limit is a ceiling on a cost of an architecture, such as its parameters.
type Limit struct {
	Name string                    // for messages
	Max  float64                   // the largest cost allowed, above 0
	Cost func(code []byte) float64 // pure; of any code of the space
}

// LimitError means that no architecture within the limits was found.
type LimitError struct {
	// Limit is the one that is exceeded the most by the best code found, and
	// Least the lowest cost seen of it.
	Limit Limit
	Least float64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("lanas: no architecture within the limits was found: %s at most %g, the smallest seen %g", e.Limit.Name, e.Limit.Max, e.Least)
}

// Bounds of the walks in a limited space.
const (
	limitDraws  = 16  // uniform draws before a walk
	limitRepair = 400 // steps of a walk towards the limits
	limitMix    = 32  // steps of a walk within the limits
	limitStarts = 64  // walks that look for a first code
	limitNear   = 64  // neighbours tried before Mutate gives up
)

// limited shows the part of a space that meets limits.
type limited struct {
	Space
	limits []Limit
	home   []byte // a code within the limits
}

// WithLimits is the part of s within all limits: Sample and Mutate of the
// result return no other code, so that no search has to reject any.
//
// Sample is uniform where one of a few uniform draws is within the limits.
// Elsewhere it walks from the last draw, by mutations that bring it no farther
// from the limits, and when that fails it walks inside them from the first
// architecture found. Mutate returns its argument where no neighbour within the
// limits is found. A *LimitError means that none of some thousands of steps
// downhill ended within the limits.
func WithLimits(s Space, limits ...Limit) (Space, error) {
	if len(limits) == 0 {
		return s, nil
	}
	var names []string
	for _, l := range limits {
		if !(l.Max > 0) {
			return nil, fmt.Errorf("lanas: limit %s is %g, want above 0", l.Name, l.Max)
		}
		names = append(names, l.Name)
	}
	w := &limited{Space: s, limits: limits}
	r := rng.New(0, "limits "+strings.Join(names, ","))
	least := make([]float64, len(limits))
	var nearest []byte
	for range limitStarts {
		code := w.repair(s.Sample(r), r)
		for i, l := range limits {
			if c := l.Cost(code); nearest == nil || c < least[i] {
				least[i] = c
			}
		}
		if nearest == nil || w.excess(code) < w.excess(nearest) {
			nearest = code
		}
		if w.excess(code) == 0 {
			w.home = code
			return w, nil
		}
	}
	worst := 0
	for i, l := range limits {
		if over(l, nearest) > over(limits[worst], nearest) {
			worst = i
		}
	}
	return nil, &LimitError{limits[worst], least[worst]}
}

// over is how far a code exceeds a limit, in units of it; 0 within it.
func over(l Limit, code []byte) float64 { return max(0, l.Cost(code)/l.Max-1) }

// excess is 0 within all limits.
func (w *limited) excess(code []byte) (sum float64) {
	for _, l := range w.limits {
		sum += over(l, code)
	}
	return sum
}

// repair walks from a code until it is within the limits or the walk is over.
func (w *limited) repair(code []byte, r *rand.Rand) []byte {
	e := w.excess(code)
	for n := 0; n < limitRepair && e > 0; n++ {
		next := w.Space.Mutate(code, r)
		if f := w.excess(next); f <= e {
			code, e = next, f
		}
	}
	return code
}

// Sample implements Space.
func (w *limited) Sample(r *rand.Rand) []byte {
	var code []byte
	for range limitDraws {
		if code = w.Space.Sample(r); w.excess(code) == 0 {
			return code
		}
	}
	if code = w.repair(code, r); w.excess(code) == 0 {
		return code
	}
	code = w.home
	for range limitMix {
		code = w.Mutate(code, r)
	}
	return code
}

// Mutate implements Space. A code beyond the limits, which only a caller can
// bring, may come back as it is.
func (w *limited) Mutate(code []byte, r *rand.Rand) []byte {
	for range limitNear {
		if next := w.Space.Mutate(code, r); w.excess(next) == 0 {
			return next
		}
	}
	return append([]byte(nil), code...)
}
