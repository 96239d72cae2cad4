package rundir

import (
	"math"

	"oneshot/internal/rng"
)

// Kendall says how far two measures of the same things agree in their order.
type Kendall struct {
	// Tau is Kendall's tau-b, in which pairs that are equal in one measure count half: 1 is the same order, -1 the
	// reverse. Null where a measure has the same value everywhere.
	Tau *float64 `json:"tau"`
	// P is the share of all orders of one measure whose tau is as far from 0; null as Tau.
	P *float64 `json:"p"`
	// Drawn is how many orders stand for all of them; 0 where each was tried.
	Drawn int `json:"drawn_orders,omitempty"`
}

const (
	allOrders   = 8    // so many values have 40,320 orders, which are all tried
	drawnOrders = 9999 // of more values
)

// KendallOf compares x and y, which have the same length. Tau-b is of Kendall, The treatment of ties in ranking
// problems (Biometrika 33, 1945). P is that of a permutation test: of all orders, or of drawn ones, counting the one
// that is there as one of them (Phipson and Smyth 2010, so that it is never 0). Nothing is assumed of how the
// values are distributed, and ties change nothing.
func KendallOf(x, y []float64) Kendall {
	s, ties := concord(x, y), math.Sqrt(float64(untied(x))*float64(untied(y)))
	if ties == 0 {
		return Kendall{}
	}
	tau := float64(s) / ties
	out := Kendall{Tau: &tau}
	order := append([]float64(nil), y...)
	far, tried := 0, 0
	try := func() {
		if tried++; abs(concord(x, order)) >= abs(s) { // ties stay as many: tau is as far as this sum
			far++
		}
	}
	if len(y) <= allOrders {
		eachOrder(order, len(order), try)
	} else {
		try()
		r := rng.New(uint64(len(y)), "kendall")
		for range drawnOrders {
			r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			try()
		}
		out.Drawn = drawnOrders
	}
	p := float64(far) / float64(tried)
	out.P = &p
	return out
}

// concord is the number of pairs that both measures order alike, less those that they order differently.
func concord(x, y []float64) (s int) {
	for i := range x {
		for j := range i {
			s += sign(x[i]-x[j]) * sign(y[i]-y[j])
		}
	}
	return s
}

// untied is the number of pairs with two values.
func untied(x []float64) (n int) {
	for i := range x {
		for j := range i {
			n += abs(sign(x[i] - x[j]))
		}
	}
	return n
}

func sign(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

func abs(n int) int { return max(n, -n) }

// eachOrder calls f with every order of the first n values (Heap 1963).
func eachOrder(v []float64, n int, f func()) {
	if n <= 1 {
		f()
		return
	}
	for i := range n - 1 {
		eachOrder(v, n-1, f)
		k := 0
		if n%2 == 0 {
			k = i
		}
		v[k], v[n-1] = v[n-1], v[k]
	}
	eachOrder(v, n-1, f)
}
