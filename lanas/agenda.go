package lanas

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// How many candidates a choice is made from.
const (
	incumbents   = 10 // best samples, of the leaf and of all, that are mutated
	mutants      = 24 // of each
	strangers    = 50 // uniform draws
	judged       = 32 // of which the deviation is computed, at most, a round
	refineRounds = 2  // times that the best candidates are mutated
	refineTries  = 16 // mutants of them
)

// candidate is a new code that the model judges.
type candidate struct {
	code   []byte
	packed packed
	region *region // the deepest on the leaf's path that holds it
	mean   float64 // posterior
	bound  float64 // no less than its expected improvement
}

// agenda is one choice among candidates around a leaf.
type agenda struct {
	s      *Searcher
	leaf   *region
	inside bool // candidates must be in the leaf
	x      *expert
	known  int       // samples in x; pending codes follow
	cov    []float64 // (x.len()) scratch
	r      *rand.Rand
	seen   map[string]bool
	list   []candidate
	target float64 // the best expected value of a sample, of the leaf if inside; finite
}

// newAgenda lists candidates: mutations of the best members of the leaf and of
// the expert's samples, and uniform draws. end must be called.
//
// Pending codes count as if they had scored what is expected of them (kriging
// believer; Ginsbourger, Le Riche and Carraro 2010).
func (s *Searcher) newAgenda(e *epoch, leaf *region, inside bool, r *rand.Rand) *agenda {
	x := s.expert(e)
	a := &agenda{s: s, leaf: leaf, inside: inside, x: x, known: len(x.values), r: r,
		seen: map[string]bool{}, target: math.Inf(-1), cov: make([]float64, x.len()+len(s.pending))}
	values := slices.Clone(x.values)
	x.observe(values)
	for _, code := range s.pending {
		p := pack(code)
		mean, _ := x.expect(p, a.cov[:x.len()])
		if x.add(p) {
			values = append(values, mean)
			x.observe(values)
		}
	}
	a.cov = a.cov[:x.len()]
	a.collect()
	return a
}

// end gives the expert back as it was.
func (a *agenda) end() { a.x.truncate(a.known) }

func (a *agenda) collect() {
	// Samples by what is expected of them, which is less noisy than their scores.
	type known struct {
		sample int
		mean   float64
		in     bool
	}
	all := make([]known, a.known)
	for k, i := range a.x.samples {
		all[k] = known{i, a.x.at(k, a.x.values[k]), a.leaf.contains(a.s.ones[i])}
		if all[k].in || !a.inside {
			a.target = max(a.target, all[k].mean)
		}
	}
	if math.IsInf(a.target, -1) { // thin left none of the leaf's samples
		a.target = a.leaf.best
	}
	slices.SortStableFunc(all, func(p, q known) int { return cmp.Compare(q.mean, p.mean) })
	in, any := 0, 0
	for _, k := range all {
		if any >= incumbents && (!k.in || in >= incumbents) {
			continue
		}
		any++
		if k.in {
			in++
		}
		for m := range mutants {
			code := a.s.space.Mutate(a.s.samples[k.sample].Code, a.r)
			for range m % 4 % 3 { // half of them one step away, a quarter each two and three
				code = a.s.space.Mutate(code, a.r)
			}
			a.consider(code)
		}
	}
	for range strangers {
		a.consider(a.s.space.Sample(a.r))
	}
}

// consider lists a code unless it is known or outside.
func (a *agenda) consider(code []byte) {
	if a.seen[string(code)] || !a.s.isNew(code) {
		return
	}
	a.seen[string(code)] = true
	on := ones(code)
	reg := a.leaf
	for !reg.contains(on) {
		if a.inside {
			return
		}
		reg = reg.parent
	}
	c := candidate{code: code, packed: pack(code), region: reg}
	var nearest float64
	c.mean, nearest = a.x.expect(c.packed, a.cov)
	c.bound = improvement(c.mean-a.target, a.x.bound(nearest))
	a.list = append(a.list, c)
}

// judge finds the candidates with the greatest expected improvement and with
// the best expected value, as places in the list; -1 when it is empty. It judges
// by falling bound, then mutations of the best two.
func (a *agenda) judge() (best, highest int, gain float64) {
	best, highest, gain = -1, -1, math.Inf(-1)
	from := 0
	for round := 0; from < len(a.list); round++ {
		fresh := a.list[from:]
		slices.SortStableFunc(fresh, func(p, q candidate) int { return cmp.Compare(q.bound, p.bound) })
		for i, c := range fresh {
			if highest < 0 || c.mean > a.list[highest].mean {
				highest = from + i
			}
			if i < judged && c.bound > gain {
				a.x.expect(c.packed, a.cov)
				if v := improvement(c.mean-a.target, a.x.deviation(a.cov)); v > gain {
					best, gain = from+i, v
				}
			}
		}
		from = len(a.list)
		if round == refineRounds || best < 0 {
			break
		}
		for k := range refineTries {
			at := best
			if k%2 == 1 {
				at = highest
			}
			a.consider(a.s.space.Mutate(a.list[at].code, a.r))
		}
	}
	return best, highest, gain
}

// proposal is the candidate at a place of the list.
func (a *agenda) proposal(at int, source Source) Proposal {
	c := a.list[at]
	return Proposal{Code: c.code, Source: source, Leaf: a.leaf.id, Region: c.region.id, Fallback: a.leaf.depth - c.region.depth}
}

// improvement is the expectation of max(0, z) for a normal z with mean gain and
// deviation sd (Jones, Schonlau and Welch 1998, equation 15).
func improvement(gain, sd float64) float64 {
	z := gain / sd
	return sd * (float64(z*0.5*math.Erfc(-z/math.Sqrt2)) + math.Exp(-z*z/2)/math.Sqrt(2*math.Pi))
}
