package space

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"oneshot/internal/setting"
)

// Named is how a configuration names a space: a family and a size.
type Named struct {
	Ops   string `yaml:"ops" json:"ops" default:"lanas" want:"choice" doc:"candidate operations: lanas has 4, darts 7, full 8"`
	Nodes int    `yaml:"nodes" json:"nodes" default:"5" want:"1..32" doc:"nodes of a cell, each the sum of two operations"`
}

// Choices implements setting.Chooser.
func (Named) Choices(string) []string { return Families() }

// Family is a set of spaces that differ in a size, such as the cell spaces of one
// operation set and a number of nodes. Configurations, messages and the JSON form
// call the two as the cell space does, see Named.
type Family struct {
	Name string // letters only: in a text the size follows it
	New  func(size int) (Space, error)
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

// New returns the space of a family and a size, which are in the range of Named.
func New(family string, size int) (Space, error) {
	if errs := setting.Check(Named{Ops: family, Nodes: size}); len(errs) > 0 {
		e := errs[0]
		msg := fmt.Sprintf("%v, want %s", e.Value, e.Want)
		if e.Name == "ops" {
			msg = fmt.Sprintf("unknown operation set %q, want %s", family, e.Want)
		}
		return nil, &FieldError{Field: e.Name, Msg: msg}
	}
	i := slices.IndexFunc(families, func(f Family) bool { return f.Name == family })
	return families[i].New(size)
}

// ParseAny reads an architecture that names its own space: the JSON form or the
// text form. A 0/1 code names none; see ParseCode.
func ParseAny(text string) (Space, Arch, error) {
	text = strings.TrimSpace(text)
	var s Space
	var a Arch
	var err error
	switch {
	case strings.HasPrefix(text, "{"):
		if s, err = ofJSON([]byte(text)); err == nil {
			a, err = s.UnmarshalArch([]byte(text))
		}
	case strings.HasPrefix(text, "["):
		err = &FieldError{"mask", "does not say which space it belongs to"}
	default:
		if s, err = ofText(text); err == nil {
			a, err = s.Parse(text)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return s, a, nil
}

// ofText finds the space that the text form begins with.
func ofText(text string) (Space, error) {
	id, _, _ := strings.Cut(text, ":")
	name := strings.TrimRight(id, "0123456789")
	size, err := strconv.Atoi(id[len(name):])
	if err != nil {
		return nil, &FieldError{"space", fmt.Sprintf("%.40q is no operation set and node count, such as lanas5", id)}
	}
	return New(name, size)
}

// ofJSON finds the space that the JSON form names; the rest is the space's to read.
func ofJSON(b []byte) (Space, error) {
	var j struct {
		Space struct {
			Ops   string `json:"ops"`
			Nodes int    `json:"nodes"`
		} `json:"space"`
	}
	if err := json.NewDecoder(strings.NewReader(string(b))).Decode(&j); err != nil {
		return nil, &FieldError{"json", err.Error()}
	}
	return New(j.Space.Ops, j.Space.Nodes)
}

// ParseCode reads a 0/1 code as text, such as "[0, 1, ...]", of an architecture of s.
func ParseCode(s Space, text string) (Arch, error) {
	var values []int
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return nil, &FieldError{"mask", "is no list of 0 and 1: " + err.Error()}
	}
	code := make([]byte, len(values))
	for i, v := range values {
		if v != 0 && v != 1 {
			return nil, &FieldError{fmt.Sprintf("mask[%d]", i), fmt.Sprintf("%d, want 0 or 1", v)}
		}
		code[i] = byte(v)
	}
	return s.Decode(code)
}
