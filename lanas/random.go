package lanas

// Random draws uniformly without replacement: the least that a search has to
// beat.
type Random struct{ history }

var _ Search = (*Random)(nil)

// NewRandom returns a random search of s.
func NewRandom(s Space, seed uint64) (*Random, error) {
	h, err := newHistory(s, seed)
	if err != nil {
		return nil, err
	}
	return &Random{h}, nil
}

// Ask proposes an architecture; see Search.
func (s *Random) Ask() ([]byte, error) {
	code, err := s.uniform(s.stream())
	if err != nil {
		return nil, err
	}
	return s.await(code), nil
}
