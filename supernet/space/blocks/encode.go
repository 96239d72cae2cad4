package blocks

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"oneshot/supernet/space"
)

// Dim implements space.Space: an entry for each candidate of each block.
func (s *Space) Dim() int {
	n := 0
	for _, r := range s.rows {
		n += len(r.choices)
	}
	return n
}

// Encode implements space.Space: of each block's entries that of its candidate is 1.
func (s *Space) Encode(a space.Arch) []byte { return s.code(s.Canonical(a)) }

// code is Encode of an architecture as it is.
func (s *Space) code(a space.Arch) []byte {
	code := make([]byte, s.Dim())
	at := 0
	for i, r := range s.rows {
		code[at+a[i]] = 1
		at += len(r.choices)
	}
	return code
}

// Decode implements space.Space.
func (s *Space) Decode(code []byte) (space.Arch, error) {
	if len(code) != s.Dim() {
		return nil, &space.FieldError{Field: "mask", Msg: fmt.Sprintf("has %d entries, want %d", len(code), s.Dim())}
	}
	a := make(space.Arch, 0, len(s.rows))
	at := 0
	for i, r := range s.rows {
		entries := code[at : at+len(r.choices)]
		on := 0
		for k, v := range entries {
			switch {
			case v > 1:
				return nil, &space.FieldError{Field: fmt.Sprintf("mask[%d]", at+k), Msg: fmt.Sprintf("%d, want 0 or 1", v)}
			case v == 1:
				on++
			}
		}
		if on != 1 {
			return nil, &space.FieldError{Field: fmt.Sprintf("layers[%d]", i), Msg: fmt.Sprintf("mask[%d:%d] activates %d candidates, want 1", at, at+len(entries), on)}
		}
		a = append(a, slices.Index(entries, 1))
		at += len(entries)
	}
	return a, nil
}

// MutateCode implements space.Space: it draws a block and another candidate for it until the
// network is another one. It panics when code is not of the space, or when that has one
// network only.
func (s *Space) MutateCode(code []byte, r *rand.Rand) []byte {
	a, err := s.Decode(code)
	if err != nil {
		panic("blocks: " + err.Error())
	}
	from := s.Canonical(a)
	const tries = 10000 // a draw fails where it moves a block that does nothing to the end again
	for range tries {
		i := r.IntN(len(a))
		n := len(s.rows[i].choices)
		if n < 2 {
			continue
		}
		b := slices.Clone(from)
		if b[i] = r.IntN(n - 1); b[i] >= from[i] {
			b[i]++
		}
		if to := s.Canonical(b); !slices.Equal(to, from) {
			return s.code(to)
		}
	}
	panic("blocks: no other network one choice away")
}

// Feature implements space.Space, in words such as "block 3: mbconv_e6_k5"; blocks count from 1.
func (s *Space) Feature(i int) string {
	if i < 0 {
		return ""
	}
	for b, r := range s.rows {
		if i < len(r.choices) {
			return fmt.Sprintf("block %d: %s", b+1, r.choices[i].Name())
		}
		i -= len(r.choices)
	}
	return ""
}
