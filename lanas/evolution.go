package lanas

import "fmt"

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

// Evolution is regularized evolution (Real et al., arXiv 1802.01548, algorithm
// 1): the population is the latest Population samples, whatever their scores;
// of Tournament random ones the best is mutated.
type Evolution struct {
	history
	population, tournament int
}

var _ Search = (*Evolution)(nil)

// NewEvolution returns an evolution of s. The report's baseline has a
// population of 50 and a tournament of 10 (DefaultPopulation and
// DefaultTournament), the proportion that suits a budget of a few hundred;
// the paper's 100 and 25 are for tens of thousands.
func NewEvolution(s Space, seed uint64, population, tournament int) (*Evolution, error) {
	if population < 1 || tournament < 1 {
		return nil, fmt.Errorf("lanas: population %d and tournament %d, want 1 or more", population, tournament)
	}
	h, err := newHistory(s, seed)
	if err != nil {
		return nil, err
	}
	return &Evolution{h, population, tournament}, nil
}

// The baseline's settings.
const (
	DefaultPopulation = 50
	DefaultTournament = 10
)

// mutateTries bounds the search for a child that is new. Only a population
// whose neighbours are all scored comes near it.
const mutateTries = 1000

// Ask proposes an architecture; see Search. Unlike the paper's, a child that
// was proposed before is mutated again, so that no score is bought twice.
func (s *Evolution) Ask() ([]byte, error) {
	r := s.stream()
	if len(s.samples) > 0 && len(s.samples)+len(s.pending) >= s.population {
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
