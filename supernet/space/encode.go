package space

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Dim is the length of the 0/1 mask: 160 for 5 nodes of 4 operations.
func (s Space) Dim() int {
	n := 0
	for i := range s.Nodes {
		n += s.pairs(i)
	}
	return 2 * n
}

// Encode writes the 0/1 mask of the LaNAS release: for the normal, then the
// reduction cell, for each node, for each edge, one entry for each operation;
// an entry is 1 when its pair is active. a must be in the space.
func (s Space) Encode(a Arch) []byte {
	m := make([]byte, s.Dim())
	at := 0
	for _, c := range a.cells() {
		for i, n := range c.nodes {
			for _, p := range n {
				m[at+s.index(p)] = 1
			}
			at += s.pairs(i)
		}
	}
	return m
}

// Feature says in words what entry i of the mask stands for, such as
// "normal node 2: sep_conv_3x3 of input 0": inputs 0 and 1 are the cell before
// last and the last one, and nodes count from 0. It is "" outside the mask.
func (s Space) Feature(i int) string {
	if i < 0 || i >= s.Dim() {
		return ""
	}
	cell := "normal"
	if i >= s.Dim()/2 {
		cell, i = "reduce", i-s.Dim()/2
	}
	node := 0
	for ; i >= s.pairs(node); node++ {
		i -= s.pairs(node)
	}
	p := s.pair(i)
	if p.Edge < 2 {
		return fmt.Sprintf("%s node %d: %s of input %d", cell, node, s.Ops[p.Op], p.Edge)
	}
	return fmt.Sprintf("%s node %d: %s of node %d", cell, node, s.Ops[p.Op], p.Edge-2)
}

// MutateMask works like Encode(Mutate(Decode(mask), r)) without the detours. It
// panics when mask is not of the space.
func (s Space) MutateMask(mask []byte, r *rand.Rand) []byte {
	total := 0
	for i := range s.Nodes {
		total += 2 * 2 * (s.pairs(i) - 2)
	}
	k := r.IntN(total)
	out := slices.Clone(mask)
	at := 0
	for range 2 {
		for i := range s.Nodes {
			n, per := s.pairs(i), s.pairs(i)-2
			if k >= 2*per {
				k -= 2 * per
				at += n
				continue
			}
			node := out[at : at+n]
			x := slices.Index(node, 1)
			y := x + 1 + slices.Index(node[x+1:], 1)
			gone := []int{x, y}[k/per]
			k %= per
			if k >= x {
				k++
			}
			if k >= y {
				k++
			}
			node[gone], node[k] = 0, 1
			return out
		}
	}
	panic("space: unreachable")
}

// Decode reads a mask. Every node must have exactly two entries of 1.
func (s Space) Decode(mask []byte) (Arch, error) {
	if len(mask) != s.Dim() {
		return Arch{}, &FieldError{"mask", fmt.Sprintf("has %d entries, want %d", len(mask), s.Dim())}
	}
	var a Arch
	at := 0
	for c, to := range []*[]Node{&a.Normal, &a.Reduce} {
		for i := range s.Nodes {
			var on []int
			for k, v := range mask[at : at+s.pairs(i)] {
				if v > 1 {
					return Arch{}, &FieldError{fmt.Sprintf("mask[%d]", at+k), fmt.Sprintf("%d, want 0 or 1", v)}
				}
				if v == 1 {
					on = append(on, k)
				}
			}
			if len(on) != 2 {
				return Arch{}, &FieldError{fmt.Sprintf("%s.node[%d]", a.cells()[c].name, i), fmt.Sprintf("mask[%d:%d] activates %d pairs, want 2", at, at+s.pairs(i), len(on))}
			}
			*to = append(*to, s.node(on[0], on[1]))
			at += s.pairs(i)
		}
	}
	return a, nil
}
