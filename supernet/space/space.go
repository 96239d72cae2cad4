package space

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// Space is the set of architectures of one operation set and node count.
type Space struct {
	Name  string   // operation set and nodes, such as lanas5
	Ops   []string // candidate operations, in encoding order
	Nodes int      // nodes of a cell
}

// opSets in the order of the encoding: lanas is the LaNAS release's, darts
// adds the rest of DARTS's (arXiv 1806.09055, section 3.1.1), full adds DARTS's
// unused sep_conv_7x7 and serves to test every operation.
var opSets = []struct {
	name string
	ops  []string
}{
	{"lanas", []string{"max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"}},
	{"darts", []string{"max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "dil_conv_3x3", "dil_conv_5x5"}},
	{"full", []string{"max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "dil_conv_3x3", "dil_conv_5x5", "sep_conv_7x7"}},
}

// maxNodes bounds the size of a cell.
const maxNodes = 32

// New returns the space of an operation set and a number of nodes, 1 to 32.
func New(opSet string, nodes int) (Space, error) {
	if nodes < 1 || nodes > maxNodes {
		return Space{}, &FieldError{Field: "nodes", Msg: fmt.Sprintf("%d, want 1 to %d", nodes, maxNodes)}
	}
	var names []string
	for _, s := range opSets {
		if s.name == opSet {
			return Space{Name: s.name + strconv.Itoa(nodes), Ops: slices.Clone(s.ops), Nodes: nodes}, nil
		}
		names = append(names, s.name)
	}
	return Space{}, &FieldError{Field: "ops", Msg: fmt.Sprintf("unknown operation set %q, want one of %s", opSet, strings.Join(names, ", "))}
}

// Pair is one activated choice of a node.
type Pair struct {
	Edge int // input state: 0 and 1 are the two previous cells, 2+i is node i
	Op   int // index in Space.Ops
}

// Node is the two distinct pairs whose results are added, in ascending order
// of (edge, operation).
type Node [2]Pair

// Arch is one architecture: the nodes of the normal and of the reduction cell.
type Arch struct{ Normal, Reduce []Node }

// FieldError names the part of an architecture or configuration that is wrong.
type FieldError struct {
	Field string // such as reduce.node[2].pair[1].op
	Msg   string
}

func (e *FieldError) Error() string { return fmt.Sprintf("space: %s: %s", e.Field, e.Msg) }

// cells gives the two cells with their names.
func (a Arch) cells() [2]struct {
	name  string
	nodes []Node
} {
	return [2]struct {
		name  string
		nodes []Node
	}{{"normal", a.Normal}, {"reduce", a.Reduce}}
}

// Check returns a *FieldError for the first field that is not in the space.
func (s Space) Check(a Arch) error {
	for _, c := range a.cells() {
		if len(c.nodes) != s.Nodes {
			return &FieldError{c.name, fmt.Sprintf("has %d nodes, want %d", len(c.nodes), s.Nodes)}
		}
		for i, n := range c.nodes {
			for j, p := range n {
				at := fmt.Sprintf("%s.node[%d].pair[%d]", c.name, i, j)
				if p.Edge < 0 || p.Edge >= 2+i {
					return &FieldError{at + ".edge", fmt.Sprintf("%d, want 0 to %d", p.Edge, 1+i)}
				}
				if p.Op < 0 || p.Op >= len(s.Ops) {
					return &FieldError{at + ".op", fmt.Sprintf("%d, want 0 to %d", p.Op, len(s.Ops)-1)}
				}
			}
			if s.index(n[0]) >= s.index(n[1]) {
				return &FieldError{fmt.Sprintf("%s.node[%d]", c.name, i), "its two pairs must differ and ascend by edge, then operation"}
			}
		}
	}
	return nil
}

// index numbers the pairs of a node; pair is the inverse.
func (s Space) index(p Pair) int { return p.Edge*len(s.Ops) + p.Op }
func (s Space) pair(i int) Pair  { return Pair{Edge: i / len(s.Ops), Op: i % len(s.Ops)} }

// pairs is the number of pairs that node i chooses from.
func (s Space) pairs(i int) int { return (2 + i) * len(s.Ops) }

func (s Space) node(i, j int) Node { return Node{s.pair(min(i, j)), s.pair(max(i, j))} }

// Sample draws an architecture uniformly from the space.
func (s Space) Sample(r *rand.Rand) Arch {
	cell := func() []Node {
		c := make([]Node, s.Nodes)
		for i := range c {
			a, b := r.IntN(s.pairs(i)), r.IntN(s.pairs(i)-1)
			if b >= a {
				b++
			}
			c[i] = s.node(a, b)
		}
		return c
	}
	return Arch{Normal: cell(), Reduce: cell()}
}

// Clone returns a copy that shares nothing with a.
func (a Arch) Clone() Arch {
	return Arch{Normal: slices.Clone(a.Normal), Reduce: slices.Clone(a.Reduce)}
}

// Neighbours are the architectures that differ from a in exactly one pair of
// one node, each once, in a fixed order. a must be in the space.
func (s Space) Neighbours(a Arch) []Arch {
	var out []Arch
	for c := range 2 {
		for i, n := range a.cells()[c].nodes {
			for j := range n {
				kept := s.index(n[1-j])
				for k := range s.pairs(i) {
					if k == kept || k == s.index(n[j]) {
						continue
					}
					b := a.Clone()
					b.cells()[c].nodes[i] = s.node(kept, k)
					out = append(out, b)
				}
			}
		}
	}
	return out
}

// Mutate draws uniformly from Neighbours(a) without listing them. It panics
// when a has no neighbour, which no space of this package allows.
func (s Space) Mutate(a Arch, r *rand.Rand) Arch {
	total := 0
	for i := range s.Nodes {
		total += 2 * 2 * (s.pairs(i) - 2)
	}
	k := r.IntN(total)
	b := a.Clone()
	for c := range 2 {
		for i, n := range b.cells()[c].nodes {
			per := s.pairs(i) - 2
			if k >= 2*per {
				k -= 2 * per
				continue
			}
			x, y := s.index(n[0]), s.index(n[1])
			kept := []int{y, x}[k/per]
			k %= per
			for _, skip := range []int{min(x, y), max(x, y)} {
				if k >= skip {
					k++
				}
			}
			b.cells()[c].nodes[i] = s.node(kept, k)
			return b
		}
	}
	panic("space: unreachable")
}

// Size is the number of architectures: the product over both cells' nodes of
// the ways to choose two of the node's pairs.
func (s Space) Size() *big.Int {
	n := big.NewInt(1)
	for i := range s.Nodes {
		n.Mul(n, new(big.Int).Binomial(int64(s.pairs(i)), 2))
	}
	return n.Mul(n, n)
}
