package landscape_test

import (
	"context"
	"fmt"

	"oneshot/lanas"
	"oneshot/lanas/landscape"
)

// A search of 200 samples on a generated table.
func Example() {
	t, err := landscape.Generate("additive", 1)
	if err != nil {
		panic(err)
	}
	s, err := lanas.NewSearch("evolution", t.Space(), lanas.Options{Seed: 1})
	if err != nil {
		panic(err)
	}
	trace, err := t.Race(context.Background(), s, landscape.Rules{Budget: 200, Batch: 1}, nil)
	if err != nil {
		panic(err)
	}
	sum, err := t.Summarise([]landscape.Trace{trace}, 200)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d architectures, regret below 2 points: %v\n", t.Len(), sum.Regret[199] < 2)
	// Output: 15625 architectures, regret below 2 points: true
}
