package space

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Format writes the text form, one shell-safe line such as
//
//	lanas2:0.sep_conv_3x3+1.skip_connect,1.max_pool_3x3+2.sep_conv_5x5:...
//
// the operation set and node count, the normal cell, the reduction cell; nodes
// are separated by commas, a node's pairs edge.operation by a plus.
func (s Space) Format(a Arch) string {
	var b strings.Builder
	b.WriteString(s.Name)
	for _, c := range a.cells() {
		sep := ':'
		for _, n := range c.nodes {
			b.WriteRune(sep)
			fmt.Fprintf(&b, "%d.%s+%d.%s", n[0].Edge, s.Ops[n[0].Op], n[1].Edge, s.Ops[n[1].Op])
			sep = ','
		}
	}
	return b.String()
}

// Hash is a short stable name: the first 12 hexadecimal digits of the SHA-256
// of the text form.
func (s Space) Hash(a Arch) string {
	h := sha256.Sum256([]byte(s.Format(a)))
	return hex.EncodeToString(h[:6])
}

// Parse reads the text form of an architecture of this space. The pairs of a
// node may come in any order.
func (s Space) Parse(text string) (Arch, error) {
	parts := strings.Split(text, ":")
	if parts[0] != s.Name {
		return Arch{}, &FieldError{"space", fmt.Sprintf("is %.40q, want %q", parts[0], s.Name)}
	}
	if len(parts) != 3 {
		return Arch{}, &FieldError{"text", fmt.Sprintf("has %d parts between colons, want 3: space, normal cell, reduction cell", len(parts))}
	}
	var a Arch
	for c, to := range []*[]Node{&a.Normal, &a.Reduce} {
		name := a.cells()[c].name
		nodes := strings.Split(parts[1+c], ",")
		if len(nodes) != s.Nodes {
			return Arch{}, &FieldError{name, fmt.Sprintf("has %d nodes, want %d", len(nodes), s.Nodes)}
		}
		for i, text := range nodes {
			pairs := strings.Split(text, "+")
			if len(pairs) != 2 {
				return Arch{}, &FieldError{fmt.Sprintf("%s.node[%d]", name, i), fmt.Sprintf("is %.40q, want two pairs edge.operation joined by +", text)}
			}
			var n Node
			for j, p := range pairs {
				at := fmt.Sprintf("%s.node[%d].pair[%d]", name, i, j)
				edge, op, _ := strings.Cut(p, ".")
				e, err := strconv.Atoi(edge)
				if err != nil {
					return Arch{}, &FieldError{at + ".edge", fmt.Sprintf("%.40q is no number", edge)}
				}
				if n[j], err = s.named(at, e, op); err != nil {
					return Arch{}, err
				}
			}
			*to = append(*to, s.order(n))
		}
	}
	if err := s.Check(a); err != nil {
		return Arch{}, err
	}
	return a, nil
}

// named is a pair given by the operation's name.
func (s Space) named(at string, edge int, op string) (Pair, error) {
	k := slices.Index(s.Ops, op)
	if k < 0 {
		return Pair{}, &FieldError{at + ".op", fmt.Sprintf("unknown operation %.40q, want one of %s", op, strings.Join(s.Ops, ", "))}
	}
	return Pair{Edge: edge, Op: k}, nil
}

// order sorts the two pairs; Check still refuses equal ones.
func (s Space) order(n Node) Node {
	if s.index(n[0]) > s.index(n[1]) {
		n[0], n[1] = n[1], n[0]
	}
	return n
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
func (s Space) MarshalArch(a Arch) ([]byte, error) {
	if err := s.Check(a); err != nil {
		return nil, err
	}
	var j jsonArch
	j.Space.Ops, j.Space.Nodes = strings.TrimSuffix(s.Name, strconv.Itoa(s.Nodes)), s.Nodes
	for c, to := range []*[][]jsonPair{&j.Normal, &j.Reduce} {
		for _, n := range a.cells()[c].nodes {
			*to = append(*to, []jsonPair{{&n[0].Edge, s.Ops[n[0].Op]}, {&n[1].Edge, s.Ops[n[1].Op]}})
		}
	}
	return json.Marshal(j)
}

// UnmarshalArch reads the JSON form of an architecture of this space; unknown
// and missing fields are errors.
func (s Space) UnmarshalArch(b []byte) (Arch, error) {
	named, a, err := parseJSON(b)
	if err != nil {
		return Arch{}, err
	}
	if named.Name != s.Name {
		return Arch{}, &FieldError{"space", fmt.Sprintf("is %q, want %q", named.Name, s.Name)}
	}
	return a, nil
}

// parseJSON reads the JSON form of an architecture of any space.
func parseJSON(b []byte) (Space, Arch, error) {
	var j jsonArch
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return Space{}, Arch{}, &FieldError{"json", err.Error()}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Space{}, Arch{}, &FieldError{"json", "has more text after the object"}
	}
	s, err := New(j.Space.Ops, j.Space.Nodes)
	if err != nil {
		return Space{}, Arch{}, err
	}
	var a Arch
	for c, from := range [][][]jsonPair{j.Normal, j.Reduce} {
		name, to := a.cells()[c].name, []*[]Node{&a.Normal, &a.Reduce}[c]
		for i, pairs := range from {
			if len(pairs) != 2 {
				return Space{}, Arch{}, &FieldError{fmt.Sprintf("%s.node[%d]", name, i), fmt.Sprintf("has %d pairs, want 2", len(pairs))}
			}
			var n Node
			for k, p := range pairs {
				at := fmt.Sprintf("%s.node[%d].pair[%d]", name, i, k)
				if p.Edge == nil {
					return Space{}, Arch{}, &FieldError{at + ".edge", "is missing"}
				}
				if n[k], err = s.named(at, *p.Edge, p.Op); err != nil {
					return Space{}, Arch{}, err
				}
			}
			*to = append(*to, s.order(n))
		}
	}
	if err := s.Check(a); err != nil {
		return Space{}, Arch{}, err
	}
	return s, a, nil
}

// ParseMask reads a mask as text, such as "[0, 1, ...]", of an architecture of
// this space.
func (s Space) ParseMask(text string) (Arch, error) {
	var values []int
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		return Arch{}, &FieldError{"mask", "is no list of 0 and 1: " + err.Error()}
	}
	mask := make([]byte, len(values))
	for i, v := range values {
		if v != 0 && v != 1 {
			return Arch{}, &FieldError{fmt.Sprintf("mask[%d]", i), fmt.Sprintf("%d, want 0 or 1", v)}
		}
		mask[i] = byte(v)
	}
	return s.Decode(mask)
}

// ParseAny reads an architecture that names its own space: the JSON form or
// the text form. A mask names none; see ParseMask.
func ParseAny(text string) (Space, Arch, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "{") {
		return parseJSON([]byte(text))
	}
	if strings.HasPrefix(text, "[") {
		return Space{}, Arch{}, &FieldError{"mask", "does not say which space it belongs to"}
	}
	id, _, _ := strings.Cut(text, ":")
	name := strings.TrimRight(id, "0123456789")
	nodes, err := strconv.Atoi(id[len(name):])
	if err != nil {
		return Space{}, Arch{}, &FieldError{"space", fmt.Sprintf("%.40q is no operation set and node count, such as lanas5", id)}
	}
	s, err := New(name, nodes)
	if err != nil {
		return Space{}, Arch{}, err
	}
	a, err := s.Parse(text)
	if err != nil {
		return Space{}, Arch{}, err
	}
	return s, a, nil
}
