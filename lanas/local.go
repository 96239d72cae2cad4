package lanas

import (
	"fmt"
	"slices"
)

// Local is local search with the first improvement: it mutates the current
// architecture until a mutant is better, moves there, and starts again from a
// random one where no new neighbour is left (White, Nolen and Savani, Exploring
// the Loss Landscape in Neural Architecture Search, arXiv 2005.02960, the
// variant that moves at once).
type Local struct {
	history
	init  int
	path  []packed // of the climb, to where it stands
	score float64  // there
	next  int      // the first sample that was not looked at
}

var _ Search = (*Local)(nil)

// NewLocal returns a local search of s that climbs from the best of the first
// init samples, random ones, and from a random one later; init is 1 or more.
func NewLocal(s Space, seed uint64, init int) (*Local, error) {
	if init < 1 {
		return nil, fmt.Errorf("lanas: init is %d, want 1 or more", init)
	}
	h, err := newHistory(s, seed)
	if err != nil {
		return nil, err
	}
	return &Local{history: h, init: init}, nil
}

// Ask proposes an architecture; see Search.
func (s *Local) Ask() ([]byte, error) {
	s.climb()
	r := s.stream()
	if len(s.samples) > 0 && s.asked() >= s.init {
		at := unpack(s.path[len(s.path)-1], s.space.Dim())
		for range mutateTries {
			if code := s.space.Mutate(at, r); s.isNew(code) {
				return s.await(code), nil
			}
		}
	}
	code, err := s.uniform(r)
	if err != nil {
		return nil, err
	}
	return s.await(code), nil
}

// climb follows the samples: a better neighbour is a move, and what is no
// neighbour is a new start. A mutation changes two entries at most. Neighbours
// of earlier places on the path count: they may have been asked for before the
// climb moved on.
func (s *Local) climb() {
	for ; s.next < len(s.samples); s.next++ {
		x := s.samples[s.next]
		p := pack(x.Code)
		near := slices.ContainsFunc(s.path, func(at packed) bool { return hamming(p, at) <= 2 })
		switch {
		case s.next < s.init && len(s.path) > 0 && x.Score <= s.score: // not the best start
		case !near || s.next < s.init:
			s.path, s.score = []packed{p}, x.Score
		case x.Score > s.score:
			s.path, s.score = append(s.path, p), x.Score
		}
	}
}
