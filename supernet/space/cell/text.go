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
// the space's name, the normal cell, the reduction cell; nodes
// are separated by commas, a node's pairs edge.operation by a plus. A cell whose
// output does not concatenate all nodes ends in a slash and the states that it does,
// numbered as edges are: 2 is the first node,
//
//	lanas2:0.sep_conv_3x3+1.skip_connect,1.max_pool_3x3+2.sep_conv_5x5/3:...
func (s Space) Format(a space.Arch) string {
	var b strings.Builder
	b.WriteString(s.Name())
	outputs := s.Outputs(a)
	for c, nodes := range s.Cells(a) {
		sep := ':'
		for _, n := range nodes {
			b.WriteRune(sep)
			fmt.Fprintf(&b, "%d.%s+%d.%s", n[0].Edge, s.Ops[n[0].Op], n[1].Edge, s.Ops[n[1].Op])
			sep = ','
		}
		sep = '/'
		for _, i := range outputs[c] {
			b.WriteRune(sep)
			b.WriteString(strconv.Itoa(2 + i))
			sep = '.'
		}
	}
	return b.String()
}

// Parse reads the text form of an architecture of this space. The pairs of a
// node may come in any order; "/unread" stands for the nodes that no node of the cell
// reads.
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
		cell, output, chosen := strings.Cut(parts[1+c], "/")
		nodes := strings.Split(cell, ",")
		r.count(name, len(nodes), s.Nodes)
		for i, text := range nodes {
			field := fmt.Sprintf("%s.node[%d]", name, i)
			pairs := strings.Split(text, "+")
			if len(pairs) != 2 {
				return nil, r.or(&space.FieldError{Field: field, Msg: fmt.Sprintf("is %.40q, want two pairs edge.operation joined by +", text)})
			}
			var n Node
			for j, p := range pairs {
				edge, op, _ := strings.Cut(p, ".")
				e, err := strconv.Atoi(edge)
				if err != nil {
					r.fail(fmt.Sprintf("%s.pair[%d].edge", field, j), "%.40q is no number", edge)
				}
				n[j] = r.pair(s, fmt.Sprintf("%s.pair[%d]", field, j), i, e, op)
			}
			r.cells[c] = append(r.cells[c], n)
		}
		switch {
		case output == "unread":
			r.outputs[c] = unread(r.cells[c])
		case chosen:
			var states []int
			for _, text := range strings.Split(output, ".") {
				state, err := strconv.Atoi(text)
				if err != nil {
					r.fail(name+".output", "%.40q is no number", text)
				}
				states = append(states, state)
			}
			r.output(s, c, states)
		}
	}
	return r.done(s)
}

// unread are the nodes that no node of the cell reads.
func unread(nodes []Node) Outputs {
	read := map[int]bool{}
	for _, n := range nodes {
		read[n[0].Edge-2], read[n[1].Edge-2] = true, true
	}
	var out Outputs
	for i := range nodes {
		if !read[i] {
			out = append(out, i)
		}
	}
	return out
}

// reader collects the cells of an architecture that is being read, and the first mistake.
type reader struct {
	cells   [2][]Node
	outputs [2]Outputs
	err     error
}

func (r *reader) fail(field, format string, args ...any) {
	if r.err == nil {
		r.err = &space.FieldError{Field: field, Msg: fmt.Sprintf(format, args...)}
	}
}

// done is the architecture, or the first mistake.
func (r *reader) done(s Space) (space.Arch, error) {
	if r.err != nil {
		return nil, r.err
	}
	return s.Arch(r.cells[0], r.cells[1], r.outputs[:]...), nil
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

// pair is a pair of node i, its operation given by name.
func (r *reader) pair(s Space, field string, i, edge int, op string) Pair {
	k := slices.Index(s.Ops, op)
	switch {
	case k < 0:
		r.fail(field+".op", "unknown operation %.40q, want one of %s", op, strings.Join(s.Ops, ", "))
	case edge < 0 || edge >= 2+i:
		r.fail(field+".edge", "%d, want 0 to %d", edge, 1+i)
	}
	return Pair{edge, k}
}

// output takes the states that a cell's output concatenates.
func (r *reader) output(s Space, c int, states []int) {
	field := cellNames[c] + ".output"
	if len(states) == 0 {
		r.fail(field, "has no node")
	}
	for k, state := range states {
		if state < 2 || state >= 2+s.Nodes {
			r.fail(field, "%d is no node, want 2 to %d", state, 1+s.Nodes)
		}
		if k > 0 && state <= states[k-1] {
			r.fail(field, "its nodes must ascend")
		}
		r.outputs[c] = append(r.outputs[c], state-2)
	}
}

type jsonPair struct {
	Edge *int   `json:"edge"` // a pointer: a missing edge is not edge 0
	Op   string `json:"op"`
}

type jsonArch struct {
	Space        space.JSONName `json:"space"`
	Normal       [][]jsonPair   `json:"normal"`
	Reduce       [][]jsonPair   `json:"reduce"`
	NormalOutput []int          `json:"normal_output,omitempty"` // states, as in the text form; all nodes without
	ReduceOutput []int          `json:"reduce_output,omitempty"`
}

// MarshalArch writes the JSON form, operations by name.
func (s Space) MarshalArch(a space.Arch) ([]byte, error) {
	if err := s.Check(a); err != nil {
		return nil, err
	}
	j := jsonArch{Space: s.Named().JSON()}
	for c, to := range []*[][]jsonPair{&j.Normal, &j.Reduce} {
		for _, n := range s.Cells(a)[c] {
			*to = append(*to, []jsonPair{{&n[0].Edge, s.Ops[n[0].Op]}, {&n[1].Edge, s.Ops[n[1].Op]}})
		}
	}
	for c, to := range []*[]int{&j.NormalOutput, &j.ReduceOutput} {
		for _, i := range s.Outputs(a)[c] {
			*to = append(*to, 2+i)
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
	if n := j.Space.Named(); n != s.Named() {
		return nil, &space.FieldError{Field: "space", Msg: fmt.Sprintf("is %.60q, want %q", n.Name(), s.Name())}
	}
	var r reader
	for c, nodes := range [][][]jsonPair{j.Normal, j.Reduce} {
		r.count(cellNames[c], len(nodes), s.Nodes)
		for i, pairs := range nodes {
			field := fmt.Sprintf("%s.node[%d]", cellNames[c], i)
			if len(pairs) != 2 {
				return nil, r.or(&space.FieldError{Field: field, Msg: fmt.Sprintf("has %d pairs, want 2", len(pairs))})
			}
			var n Node
			for k, p := range pairs {
				at := fmt.Sprintf("%s.pair[%d]", field, k)
				if p.Edge == nil {
					return nil, r.or(&space.FieldError{Field: at + ".edge", Msg: "is missing"})
				}
				n[k] = r.pair(s, at, i, *p.Edge, p.Op)
			}
			r.cells[c] = append(r.cells[c], n)
		}
		if states := [][]int{j.NormalOutput, j.ReduceOutput}[c]; states != nil {
			r.output(s, c, states)
		}
	}
	return r.done(s)
}
