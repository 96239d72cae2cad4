package nb201

import (
	"fmt"
	"math/rand/v2"

	"oneshot/supernet/space"
)

// Dim implements space.Space: an entry for each operation of each edge.
func (Space) Dim() int { return len(edges) * nOps }

// Encode implements space.Space: of each edge's entries that of its operation is 1. It is nil
// for a network of nothing.
func (s Space) Encode(a space.Arch) []byte {
	c := s.Canonical(a)
	if index(c) == 0 {
		return nil
	}
	return code(c)
}

func code(a space.Arch) []byte {
	c := make([]byte, len(edges)*nOps)
	for i, op := range a {
		c[i*nOps+op] = 1
	}
	return c
}

// Decode implements space.Space. The code may be of any architecture, canonical or not.
func (s Space) Decode(code []byte) (space.Arch, error) {
	if len(code) != s.Dim() {
		return nil, &space.FieldError{Field: "mask", Msg: fmt.Sprintf("has %d entries, want %d", len(code), s.Dim())}
	}
	a := make(space.Arch, len(edges))
	for i := range a {
		on := 0
		for op, v := range code[i*nOps:][:nOps] {
			switch v {
			case 0:
			case 1:
				a[i] = op
				on++
			default:
				return nil, &space.FieldError{Field: fmt.Sprintf("mask[%d]", i*nOps+op), Msg: fmt.Sprintf("%d, want 0 or 1", v)}
			}
		}
		if on != 1 {
			return nil, &space.FieldError{Field: field(i), Msg: fmt.Sprintf("mask[%d:%d] activates %d operations, want 1", i*nOps, (i+1)*nOps, on)}
		}
	}
	return a, nil
}

// Feature implements space.Space, in words such as "edge 0 to 1: nor_conv_3x3"; node 0 is the
// input of a cell, node 3 its output.
func (s Space) Feature(i int) string {
	if i < 0 || i >= s.Dim() {
		return ""
	}
	e := edges[i/nOps]
	return fmt.Sprintf("edge %d to %d: %s", e.from, e.to, opNames[i%nOps])
}

// MutateCode implements space.Space: it changes one edge so that another function comes out,
// each change with the same probability. It panics when code is not of the space.
func (s Space) MutateCode(c []byte, r *rand.Rand) []byte {
	a, err := s.Decode(c)
	if err != nil {
		panic(err)
	}
	t := classes()
	var others []int
	self, place := index(a), total
	for _, now := range a {
		place /= nOps
		for op := range nOps {
			first := int(t.of[self+(op-now)*place])
			if first != 0 && first != int(t.of[self]) {
				others = append(others, first)
			}
		}
	}
	return code(arch(others[r.IntN(len(others))]))
}
