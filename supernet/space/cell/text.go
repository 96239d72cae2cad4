package cell

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"oneshot/supernet/space"
)

// Format writes the text form, one shell-safe line such as
//
//	lanas2:0.sep_conv_3x3+1.skip_connect,1.max_pool_3x3+2.sep_conv_5x5:...
//
// the operation set and node count, the normal cell, the reduction cell; nodes
// are separated by commas, a node's pairs edge.operation by a plus.
func (s Space) Format(a space.Arch) string {
	var b strings.Builder
	b.WriteString(s.Name())
	for _, nodes := range s.Cells(a) {
		sep := ':'
		for _, n := range nodes {
			b.WriteRune(sep)
			fmt.Fprintf(&b, "%d.%s+%d.%s", n[0].Edge, s.Ops[n[0].Op], n[1].Edge, s.Ops[n[1].Op])
			sep = ','
		}
	}
	return b.String()
}

// Parse reads the text form of an architecture of this space. The pairs of a
// node may come in any order.
func (s Space) Parse(text string) (space.Arch, error) {
	parts := strings.Split(text, ":")
	if parts[0] != s.Name() {
		return nil, &space.FieldError{Field: "space", Msg: fmt.Sprintf("is %.40q, want %q", parts[0], s.Name())}
	}
	if len(parts) != 3 {
		return nil, &space.FieldError{Field: "text", Msg: fmt.Sprintf("has %d parts between colons, want 3: space, normal cell, reduction cell", len(parts))}
	}
	var r reader
	for c, name := range cellNames {
		nodes := strings.Split(parts[1+c], ",")
		r.count(name, len(nodes), s.Nodes)
		for i, text := range nodes {
			field := fmt.Sprintf("%s.node[%d]", name, i)
			pairs := strings.Split(text, "+")
			if len(pairs) != 2 {
				return nil, r.or(&space.FieldError{Field: field, Msg: fmt.Sprintf("is %.40q, want two pairs edge.operation joined by +", text)})
			}
			for j, p := range pairs {
				edge, op, _ := strings.Cut(p, ".")
				e, err := strconv.Atoi(edge)
				if err != nil {
					r.fail(fmt.Sprintf("%s.pair[%d].edge", field, j), "%.40q is no number", edge)
				}
				r.pair(s, field, i, j, e, op)
			}
			r.node(field)
		}
	}
	return r.done()
}

// reader collects the choices of an architecture that is read pair by pair, and the
// first mistake.
type reader struct {
	arch space.Arch
	err  error
}

func (r *reader) fail(field, format string, args ...any) {
	if r.err == nil {
		r.err = &space.FieldError{Field: field, Msg: fmt.Sprintf(format, args...)}
	}
}

// done is the architecture, or the first mistake.
func (r *reader) done() (space.Arch, error) {
	if r.err != nil {
		return nil, r.err
	}
	return r.arch, nil
}

// or is the first mistake, or err where there was none.
func (r *reader) or(err error) error {
	if r.err != nil {
		return r.err
	}
	return err
}

// count wants that many nodes of a cell.
func (r *reader) count(cell string, got, want int) {
	if got != want {
		r.fail(cell, "has %d nodes, want %d", got, want)
	}
}

// pair adds pair j of node i, its operation given by name.
func (r *reader) pair(s Space, field string, i, j, edge int, op string) {
	k := slices.Index(s.Ops, op)
	switch at := fmt.Sprintf("%s.pair[%d]", field, j); {
	case k < 0:
		r.fail(at+".op", "unknown operation %.40q, want one of %s", op, strings.Join(s.Ops, ", "))
	case edge < 0 || edge >= 2+i:
		r.fail(at+".edge", "%d, want 0 to %d", edge, 1+i)
	}
	r.arch = append(r.arch, s.index(Pair{edge, k}))
}

// node orders the two pairs that came last.
func (r *reader) node(field string) {
	n := r.arch[len(r.arch)-2:]
	if n[0] == n[1] {
		r.fail(field, "its two pairs must differ and ascend by edge, then operation")
	}
	slices.Sort(n)
}

type jsonPair struct {
	Edge *int   `json:"edge"` // a pointer: a missing edge is not edge 0
	Op   string `json:"op"`
}

type jsonArch struct {
	Space struct {
		Ops   string `json:"ops"`
		Nodes int    `json:"nodes"`
	} `json:"space"`
	Normal [][]jsonPair `json:"normal"`
	Reduce [][]jsonPair `json:"reduce"`
}

// MarshalArch writes the JSON form, operations by name.
func (s Space) MarshalArch(a space.Arch) ([]byte, error) {
	if err := s.Check(a); err != nil {
		return nil, err
	}
	var j jsonArch
	j.Space.Ops, j.Space.Nodes = s.Set, s.Nodes
	for c, to := range []*[][]jsonPair{&j.Normal, &j.Reduce} {
		for _, n := range s.Cells(a)[c] {
			*to = append(*to, []jsonPair{{&n[0].Edge, s.Ops[n[0].Op]}, {&n[1].Edge, s.Ops[n[1].Op]}})
		}
	}
	return json.Marshal(j)
}

// UnmarshalArch reads the JSON form of an architecture of this space; unknown
// and missing fields are errors.
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
	if j.Space.Ops != s.Set || j.Space.Nodes != s.Nodes {
		return nil, &space.FieldError{Field: "space", Msg: fmt.Sprintf("is %q, want %q", j.Space.Ops+strconv.Itoa(j.Space.Nodes), s.Name())}
	}
	var r reader
	for c, nodes := range [][][]jsonPair{j.Normal, j.Reduce} {
		r.count(cellNames[c], len(nodes), s.Nodes)
		for i, pairs := range nodes {
			field := fmt.Sprintf("%s.node[%d]", cellNames[c], i)
			if len(pairs) != 2 {
				return nil, r.or(&space.FieldError{Field: field, Msg: fmt.Sprintf("has %d pairs, want 2", len(pairs))})
			}
			for k, p := range pairs {
				if p.Edge == nil {
					return nil, r.or(&space.FieldError{Field: fmt.Sprintf("%s.pair[%d].edge", field, k), Msg: "is missing"})
				}
				r.pair(s, field, i, k, *p.Edge, p.Op)
			}
			r.node(field)
		}
	}
	return r.done()
}
