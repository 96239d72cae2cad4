package lanas

import (
	"math/rand/v2"
	"slices"
	"testing"

	"oneshot/supernet/space"
	_ "oneshot/supernet/space/cell"
)

// choices is a space of n positions with k alternatives each, one-hot.
type choices struct{ n, k int }

func (c choices) Dim() int { return c.n * c.k }

func (c choices) Sample(r *rand.Rand) []byte {
	code := make([]byte, c.Dim())
	for i := range c.n {
		code[i*c.k+r.IntN(c.k)] = 1
	}
	return code
}

func (c choices) Mutate(code []byte, r *rand.Rand) []byte {
	code = slices.Clone(code)
	block := code[r.IntN(c.n)*c.k:][:c.k]
	old := slices.Index(block, 1)
	block[old] = 0
	block[(old+1+r.IntN(c.k-1))%c.k] = 1
	return code
}

// all lists the space.
func (c choices) all() [][]byte {
	codes := [][]byte{nil}
	for range c.n {
		var next [][]byte
		for _, code := range codes {
			for j := range c.k {
				block := make([]byte, c.k)
				block[j] = 1
				next = append(next, append(slices.Clone(code), block...))
			}
		}
		codes = next
	}
	return codes
}

// cells is the product's space as the command line shows it to a search.
type cells struct{ space.Space }

func (c cells) Sample(r *rand.Rand) []byte { return c.Encode(c.Space.Sample(r)) }

func (c cells) Mutate(code []byte, r *rand.Rand) []byte { return c.MutateCode(code, r) }

func newCells(t testing.TB, nodes int) cells {
	t.Helper()
	s, err := space.New("lanas", nodes)
	if err != nil {
		t.Fatal(err)
	}
	return cells{s}
}

// run scores budget proposals of a search and returns the scores in order.
func run(t testing.TB, s Search, budget int, score func(code []byte) float64) []float64 {
	t.Helper()
	var scores []float64
	for range budget {
		code, err := s.Ask()
		if err != nil {
			t.Fatal(err)
		}
		v := score(code)
		if err := s.Tell(code, v); err != nil {
			t.Fatal(err)
		}
		scores = append(scores, v)
	}
	return scores
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// additive is a landscape in which every entry adds its own normal effect.
func additive(seed uint64, dim int) func(code []byte) float64 {
	r := rand.New(rand.NewPCG(seed, 77))
	effect := make([]float64, dim)
	for i := range effect {
		effect[i] = r.NormFloat64() * 0.02
	}
	return func(code []byte) float64 {
		v := 0.5
		for i, b := range code {
			if b == 1 {
				v += effect[i]
			}
		}
		return v
	}
}
