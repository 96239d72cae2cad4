package space

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"oneshot/internal/setting"
)

// Named is how a configuration names a space. The cell spaces are a family and a size
// with rules; other kinds have one space each, but for Blocks, which one defines oneself.
type Named struct {
	Space  string `yaml:"space" json:"space" default:"cell" want:"choice" doc:"kind of space; blocks is one of one's own, which --space FILE fills in"`
	Blocks string `yaml:"blocks" json:"blocks" doc:"what a space of one's own consists of, as YAML; see docs/guide/spaces.md"`

	Ops   string `yaml:"ops" json:"ops" default:"lanas" want:"choice" doc:"candidate operations of cells: lanas has 4, darts 7, full 8, nasnet 9"`
	Nodes int    `yaml:"nodes" json:"nodes" default:"5" want:"1..32" doc:"nodes of a cell, each the sum of two operations"`
	// The published cells have other rules than our default. Rules are part of a
	// space's name, so a network of other rules has another text and hash.
	PoolNorm       bool `yaml:"pool_norm" json:"pool_norm" default:"true" doc:"batch normalisation after every pooling; the published networks have none"`
	WeightStandard bool `yaml:"weight_standard" json:"weight_standard" doc:"weights of 1x1 convolutions are standardised before use, as LaNet's are"`
}

// Cell is the kind of the cell spaces, Own that of a space that one defines oneself.
const (
	Cell = "cell"
	Own  = "blocks"
)

// Choices implements setting.Chooser.
func (Named) Choices(name string) []string {
	if name == "space" {
		return Kinds()
	}
	return Families()
}

// Kind is a way to build networks other than from cells, such as NAS-Bench-Macro's.
// Its texts begin with its name.
type Kind struct {
	Name  string
	About string // what its networks are, in a line
	New   func(n Named) (Space, error)
	// Find is the space that a text begins with, where that is not Name. Only a kind whose
	// spaces one defines oneself (Named.Blocks) has it.
	Find func(head string) (n Named, ok bool)
}

var kinds []Kind

// RegisterKind makes a kind known, as Register does a family of cells.
func RegisterKind(k Kind) {
	if k.Name == Cell || slices.ContainsFunc(kinds, func(o Kind) bool { return o.Name == k.Name }) {
		panic("space: two kinds are called " + k.Name)
	}
	kinds = append(kinds, k)
	slices.SortFunc(kinds, func(a, b Kind) int { return strings.Compare(a.Name, b.Name) })
}

// Kinds are the names of all kinds: cell, then the others by name.
func Kinds() []string {
	names := []string{Cell}
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}

// About is what a kind is, in a line; "" where there is none of that name.
func About(kind string) string {
	if kind == Cell {
		return "cells of nodes that add two operations each, as in NASNet, DARTS and LaNAS"
	}
	for _, k := range kinds {
		if k.Name == kind {
			return k.About
		}
	}
	return ""
}

// OfKind is the only space of a kind.
func OfKind(kind string) Named {
	n := setting.Default[Named]()
	n.Space = kind
	return n
}

// Family is a set of spaces that differ in a size, such as the cell spaces of one
// operation set and a number of nodes. Configurations, messages and the JSON form
// call the two as the cell space does, see Named.
type Family struct {
	Name string // letters only: in a text the size follows it
	New  func(n Named) (Space, error)
}

var families []Family

// Register makes a family known to New and ParseAny. Packages of spaces call it when
// they are imported; a name that is taken is a mistake of the program.
func Register(f Family) {
	for _, g := range families {
		if g.Name == f.Name {
			panic("space: two families are called " + f.Name)
		}
	}
	families = append(families, f)
}

// Families are the names of all families, in the order they were registered.
func Families() []string {
	var names []string
	for _, f := range families {
		names = append(names, f.Name)
	}
	return names
}

// New returns the space of a family and a size, with the default rules.
func New(family string, size int) (Space, error) {
	n := setting.Default[Named]()
	n.Ops, n.Nodes = family, size
	return n.Open()
}

// Open returns the space that is named. Names and sizes out of range are errors.
func (n Named) Open() (Space, error) {
	if n.Space == "" {
		n.Space = Cell
	}
	if n.Space != Cell && slices.Contains(Kinds(), n.Space) {
		return n.ofKind()
	}
	family := n.Ops
	if errs := setting.Check(n); len(errs) > 0 {
		e := errs[0]
		msg := fmt.Sprintf("%v, want %s", e.Value, e.Want)
		if e.Name == "ops" {
			msg = fmt.Sprintf("unknown operation set %q, want %s", family, e.Want)
		}
		if e.Name == "space" {
			msg = fmt.Sprintf("there is no %q, want %s", n.Space, e.Want)
		}
		return nil, &FieldError{Field: e.Name, Msg: msg}
	}
	if n.Blocks != "" {
		return nil, &FieldError{Field: "blocks", Msg: "says what a space of blocks is, and the space is " + Cell}
	}
	i := slices.IndexFunc(families, func(f Family) bool { return f.Name == family })
	return families[i].New(n)
}

// ofKind opens a space that is none of cells, for which what cells have means nothing.
func (n Named) ofKind() (Space, error) {
	plain := OfKind(n.Space)
	plain.Blocks = n.Blocks
	if n != plain {
		return nil, &FieldError{Field: "space", Msg: "ops, nodes, pool_norm and weight_standard are of cells, and the space is " + n.Space}
	}
	k := kinds[slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == n.Space })]
	if n.Blocks != "" && k.Find == nil {
		return nil, &FieldError{Field: "blocks", Msg: "says what a space of one's own is, and the space is " + n.Space}
	}
	return k.New(n)
}

// Rules that are not the default stand behind family and size in a space's name, in
// this order.
const (
	rawPool  = "-rawpool" // pools without normalisation
	standard = "-ws"      // weights are standardised
)

// Name is how texts name a space of cells: lanas5, or lanas7-rawpool-ws with the rules of
// LaNet. parseName is the inverse.
func (n Named) Name() string {
	name := n.Ops + strconv.Itoa(n.Nodes)
	if !n.PoolNorm {
		name += rawPool
	}
	if n.WeightStandard {
		name += standard
	}
	return name
}

// parseName reads what Name writes; ok is false where text is no name.
func parseName(text string) (n Named, ok bool) {
	n.Space = Cell
	text, n.WeightStandard = strings.CutSuffix(text, standard)
	text, raw := strings.CutSuffix(text, rawPool)
	n.PoolNorm = !raw
	n.Ops = strings.TrimRight(text, "0123456789")
	size, err := strconv.Atoi(text[len(n.Ops):])
	n.Nodes = size
	letters := strings.Trim(n.Ops, "abcdefghijklmnopqrstuvwxyz") == ""
	return n, err == nil && n.Ops != "" && letters
}

// JSONName is how the JSON form of an architecture names its space. Rules that are
// the default may be left out, and are when it is written.
type JSONName struct {
	Kind           string `json:"kind,omitempty"` // where it is not cells
	Blocks         string `json:"blocks,omitempty"`
	Ops            string `json:"ops,omitempty"`
	Nodes          int    `json:"nodes,omitempty"`
	PoolNorm       *bool  `json:"pool_norm,omitempty"`
	WeightStandard bool   `json:"weight_standard,omitempty"`
}

// JSON is the name in the JSON form; JSONName.Named is the inverse.
func (n Named) JSON() JSONName {
	if n.Space != Cell {
		return JSONName{Kind: n.Space, Blocks: n.Blocks}
	}
	j := JSONName{Ops: n.Ops, Nodes: n.Nodes, WeightStandard: n.WeightStandard}
	if !n.PoolNorm {
		j.PoolNorm = &n.PoolNorm
	}
	return j
}

// Named is the space that is named.
func (j JSONName) Named() Named {
	if j.Kind != "" && j.Kind != Cell {
		n := OfKind(j.Kind)
		n.Blocks = j.Blocks
		return n
	}
	return Named{Space: Cell, Blocks: j.Blocks, Ops: j.Ops, Nodes: j.Nodes, PoolNorm: j.PoolNorm == nil || *j.PoolNorm, WeightStandard: j.WeightStandard}
}
