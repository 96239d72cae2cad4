package lanas

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"oneshot/internal/rng"
)

// Space is what a search needs to know about a space of architectures. A code
// has Dim entries of 0 or 1; Mutate returns a neighbour and leaves code alone.
type Space interface {
	Dim() int
	Sample(r *rand.Rand) []byte
	Mutate(code []byte, r *rand.Rand) []byte
}

// Sample is a scored architecture; a higher score is better.
type Sample struct {
	Code  []byte
	Score float64
}

// Search is what LaNAS and its baselines have in common.
type Search interface {
	// Ask proposes an architecture that was neither told nor asked for before,
	// or ErrExhausted. It may be called again before the score is told.
	Ask() ([]byte, error)
	// Tell records the score of an architecture, asked for or not.
	Tell(code []byte, score float64) error
	// Replay tells the samples of an earlier search, in order.
	Replay(samples []Sample) error
	// Samples are all that was told, in order. The caller must not change them.
	Samples() []Sample
	// Best is the sample of the highest score, the earliest among equals; false
	// when there is none.
	Best() (Sample, bool)
}

// ErrExhausted means that no new architecture was found: the space is used up,
// or all but used up.
var ErrExhausted = errors.New("lanas: every architecture of the space has been proposed")

// history is the state that all searches share: what was told and what is
// awaited.
type history struct {
	space   Space
	seed    uint64
	samples []Sample
	seen    map[string]bool // proposed or told; the value says told
	pending [][]byte        // asked for and not told, in order
	best    int
}

func newHistory(s Space, seed uint64) (history, error) {
	if s == nil || s.Dim() < 1 {
		return history{}, errors.New("lanas: the space is empty")
	}
	return history{space: s, seed: seed, seen: map[string]bool{}}, nil
}

// Tell implements Search.
func (h *history) Tell(code []byte, score float64) error {
	if len(code) != h.space.Dim() {
		return fmt.Errorf("lanas: code has %d entries, want %d", len(code), h.space.Dim())
	}
	for i, v := range code {
		if v > 1 {
			return fmt.Errorf("lanas: code[%d] is %d, want 0 or 1", i, v)
		}
	}
	if math.IsNaN(score) || math.IsInf(score, 0) {
		return fmt.Errorf("lanas: score %v is not finite", score)
	}
	if h.seen[string(code)] {
		return errors.New("lanas: architecture was told before")
	}
	h.pending = slices.DeleteFunc(h.pending, func(p []byte) bool { return string(p) == string(code) })
	h.seen[string(code)] = true
	h.samples = append(h.samples, Sample{slices.Clone(code), score})
	if n := len(h.samples) - 1; score > h.samples[h.best].Score {
		h.best = n
	}
	return nil
}

// Replay implements Search. After an error the samples before it are told.
func (h *history) Replay(samples []Sample) error {
	for i, s := range samples {
		if err := h.Tell(s.Code, s.Score); err != nil {
			return fmt.Errorf("sample %d: %w", i, err)
		}
	}
	return nil
}

// Samples implements Search.
func (h *history) Samples() []Sample { return h.samples }

// Best implements Search.
func (h *history) Best() (Sample, bool) {
	if len(h.samples) == 0 {
		return Sample{}, false
	}
	return h.samples[h.best], true
}

// stream is the randomness of the next proposal: that of the seed and of how
// much is told and pending, so that no earlier call matters.
func (h *history) stream() *rand.Rand {
	return rng.New(h.seed, "search", uint64(len(h.samples)), uint64(len(h.pending)))
}

// asked counts the proposals and what was told without being asked for.
func (h *history) asked() int { return len(h.samples) + len(h.pending) }

// isNew says whether a code was neither told nor proposed.
func (h *history) isNew(code []byte) bool {
	_, seen := h.seen[string(code)]
	return !seen
}

// uniform draws until a code is new. If all but one of M codes are seen, the
// bound misses the last with probability (1-1/M)^(20M), about 2e-9.
func (h *history) uniform(r *rand.Rand) ([]byte, error) {
	for range 1000 + 20*len(h.seen) {
		if code := h.space.Sample(r); h.isNew(code) {
			return code, nil
		}
	}
	return nil, ErrExhausted
}

// await records a proposal as pending and returns the caller's copy.
func (h *history) await(code []byte) []byte {
	h.seen[string(code)] = false
	h.pending = append(h.pending, code)
	return slices.Clone(code)
}
