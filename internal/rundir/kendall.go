package rundir

import (
	"oneshot/internal/rank"
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

// KendallOf compares x and y, which have the same length. Tau is that of package rank. P is that of a permutation test: of
// all orders, or of drawn ones, counting the one that is there as one of them (Phipson and Smyth 2010, so that it is
// never 0). Nothing is assumed of how the values are distributed, and ties change nothing.
func KendallOf(x, y []float64) Kendall {
	out := Kendall{Tau: rank.Tau(x, y)}
	if out.Tau == nil {
		return out
	}
	s, _, _ := rank.Concord(x, y)
	order := append([]float64(nil), y...)
	far, tried := 0, 0
	try := func() {
		tried++
		if other, _, _ := rank.Concord(x, order); abs(other) >= abs(s) { // ties stay as many: tau is as far as this sum
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
