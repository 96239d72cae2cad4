package space

import "fmt"

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
