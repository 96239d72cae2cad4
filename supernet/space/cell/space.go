package cell

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"

	"oneshot/internal/setting"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Space is the set of architectures of one operation set and node count. Plain and
// Standard are the rules of its networks; those of published networks differ from ours.
type Space struct {
	Set   string   // name of the operation set
	Ops   []string // candidate operations, in encoding order
	Nodes int      // nodes of a cell
	// Plain: pools stand without batch normalisation, as in the retrained networks of
	// DARTS (arXiv 1806.09055) and NASNet (1707.07012). Without it a pooling has one.
	Plain bool
	// Standard: weights of the 1x1 convolutions in separable and dilated ones and in
	// front of a cell are standardised (arXiv 1903.10520), as those of LaNet are. Those of
	// a FactorizedReduce and of the auxiliary head are not.
	Standard bool
}

func init() {
	for _, set := range opSets {
		space.Register(space.Family{Name: set.name, New: func(n space.Named) (space.Space, error) {
			return Space{Set: set.name, Ops: slices.Clone(set.ops), Nodes: n.Nodes, Plain: !n.PoolNorm, Standard: n.WeightStandard}, nil
		}})
	}
}

// Named implements space.Space.
func (s Space) Named() space.Named {
	return space.Named{Space: space.Cell, Ops: s.Set, Nodes: s.Nodes, PoolNorm: !s.Plain, WeightStandard: s.Standard}
}

// Name implements space.Space: lanas5, lanas7-rawpool-ws.
func (s Space) Name() string { return s.Named().Name() }

// Pair is one activated choice of a node.
type Pair struct {
	Edge int // input state: 0 and 1 are the two previous cells, 2+i is node i
	Op   int // index in Space.Ops
}

// Node is the two pairs whose results are added, in ascending order of (edge, operation).
type Node [2]Pair

// Outputs are the nodes that a cell's output concatenates, ascending from 0; nil: all.
type Outputs []int

// cellNames are the kinds of cells in the order of an architecture's choices.
var cellNames = [2]string{"normal", "reduce"}

// Cells are the nodes of the normal and of the reduction cell.
func (s Space) Cells(a space.Arch) (cells [2][]Node) {
	for c := range cells {
		for i := range s.Nodes {
			at := s.at(c, i)
			cells[c] = append(cells[c], Node{s.pair(a[at]), s.pair(a[at+1])})
		}
	}
	return cells
}

// Outputs are those of the normal and of the reduction cell.
func (s Space) Outputs(a space.Arch) (outputs [2]Outputs) {
	for c := range outputs {
		for i := range s.Nodes {
			if a := a[4*s.Nodes:]; len(a) > 0 && a[c]>>i&1 == 1 {
				outputs[c] = append(outputs[c], i)
			}
		}
		if len(outputs[c]) == s.Nodes {
			outputs[c] = nil
		}
	}
	return outputs
}

// Arch is the architecture of two cells of Nodes nodes each; the pairs of a node may
// come in any order. Without outputs all nodes are concatenated.
func (s Space) Arch(normal, reduce []Node, outputs ...Outputs) space.Arch {
	var a space.Arch
	for _, nodes := range [][]Node{normal, reduce} {
		for _, n := range nodes {
			x, y := s.index(n[0]), s.index(n[1])
			a = append(a, min(x, y), max(x, y))
		}
	}
	var masks [2]int
	for c := range masks {
		if masks[c] = s.all(); c < len(outputs) && outputs[c] != nil {
			masks[c] = 0
			for _, i := range outputs[c] {
				masks[c] |= 1 << i
			}
		}
	}
	if masks == [2]int{s.all(), s.all()} && !s.twins(a) {
		return a
	}
	return append(a, masks[:]...)
}

// all is the mask of outputs that are all nodes.
func (s Space) all() int { return 1<<s.Nodes - 1 }

// twins says whether some node adds two results of the same operation on the same input.
func (s Space) twins(a space.Arch) bool {
	for k := 0; k < 4*s.Nodes; k += 2 {
		if a[k] == a[k+1] {
			return true
		}
	}
	return false
}

// at is where the choices of node i of a cell stand in an architecture.
func (s Space) at(cell, i int) int { return 2 * (cell*s.Nodes + i) }

// index numbers the pairs of a node; pair is the inverse.
func (s Space) index(p Pair) int { return p.Edge*len(s.Ops) + p.Op }
func (s Space) pair(i int) Pair  { return Pair{Edge: i / len(s.Ops), Op: i % len(s.Ops)} }

// pairs is the number of pairs that node i chooses from.
func (s Space) pairs(i int) int { return (2 + i) * len(s.Ops) }

// Check implements space.Space.
func (s Space) Check(a space.Arch) error {
	more := len(a) - 4*s.Nodes
	if more != 0 && more != 2 {
		return &space.FieldError{Field: "arch", Msg: fmt.Sprintf("has %d choices, want %d, or two more with its outputs", len(a), 4*s.Nodes)}
	}
	for c, name := range cellNames {
		if more > 0 && (a[4*s.Nodes+c] < 1 || a[4*s.Nodes+c] > s.all()) {
			return &space.FieldError{Field: name + ".output", Msg: "has no node, or one that is not there"}
		}
		for i := range s.Nodes {
			if err := s.checkNode(fmt.Sprintf("%s.node[%d]", name, i), i, a[s.at(c, i):][:2]); err != nil {
				return err
			}
		}
	}
	if plain := !s.twins(a) && (more == 0 || a[4*s.Nodes] == s.all() && a[4*s.Nodes+1] == s.all()); plain != (more == 0) {
		return &space.FieldError{Field: "arch", Msg: "says its outputs if, and only if, they are not all nodes or a node has two equal pairs"}
	}
	return nil
}

func (s Space) checkNode(field string, i int, pairs []int) error {
	for j, p := range pairs {
		if p < 0 || p >= s.pairs(i) {
			return &space.FieldError{Field: fmt.Sprintf("%s.pair[%d]", field, j), Msg: fmt.Sprintf("%d, want 0 to %d", p, s.pairs(i)-1)}
		}
	}
	if pairs[0] > pairs[1] {
		return &space.FieldError{Field: field, Msg: "its two pairs must ascend by edge, then operation"}
	}
	return nil
}

// Canonical implements space.Space. Architectures that are the same function but for the
// order of their nodes stay apart, as in LaNAS.
func (s Space) Canonical(a space.Arch) space.Arch { return a }

// Geometry implements space.Space: the default of a configuration.
func (s Space) Geometry() net.Geometry { return setting.Default[net.Geometry]() }

// Sample implements space.Space.
func (s Space) Sample(r *rand.Rand) space.Arch {
	a := make(space.Arch, 0, 4*s.Nodes)
	for range cellNames {
		for i := range s.Nodes {
			x, y := r.IntN(s.pairs(i)), r.IntN(s.pairs(i)-1)
			if y >= x {
				y++
			}
			a = append(a, min(x, y), max(x, y))
		}
	}
	return a
}

// Size implements space.Space: the product over both cells' nodes of the ways to
// choose two of the node's pairs.
func (s Space) Size() *big.Int {
	n := big.NewInt(1)
	for i := range s.Nodes {
		n.Mul(n, new(big.Int).Binomial(int64(s.pairs(i)), 2))
	}
	return n.Mul(n, n)
}

// Uses implements space.Space: in both cells together, in the order of the operation set.
func (s Space) Uses(a space.Arch) []space.Use {
	uses := make([]space.Use, len(s.Ops))
	for i, op := range s.Ops {
		uses[i].Op = op
	}
	for _, p := range a[:4*s.Nodes] {
		uses[s.pair(p).Op].N++
	}
	return uses
}
