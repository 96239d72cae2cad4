package cell

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"oneshot/supernet/space"
)

// Dim implements space.Space: 160 for 5 nodes of 4 operations.
func (s Space) Dim() int {
	n := 0
	for i := range s.Nodes {
		n += s.pairs(i)
	}
	return 2 * n
}

// Encode writes the 0/1 mask of the LaNAS release: for the normal, then the
// reduction cell, for each node, for each edge, one entry for each operation;
// an entry is 1 when its pair is active. a must be in the space. A mask says neither
// outputs nor that two pairs are equal: of such an architecture it is nil.
func (s Space) Encode(a space.Arch) []byte {
	if len(a) > 4*s.Nodes {
		return nil
	}
	m := make([]byte, s.Dim())
	at := 0
	for c := range cellNames {
		for i := range s.Nodes {
			k := s.at(c, i)
			m[at+a[k]], m[at+a[k+1]] = 1, 1
			at += s.pairs(i)
		}
	}
	return m
}

// Decode reads a mask. Every node must have exactly two entries of 1.
func (s Space) Decode(mask []byte) (space.Arch, error) {
	if len(mask) != s.Dim() {
		return nil, &space.FieldError{Field: "mask", Msg: fmt.Sprintf("has %d entries, want %d", len(mask), s.Dim())}
	}
	a := make(space.Arch, 0, 4*s.Nodes)
	at := 0
	for _, name := range cellNames {
		for i := range s.Nodes {
			on := 0
			for k, v := range mask[at : at+s.pairs(i)] {
				if v > 1 {
					return nil, &space.FieldError{Field: fmt.Sprintf("mask[%d]", at+k), Msg: fmt.Sprintf("%d, want 0 or 1", v)}
				}
				if v == 1 {
					a = append(a, k)
					on++
				}
			}
			if on != 2 {
				return nil, &space.FieldError{Field: fmt.Sprintf("%s.node[%d]", name, i), Msg: fmt.Sprintf("mask[%d:%d] activates %d pairs, want 2", at, at+s.pairs(i), on)}
			}
			at += s.pairs(i)
		}
	}
	return a, nil
}

// Feature implements space.Space, in words such as
// "normal node 2: sep_conv_3x3 of input 0": inputs 0 and 1 are the cell before
// last and the last one, and nodes count from 0.
func (s Space) Feature(i int) string {
	if i < 0 || i >= s.Dim() {
		return ""
	}
	cell := cellNames[0]
	if i >= s.Dim()/2 {
		cell, i = cellNames[1], i-s.Dim()/2
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

// MutateCode draws uniformly from the masks of the architectures that differ in
// exactly one pair of one node. It panics when mask is not of the space.
func (s Space) MutateCode(mask []byte, r *rand.Rand) []byte {
	total := 0
	for i := range s.Nodes {
		total += 2 * 2 * (s.pairs(i) - 2)
	}
	k := r.IntN(total)
	out := slices.Clone(mask)
	at := 0
	for range cellNames {
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
	panic("cell: unreachable")
}
