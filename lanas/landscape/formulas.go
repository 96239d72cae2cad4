package landscape

import (
	"math"
	"math/rand/v2"
)

// additive: raw = sum over blocks b of w_b e(b, a_b), e standard normal and w the
// powers 0.7^0, 0.7^1, ... in a random order of the blocks. The best candidate
// of a block is the same whatever the others are.
func additive(r *rand.Rand, sizes []int) func([]int) float64 {
	effect := make([][]float64, len(sizes))
	for rank, b := range r.Perm(len(sizes)) {
		for range sizes[b] {
			effect[b] = append(effect[b], math.Pow(0.7, float64(rank))*r.NormFloat64())
		}
	}
	return func(arch []int) (raw float64) {
		for b, j := range arch {
			raw += effect[b][j]
		}
		return raw
	}
}

// nk: raw = sum over blocks b of u(b; a_b, a_p, a_q), u uniform in 0..1 for each
// combination and p, q two other blocks drawn for b. It is Kauffman's NK model
// ("The Origins of Order", 1993, chapter 2) with K = 2 and more than two alleles:
// effects of single blocks say something, pairs and triples the rest.
func nk(r *rand.Rand, sizes []int) func([]int) float64 {
	const k = 2
	others := make([][k]int, len(sizes))
	u := make([][]float64, len(sizes))
	for b := range sizes {
		n, found := sizes[b], 0
		for _, p := range r.Perm(len(sizes)) {
			if p != b && found < k {
				others[b][found] = p
				n *= sizes[p]
				found++
			}
		}
		for range n {
			u[b] = append(u[b], r.Float64())
		}
	}
	return func(arch []int) (raw float64) {
		for b, j := range arch {
			at := j
			for _, p := range others[b] {
				at = at*sizes[p] + arch[p]
			}
			raw += u[b][at]
		}
		return raw
	}
}

// deceptive: the blocks form pairs (0,1), (2,3), ... and every block has a secret
// order of its candidates, 0 being the right one. With d the sum of a pair's two
// places in that order and D its largest, a pair adds 1 when d = 0 and 0.9 d/D
// otherwise: unless both blocks are right, worse is better (a trap function,
// Deb and Goldberg 1993). To the three pairs is added 0.02 e(b, a_b) for every
// block, e standard normal, which breaks ties.
func deceptive(r *rand.Rand, sizes []int) func([]int) float64 {
	order, effect := make([][]int, len(sizes)), make([][]float64, len(sizes))
	for b, k := range sizes {
		order[b] = r.Perm(k)
		for range k {
			effect[b] = append(effect[b], 0.02*r.NormFloat64())
		}
	}
	return func(arch []int) (raw float64) {
		for b := 0; b < len(arch); b += 2 {
			pair := arch[b:min(b+2, len(arch))]
			d, most := 0, 0
			for i, j := range pair {
				d += order[b+i][j]
				most += sizes[b+i] - 1
				raw += effect[b+i][j]
			}
			if d == 0 {
				raw++
			} else {
				raw += 0.9 * float64(d) / float64(most)
			}
		}
		return raw
	}
}

// macroLike: a chain of layers, each of which may be skipped (candidate 0) or add
// capacity. With t = sum over layers b of w_b s(a_b), s(0) = 0 and otherwise
// 0.7..1.3 growing with the candidate, w uniform in 0.5..1.5 and scaled to sum to
// the number of layers, the score is
//
//	94 - 45 exp(-0.75 t) - 0.06 max(0, t-6)^2 + sum over b of i(b; a_b, a_b+1)
//
// in percent, i normal with standard deviation 0.25 for neighbouring layers:
// heavy lower tail, a plateau of nearly equal networks, and a best one that
// single effects do not give away.
func macroLike(r *rand.Rand, sizes []int) func([]int) float64 {
	n := len(sizes)
	weight := make([]float64, n)
	for b := range weight {
		weight[b] = 0.5 + r.Float64()
	}
	norm := mean(weight)
	gain, inter := make([][]float64, n), make([][]float64, n)
	for b, k := range sizes {
		s := 0.7 * weight[b] / norm
		for j := range k {
			gain[b] = append(gain[b], 0)
			if j > 0 {
				gain[b][j] = s
				s += 0.6 * r.Float64() * weight[b] / norm
			}
		}
		if b+1 < n {
			for range k * sizes[b+1] {
				inter[b] = append(inter[b], 0.25*r.NormFloat64())
			}
		}
	}
	return func(arch []int) float64 {
		var t, pairs float64
		for b, j := range arch {
			t += gain[b][j]
			if b+1 < n {
				pairs += inter[b][j*sizes[b+1]+arch[b+1]]
			}
		}
		over := max(0, t-6)
		return 94 - float64(45*math.Exp(-0.75*t)) - float64(0.06*float64(over*over)) + pairs
	}
}
