package lanas_test

import (
	"fmt"
	"math/rand/v2"

	"oneshot/lanas"
)

// bits is the space of all codes of 12 bits.
type bits struct{}

func (bits) Dim() int { return 12 }

func (bits) Sample(r *rand.Rand) []byte {
	code := make([]byte, 12)
	for i := range code {
		code[i] = byte(r.IntN(2))
	}
	return code
}

func (bits) Mutate(code []byte, r *rand.Rand) []byte {
	code = append([]byte(nil), code...)
	code[r.IntN(len(code))] ^= 1
	return code
}

func Example() {
	score := func(code []byte) (v float64) { // how many bits are set
		for _, b := range code {
			v += float64(b) / 12
		}
		return v
	}
	s, err := lanas.New(bits{}, lanas.Default())
	if err != nil {
		panic(err)
	}
	for range 150 {
		code, err := s.Ask()
		if err != nil {
			panic(err)
		}
		if err := s.Tell(code, score(code)); err != nil {
			panic(err)
		}
	}
	best, _ := s.Best()
	fmt.Println(best.Code, best.Score)
	// Output: [1 1 1 1 1 1 1 1 1 1 1 1] 1
}
