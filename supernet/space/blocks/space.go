package blocks

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"sync"

	"oneshot/supernet/space"
)

// Kind is that of the spaces that one defines oneself, Macro that of NAS-Bench-Macro.
const (
	Kind  = "blocks"
	Macro = "nasbench-macro"
)

//go:embed nasbench-macro.yaml
var macro []byte

func init() {
	space.RegisterKind(space.Kind{Name: Kind, About: "a row of blocks that one defines oneself, in a file of YAML",
		New: func(n space.Named) (space.Space, error) { return own(n.Blocks) }, Find: find})
	space.RegisterKind(space.Kind{Name: Macro, About: "8 blocks that are nothing or an MBConv of two sizes; all 6,561 networks were trained by its authors (arXiv 2103.11922)",
		New: func(space.Named) (space.Space, error) {
			d, err := Read(macro)
			if err != nil {
				return nil, err
			}
			return &Space{kind: Macro, name: Macro, def: d, rows: rows(d)}, nil
		}})
}

// Space is the set of architectures of a definition.
type Space struct {
	kind, name, text string
	def              Definition
	rows             []row
}

// known are the spaces of one's own that were opened, by name: a text names only that. What a
// name stands for never changes, as it holds a checksum.
var known sync.Map

// own opens a space of one's own.
func own(text string) (space.Space, error) {
	if text == "" {
		return nil, &space.FieldError{Field: "blocks", Msg: "is empty: --space FILE names a file of YAML that says what the space is"}
	}
	d, err := Read([]byte(text))
	if err != nil {
		return nil, err
	}
	s := &Space{kind: Kind, text: d.Text(), def: d, rows: rows(d)}
	if s.Size().Cmp(big.NewInt(1)) <= 0 {
		return nil, &space.FieldError{Field: "choices", Msg: "leave nothing to choose: the space has one network"}
	}
	sum := sha256.Sum256([]byte(s.text))
	s.name = d.Name + "@" + hex.EncodeToString(sum[:4])
	known.Store(s.name, s.text)
	return s, nil
}

// find is the space of one's own that a text begins with.
func find(head string) (n space.Named, ok bool) {
	text, ok := known.Load(head)
	if !ok {
		return n, false
	}
	n = space.OfKind(Kind)
	n.Blocks = text.(string)
	return n, true
}

// Named implements space.Space.
func (s *Space) Named() space.Named {
	n := space.OfKind(s.kind)
	n.Blocks = s.text
	return n
}

// Name implements space.Space: nasbench-macro, my-space@72e235ba.
func (s *Space) Name() string { return s.name }

// Definition is what the space consists of.
func (s *Space) Definition() Definition { return s.def }

// Candidates implements space.Independent.
func (s *Space) Candidates() []int {
	var n []int
	for _, r := range s.rows {
		n = append(n, len(r.choices))
	}
	return n
}

// Check implements space.Space.
func (s *Space) Check(a space.Arch) error {
	if len(a) != len(s.rows) {
		return &space.FieldError{Field: "arch", Msg: fmt.Sprintf("has %d blocks, want %d", len(a), len(s.rows))}
	}
	for i, c := range a {
		if c < 0 || c >= len(s.rows[i].choices) {
			return &space.FieldError{Field: fmt.Sprintf("layers[%d]", i), Msg: fmt.Sprintf("%d, want 0 to %d", c, len(s.rows[i].choices)-1)}
		}
	}
	return nil
}

// groups calls f for every row of blocks that may change places: those from lo to hi.
func (s *Space) groups(f func(lo, hi int)) {
	for lo := 0; lo < len(s.rows); {
		hi := lo + 1
		for hi < len(s.rows) && !s.rows[hi].begins {
			hi++
		}
		f(lo, hi)
		lo = hi
	}
}

// Canonical implements space.Space: blocks that do nothing stand at the end of their row.
func (s *Space) Canonical(a space.Arch) space.Arch {
	out := make(space.Arch, 0, len(a))
	s.groups(func(lo, hi int) {
		pass := s.rows[lo].pass
		for _, c := range a[lo:hi] {
			if c != pass {
				out = append(out, c)
			}
		}
		for len(out) < hi {
			out = append(out, pass)
		}
	})
	return out
}

// Size implements space.Space. A row of L blocks with n candidates, one of which does nothing,
// is 1 + (n-1) + ... + (n-1)^L functions.
func (s *Space) Size() *big.Int {
	size := big.NewInt(1)
	s.groups(func(lo, hi int) {
		n := int64(len(s.rows[lo].choices))
		row := big.NewInt(1)
		for range hi - lo {
			if s.rows[lo].pass < 0 {
				row.Mul(row, big.NewInt(n))
			} else {
				row.Add(row.Mul(row, big.NewInt(n-1)), big.NewInt(1))
			}
		}
		size.Mul(size, row)
	})
	return size
}

// Sample implements space.Space.
func (s *Space) Sample(r *rand.Rand) space.Arch {
	a := make(space.Arch, 0, len(s.rows))
	s.groups(func(lo, hi int) {
		n, pass := len(s.rows[lo].choices), s.rows[lo].pass
		if pass < 0 {
			for range hi - lo {
				a = append(a, r.IntN(n))
			}
			return
		}
		for len(a) < hi {
			// Of all ways to fill the rest, one has nothing in all of it.
			if ways := sumOfPowers(n-1, hi-len(a)); r.Float64()*ways < 1 {
				for len(a) < hi {
					a = append(a, pass)
				}
				return
			}
			c := r.IntN(n - 1)
			if c >= pass {
				c++
			}
			a = append(a, c)
		}
	})
	return a
}

// sumOfPowers is 1 + n + ... + n^k.
func sumOfPowers(n, k int) float64 {
	sum := 0.0
	for i := range k + 1 {
		sum += math.Pow(float64(n), float64(i))
	}
	return sum
}

// Uses implements space.Space: in all blocks together, in the order of the definition.
func (s *Space) Uses(a space.Arch) (uses []space.Use) {
	for i, r := range s.rows {
		for k, c := range r.choices {
			at := slices.IndexFunc(uses, func(u space.Use) bool { return u.Op == c.Name() })
			if at < 0 {
				at = len(uses)
				uses = append(uses, space.Use{Op: c.Name()})
			}
			if a[i] == k {
				uses[at].N++
			}
		}
	}
	return uses
}
