package lanas

import "fmt"

// Evolution is regularized evolution (Real et al., arXiv 1802.01548, algorithm
// 1): the population is the latest Population samples, whatever their scores;
// of Tournament random ones the best is mutated.
type Evolution struct {
	history
	population, tournament int
	init                   int // random samples first
}

var _ Search = (*Evolution)(nil)

// NewEvolution returns an evolution of s. The baseline has a population of 30
// and a tournament of 20 (DefaultPopulation and DefaultTournament), the best of
// ten pairs from (20, 5) to (100, 25) on the generated landscapes at a budget
// of 300, in samples to the top and in the best of 100; see the tuning log in
// bench/search.md.
// The paper's 100 and 25 are for tens of thousands of samples.
func NewEvolution(s Space, seed uint64, population, tournament int) (*Evolution, error) {
	if population < 1 || tournament < 1 {
		return nil, fmt.Errorf("lanas: population %d and tournament %d, want 1 or more", population, tournament)
	}
	h, err := newHistory(s, seed)
	if err != nil {
		return nil, err
	}
	return &Evolution{h, population, tournament, population}, nil
}

// The baseline's settings.
const (
	DefaultPopulation = 30
	DefaultTournament = 20
)

// mutateTries bounds the search for a child that is new. Only a population
// whose neighbours are all scored comes near it.
const mutateTries = 1000

// Ask proposes an architecture; see Search. Unlike the paper's, a child that
// was proposed before is mutated again, so that no score is bought twice.
func (s *Evolution) Ask() ([]byte, error) {
	r := s.stream()
	if len(s.samples) > 0 && s.asked() >= s.init {
		alive := s.samples[max(0, len(s.samples)-s.population):]
		parent := alive[r.IntN(len(alive))]
		for range s.tournament - 1 { // with replacement, as in the paper
			if rival := alive[r.IntN(len(alive))]; rival.Score > parent.Score {
				parent = rival
			}
		}
		code := parent.Code
		for range mutateTries {
			if code = s.space.Mutate(code, r); s.isNew(code) {
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
