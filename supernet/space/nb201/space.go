package nb201

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"

	"oneshot/internal/setting"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Kind is how configurations and texts name the space.
const Kind = "nasbench-201"

// Space is the set of its architectures. There is one.
type Space struct{}

// Operations in the order of NAS-Bench-201.
const (
	none = iota
	skip
	conv1
	conv3
	pool
)

var opNames = []string{none: "none", skip: "skip_connect", conv1: "nor_conv_1x1", conv3: "nor_conv_3x3", pool: "avg_pool_3x3"}

const (
	nodes = 4 // of a cell, with its input
	nOps  = 5
)

// edge is one of a cell: the node that it reads, and the one that it enters.
type edge struct{ from, to int }

// edges in the order of the choices.
var edges = func() (all []edge) {
	for to := range nodes {
		for from := range to {
			all = append(all, edge{from, to})
		}
	}
	return all
}()

func init() {
	space.RegisterKind(space.Kind{
		Name:  Kind,
		About: "NAS-Bench-201: cells of four nodes with one of five operations on each of their six edges, all cells alike",
		New:   func(space.Named) (space.Space, error) { return Space{}, nil },
	})
	space.RegisterForm(space.Form{Name: "a text of NAS-Bench-201 such as |nor_conv_3x3~0|+|...", Is: isPlain, Parse: parsePlain})
}

// Named implements space.Space.
func (Space) Named() space.Named { return space.OfKind(Kind) }

// Name implements space.Space.
func (Space) Name() string { return Kind }

// Check implements space.Space.
func (Space) Check(a space.Arch) error {
	if len(a) != len(edges) {
		return &space.FieldError{Field: "arch", Msg: fmt.Sprintf("has %d choices, want %d, one for each edge", len(a), len(edges))}
	}
	for i, op := range a {
		if op < 0 || op >= nOps {
			return &space.FieldError{Field: field(i), Msg: fmt.Sprintf("%d, want 0 to %d", op, nOps-1)}
		}
	}
	return nil
}

// field names a choice in messages.
func field(i int) string { return fmt.Sprintf("edges[%d]", i) }

// Size implements space.Space: the classes of twins but for that of nothing.
func (Space) Size() *big.Int { return big.NewInt(int64(len(classes().first))) }

// Canonical implements space.Space: the first of the twins of a, see the package.
func (Space) Canonical(a space.Arch) space.Arch {
	i := index(a)
	c := int(classes().of[i])
	if c == i {
		return a
	}
	return arch(c)
}

// Sample implements space.Space.
func (Space) Sample(r *rand.Rand) space.Arch {
	first := classes().first
	return arch(int(first[r.IntN(len(first))]))
}

// Candidates implements space.Independent.
func (Space) Candidates() []int { return slices.Repeat([]int{nOps}, len(edges)) }

// Geometry implements space.Space: five cells at each of three resolutions.
func (Space) Geometry() net.Geometry {
	g := setting.Default[net.Geometry]()
	g.Layers, g.Channels = 15, 16
	return g
}

// Uses implements space.Space: in one cell, in the order of NAS-Bench-201.
func (Space) Uses(a space.Arch) []space.Use {
	uses := make([]space.Use, nOps)
	for i, name := range opNames {
		uses[i].Op = name
	}
	for _, op := range a {
		uses[op].N++
	}
	return uses
}
