package lanas

// Local is local search with the first improvement: it mutates the current
// architecture until a mutant is better, moves there, and starts again from a
// random one where no new neighbour is left (White, Nolen and Savani, Exploring
// the Loss Landscape in Neural Architecture Search, arXiv 2005.02960, the
// variant that moves at once).
type Local struct {
	history
	current packed // where the climb stands
	score   float64
	next    int // the first sample that was not looked at
}

var _ Search = (*Local)(nil)

// NewLocal returns a local search of s.
func NewLocal(s Space, seed uint64) (*Local, error) {
	h, err := newHistory(s, seed)
	if err != nil {
		return nil, err
	}
	return &Local{history: h}, nil
}

// Ask proposes an architecture; see Search.
func (s *Local) Ask() ([]byte, error) {
	s.climb()
	r := s.stream()
	if s.current != nil {
		at := unpack(s.current, s.space.Dim())
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
// neighbour is a new start. A mutation changes two entries at most.
func (s *Local) climb() {
	for ; s.next < len(s.samples); s.next++ {
		x := s.samples[s.next]
		p := pack(x.Code)
		if s.current == nil || x.Score > s.score || hamming(p, s.current) > 2 {
			s.current, s.score = p, x.Score
		}
	}
}
