package space

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"oneshot/internal/setting"
)

// Named is how a configuration names a space: a family and a size.
type Named struct {
	Ops   string `yaml:"ops" json:"ops" default:"lanas" want:"choice" doc:"candidate operations: lanas has 4, darts 7, full 8, nasnet 9"`
	Nodes int    `yaml:"nodes" json:"nodes" default:"5" want:"1..32" doc:"nodes of a cell, each the sum of two operations"`
	// The published cells have other rules than our default. Rules are part of a
	// space's name, so a network of other rules has another text and hash.
	PoolNorm       bool `yaml:"pool_norm" json:"pool_norm" default:"true" doc:"batch normalisation after every pooling; the published networks have none"`
	WeightStandard bool `yaml:"weight_standard" json:"weight_standard" doc:"weights of 1x1 convolutions are standardised before use, as LaNet's are"`
}

// Choices implements setting.Chooser.
func (Named) Choices(string) []string { return Families() }

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
	family := n.Ops
	if errs := setting.Check(n); len(errs) > 0 {
		e := errs[0]
		msg := fmt.Sprintf("%v, want %s", e.Value, e.Want)
		if e.Name == "ops" {
			msg = fmt.Sprintf("unknown operation set %q, want %s", family, e.Want)
		}
		return nil, &FieldError{Field: e.Name, Msg: msg}
	}
	i := slices.IndexFunc(families, func(f Family) bool { return f.Name == family })
	return families[i].New(n)
}

// Rules that are not the default stand behind family and size in a space's name, in
// this order.
const (
	rawPool  = "-rawpool" // pools without normalisation
	standard = "-ws"      // weights are standardised
)

// Name is how texts name the space: lanas5, or lanas7-rawpool-ws with the rules of
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
	text, n.WeightStandard = strings.CutSuffix(text, standard)
	text, raw := strings.CutSuffix(text, rawPool)
	n.PoolNorm = !raw
	n.Ops = strings.TrimRight(text, "0123456789")
	size, err := strconv.Atoi(text[len(n.Ops):])
	n.Nodes = size
	return n, err == nil
}

// JSONName is how the JSON form of an architecture names its space. Rules that are
// the default may be left out, and are when it is written.
type JSONName struct {
	Ops            string `json:"ops"`
	Nodes          int    `json:"nodes"`
	PoolNorm       *bool  `json:"pool_norm,omitempty"`
	WeightStandard bool   `json:"weight_standard,omitempty"`
}

// JSON is the name in the JSON form; JSONName.Named is the inverse.
func (n Named) JSON() JSONName {
	j := JSONName{Ops: n.Ops, Nodes: n.Nodes, WeightStandard: n.WeightStandard}
	if !n.PoolNorm {
		j.PoolNorm = &n.PoolNorm
	}
	return j
}

// Named is the space that is named.
func (j JSONName) Named() Named {
	return Named{Ops: j.Ops, Nodes: j.Nodes, PoolNorm: j.PoolNorm == nil || *j.PoolNorm, WeightStandard: j.WeightStandard}
}
