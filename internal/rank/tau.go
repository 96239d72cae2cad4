package rank

import (
	"cmp"
	"math"
	"slices"
)

// pair are two measures of the same things, put in order once so that their orders can be compared often, with another
// weight for each thing. A thing of weight w counts as w equal ones.
type pair struct {
	byX  []int // the things, by ascending x
	x, y []int // dense ranks by thing, from 0
	nx   int   // different values
	ny   int

	below []int // a Fenwick tree of the weights at each rank of y
	count []int // of each rank
}

func newPair(x, y []float64) *pair {
	p := &pair{byX: make([]int, len(x))}
	p.x, p.nx = dense(x)
	p.y, p.ny = dense(y)
	for i := range p.byX {
		p.byX[i] = i
	}
	slices.SortStableFunc(p.byX, func(a, b int) int { return cmp.Compare(p.x[a], p.x[b]) })
	p.below = make([]int, p.ny+1)
	p.count = make([]int, max(p.nx, p.ny))
	return p
}

// dense are ranks from 0 without gaps, equal values with one rank, and how many there are.
func dense(v []float64) (ranks []int, n int) {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(v[a], v[b]) })
	ranks = make([]int, len(v))
	for k, i := range order {
		if k > 0 && v[i] != v[order[k-1]] {
			n++
		}
		ranks[i] = n
	}
	return ranks, n + 1
}

// concord counts pairs of things: those that both measures order alike less those that they order differently, and
// those with two values of x, and of y. It goes through the things by x and looks up in a tree how many of those before
// have a smaller y, so that it takes n log n steps (as Knight 1966, JASA 61). w are the weights, nil is 1 for each.
func (p *pair) concord(w []int) (s, untiedX, untiedY int) {
	clear(p.below)
	before := 0
	for from := 0; from < len(p.byX); {
		to, group := from, 0
		for ; to < len(p.byX) && p.x[p.byX[to]] == p.x[p.byX[from]]; to++ {
			i := p.byX[to]
			if n := of(w, i); n > 0 {
				less := p.sum(p.y[i])
				more := before - p.sum(p.y[i]+1)
				s += n * (less - more)
				group += n
			}
		}
		untiedX += group * before
		for _, i := range p.byX[from:to] {
			if n := of(w, i); n > 0 {
				p.add(p.y[i], n)
			}
		}
		before += group
		from = to
	}
	all := 0
	for r := range p.ny {
		n := p.sum(r+1) - all
		untiedY += n * all
		all += n
	}
	return s, untiedX, untiedY
}

// sum is the weight at the ranks of y below r.
func (p *pair) sum(r int) (n int) {
	for ; r > 0; r &= r - 1 {
		n += p.below[r]
	}
	return n
}

func (p *pair) add(r, n int) {
	for r++; r <= p.ny; r += r & -r {
		p.below[r] += n
	}
}

// Concord counts pairs of things that have two measures each: those that both order alike less those that they order
// differently, and those with two values of x, and of y.
func Concord(x, y []float64) (s, untiedX, untiedY int) { return newPair(x, y).concord(nil) }

// Tau is Kendall's tau-b of x and y, which have the same length: the share of pairs ordered alike less that of those
// ordered differently, where pairs that are equal in one measure count half (Kendall, The treatment of ties in ranking
// problems, Biometrika 33, 1945). 1 is the same order, -1 the reverse, and 0 none; nil is that a measure has the same value
// everywhere.
func Tau(x, y []float64) *float64 { return newPair(x, y).tau(nil) }

func (p *pair) tau(w []int) *float64 {
	s, ux, uy := p.concord(w)
	ties := math.Sqrt(float64(ux) * float64(uy))
	if ties == 0 {
		return nil
	}
	tau := float64(s) / ties
	return &tau
}

// Spearman is the correlation of the ranks of x and y, equal values having the mean of theirs; nil as Tau.
func Spearman(x, y []float64) *float64 { return newPair(x, y).spearman(nil) }

func (p *pair) spearman(w []int) *float64 {
	rx, ry := p.middles(p.x, p.nx, w), p.middles(p.y, p.ny, w)
	n := 0
	for i := range p.x {
		n += of(w, i)
	}
	mean := float64(n+1) / 2
	var xx, yy, xy float64
	for i := range p.x {
		k := float64(of(w, i))
		a, b := rx[p.x[i]]-mean, ry[p.y[i]]-mean
		xx += k * a * a
		yy += k * b * b
		xy += k * a * b
	}
	if xx == 0 || yy == 0 {
		return nil
	}
	rho := max(-1, min(1, xy/math.Sqrt(xx*yy)))
	return &rho
}

// middles are the mean ranks, from 1, of the things with each dense rank.
func (p *pair) middles(ranks []int, n int, w []int) []float64 {
	count := p.count[:n]
	clear(count)
	for i, r := range ranks {
		count[r] += of(w, i)
	}
	out := make([]float64, n)
	before := 0
	for r, k := range count {
		out[r] = float64(before) + float64(k+1)/2
		before += k
	}
	return out
}

// of is the weight of a thing.
func of(w []int, i int) int {
	if w == nil {
		return 1
	}
	return w[i]
}

// Partial is what is left of the tau of x and y when a third measure z is held: (xy - xz yz) / sqrt((1 - xz^2) (1 -
// yz^2)), of the three taus (Kendall, Partial rank correlation, Biometrika 32, 1942). nil where one of them is, or where z
// orders as x or y does.
func Partial(xy, xz, yz *float64) *float64 {
	if xy == nil || xz == nil || yz == nil {
		return nil
	}
	rest := math.Sqrt(max(0, (1-*xz**xz)*(1-*yz**yz)))
	if rest == 0 {
		return nil
	}
	v := max(-1, min(1, (*xy-*xz**yz)/rest))
	return &v
}
