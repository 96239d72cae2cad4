package blocks

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

// digits are those of the text form.
const digits = "0123456789abcdefghijklmnopqrstuvwxyz"

// Format implements space.Space: the space's name and a digit a block.
func (s *Space) Format(a space.Arch) string {
	var b strings.Builder
	b.WriteString(s.name + ":")
	for _, c := range a {
		b.WriteByte(digits[c])
	}
	return b.String()
}

// Parse implements space.Space.
func (s *Space) Parse(text string) (space.Arch, error) {
	head, rest, ok := strings.Cut(strings.TrimSpace(text), ":")
	if !ok || head != s.name {
		return nil, &space.FieldError{Field: "space", Msg: fmt.Sprintf("the text is of %.60q, want %q and a colon", head, s.name)}
	}
	if len(rest) != len(s.rows) {
		return nil, &space.FieldError{Field: "arch", Msg: fmt.Sprintf("has %d digits, want %d, one a block", len(rest), len(s.rows))}
	}
	a := make(space.Arch, 0, len(s.rows))
	for i := range len(rest) {
		c := strings.IndexByte(digits, rest[i])
		if c < 0 || c >= len(s.rows[i].choices) {
			return nil, &space.FieldError{Field: fmt.Sprintf("layers[%d]", i), Msg: fmt.Sprintf("%.1q, want a digit from 0 to %c", rest[i:], digits[len(s.rows[i].choices)-1])}
		}
		a = append(a, c)
	}
	return a, nil
}

type jsonArch struct {
	Space  space.JSONName `json:"space"`
	Layers []string       `json:"layers"` // candidates by name
}

// MarshalArch implements space.Space.
func (s *Space) MarshalArch(a space.Arch) ([]byte, error) {
	if err := s.Check(a); err != nil {
		return nil, err
	}
	j := jsonArch{Space: s.Named().JSON()}
	for i, c := range a {
		j.Layers = append(j.Layers, s.rows[i].choices[c].Name())
	}
	return json.Marshal(j)
}

// UnmarshalArch implements space.Space.
func (s *Space) UnmarshalArch(b []byte) (space.Arch, error) {
	var j jsonArch
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return nil, &space.FieldError{Field: "json", Msg: err.Error()}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, &space.FieldError{Field: "json", Msg: "has more text after the object"}
	}
	of, err := j.Space.Named().Open()
	if err != nil {
		return nil, err
	}
	if of.Name() != s.name {
		return nil, &space.FieldError{Field: "space", Msg: fmt.Sprintf("is %.60q, want %q", of.Name(), s.name)}
	}
	if len(j.Layers) != len(s.rows) {
		return nil, &space.FieldError{Field: "layers", Msg: fmt.Sprintf("has %d entries, want %d", len(j.Layers), len(s.rows))}
	}
	a := make(space.Arch, 0, len(s.rows))
	for i, name := range j.Layers {
		c := slices.IndexFunc(s.rows[i].choices, func(c Choice) bool { return c.Name() == name })
		if c < 0 {
			return nil, &space.FieldError{Field: fmt.Sprintf("layers[%d]", i), Msg: fmt.Sprintf("there is no %.40q among its candidates", name)}
		}
		a = append(a, c)
	}
	return a, nil
}
