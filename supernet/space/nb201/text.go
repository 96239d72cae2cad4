package nb201

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"oneshot/supernet/space"
)

// Format implements space.Space: the space's name, then the text of NAS-Bench-201, one line
// such as
//
//	nasbench-201:|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|
//
// Nodes are joined by a plus; an edge is its operation and the node that it reads. A shell
// needs quotes around it.
func (Space) Format(a space.Arch) string {
	b := make([]byte, 0, 128)
	b = append(b, Kind...)
	sep := ":|"
	for i, e := range edges {
		if e.from == 0 {
			b = append(b, sep...)
			sep = "+|"
		}
		b = append(b, opNames[a[i]]...)
		b = append(b, '~', byte('0'+e.from), '|')
	}
	return string(b)
}

// isPlain says whether a text is one of NAS-Bench-201 without the space's name.
func isPlain(text string) bool { return strings.HasPrefix(text, "|") }

func parsePlain(text string) (space.Space, space.Arch, error) {
	a, err := Space{}.Parse(text)
	return Space{}, a, err
}

// Parse implements space.Space. The name may be left out: the text begins with a bar then.
func (Space) Parse(text string) (space.Arch, error) {
	if !isPlain(text) {
		name, rest, _ := strings.Cut(text, ":")
		if name != Kind {
			return nil, &space.FieldError{Field: "space", Msg: fmt.Sprintf("is %.40q, want %q", name, Kind)}
		}
		text = rest
	}
	parts := strings.Split(text, "+")
	if len(parts) != nodes-1 {
		return nil, &space.FieldError{Field: "text", Msg: fmt.Sprintf("has %d nodes joined by +, want %d", len(parts), nodes-1)}
	}
	var a space.Arch
	for k, part := range parts {
		node, to := fmt.Sprintf("node[%d]", k+1), k+1
		ops, ok := bars(part)
		if !ok {
			return nil, &space.FieldError{Field: node, Msg: fmt.Sprintf("is %.60q, want edges between bars such as |nor_conv_3x3~0|", part)}
		}
		if len(ops) != to {
			return nil, &space.FieldError{Field: node, Msg: fmt.Sprintf("has %d edges, want %d: one from each node before it", len(ops), to)}
		}
		for from, text := range ops {
			name, source, _ := strings.Cut(text, "~")
			if source != fmt.Sprint(from) {
				return nil, &space.FieldError{Field: field(len(a)), Msg: fmt.Sprintf("is %.40q, want an operation and ~%d", text, from)}
			}
			op, err := operation(len(a), name)
			if err != nil {
				return nil, err
			}
			a = append(a, op)
		}
	}
	return a, nil
}

// bars are the parts between the bars of |a|b|.
func bars(text string) ([]string, bool) {
	if len(text) < 2 || text[0] != '|' || text[len(text)-1] != '|' {
		return nil, false
	}
	return strings.Split(text[1:len(text)-1], "|"), true
}

// operation is the number of the operation that stands for choice i.
func operation(i int, name string) (int, error) {
	op := slices.Index(opNames, name)
	if op < 0 {
		return 0, &space.FieldError{Field: field(i), Msg: fmt.Sprintf("unknown operation %.40q, want one of %s", name, strings.Join(opNames, ", "))}
	}
	return op, nil
}

type jsonArch struct {
	Space space.JSONName `json:"space"`
	Edges []string       `json:"edges"` // operations in the order of the choices
}

// MarshalArch implements space.Space: operations by name, in the order of the text form.
func (s Space) MarshalArch(a space.Arch) ([]byte, error) {
	if err := s.Check(a); err != nil {
		return nil, err
	}
	j := jsonArch{Space: s.Named().JSON()}
	for _, op := range a {
		j.Edges = append(j.Edges, opNames[op])
	}
	return json.Marshal(j)
}

// UnmarshalArch implements space.Space.
func (s Space) UnmarshalArch(b []byte) (space.Arch, error) {
	var j jsonArch
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return nil, &space.FieldError{Field: "json", Msg: err.Error()}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, &space.FieldError{Field: "json", Msg: "has more text after the object"}
	}
	if want := s.Named().JSON(); j.Space != want {
		return nil, &space.FieldError{Field: "space", Msg: fmt.Sprintf("is not {\"kind\":%q}", Kind)}
	}
	if len(j.Edges) != len(edges) {
		return nil, &space.FieldError{Field: "edges", Msg: fmt.Sprintf("has %d operations, want %d", len(j.Edges), len(edges))}
	}
	a := make(space.Arch, len(edges))
	for i, name := range j.Edges {
		op, err := operation(i, name)
		if err != nil {
			return nil, err
		}
		a[i] = op
	}
	return a, nil
}
