// Program search scores subnetworks on the search split. TestSearchCannotSeeTest
// compiles it: only the search split's program may compile.
package main

import (
	"oneshot/data"
	"oneshot/supernet"
)

func main() {
	d, err := data.Open(data.Config{Name: "shapes10"})
	if err != nil {
		panic(err)
	}
	if _, err := supernet.NewScorer(nil, d.Train, d.Search, supernet.DefaultScore()); err != nil {
		panic(err)
	}
}
