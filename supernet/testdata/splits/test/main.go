// Program test scores subnetworks on the test split. TestSearchCannotSeeTest
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
	if _, err := supernet.NewScorer(nil, d.Train, d.Test, supernet.DefaultScore()); err != nil {
		panic(err)
	}
}
