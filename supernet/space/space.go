package space

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"math/rand/v2"

	"oneshot/supernet/net"
)

// Arch is an architecture: a list of choices, each the number of what was chosen.
// Its space says what they mean. nil is no architecture.
type Arch []int

// Space is a set of architectures. It is a value without state.
type Space interface {
	// Name is how texts name the space, such as lanas5: a family, a size, and its rules
	// where they are not the default. It is the Name of Named.
	Name() string
	// Named is how a configuration names the space; its Open returns the space.
	Named() Named
	// Size is the number of canonical architectures.
	Size() *big.Int
	// Check returns a *FieldError for the first choice that is not of the space.
	Check(a Arch) error
	// Canonical is the architecture that stands for all whose networks are the same
	// function as that of a, which is of the space: of them it alone is drawn, scored and
	// hashed. Most spaces have no such twins, and return a itself.
	Canonical(a Arch) Arch
	// Sample draws uniformly from the canonical architectures.
	Sample(r *rand.Rand) Arch

	// Geometry is the depth and the width that its networks usually have.
	Geometry() net.Geometry

	// Fits reports the first part of a size that no network of the space can have.
	Fits(z net.Size) error
	// Describe lists the layers of the network of a, built to the given size; with
	// a nil those of the supernet, in which every candidate of every choice exists.
	// Twins have one network, that of the canonical one; what it costs is said of each
	// (net.Network.Unread). It is an error when a or the size do not fit.
	Describe(z net.Size, a Arch) (*net.Network, error)
	// Uses counts how often an architecture uses each kind of operation, in a fixed order.
	Uses(a Arch) []Use

	// Format writes the text form: one shell-safe line that begins with the space's
	// name and a colon. Parse reads it.
	Format(a Arch) string
	Parse(text string) (Arch, error)
	// MarshalArch writes the JSON form: an object whose field "space" names family
	// and size, see ParseAny. UnmarshalArch reads it; unknown and missing fields are errors.
	MarshalArch(a Arch) ([]byte, error)
	UnmarshalArch(b []byte) (Arch, error)

	// Dim is the length of the 0/1 codes that searches work on. Encode writes that of
	// the canonical form of an architecture, nil where Sample never draws it; Decode reads one.
	Dim() int
	Encode(a Arch) []byte
	Decode(code []byte) (Arch, error)
	// MutateCode draws the code of another canonical architecture, one choice away. code is
	// not changed.
	MutateCode(code []byte, r *rand.Rand) []byte
	// Feature says in words what entry i of a code stands for; "" outside it.
	Feature(i int) string
}

// Use is how often an architecture uses an operation.
type Use struct {
	Op string
	N  int
}

// Hash is a short stable name of an architecture: the first 12 hexadecimal digits
// of the SHA-256 of its canonical text form.
func Hash(s Space, a Arch) string {
	h := sha256.Sum256([]byte(s.Format(s.Canonical(a))))
	return hex.EncodeToString(h[:6])
}

// FieldError names the part of an architecture or configuration that is wrong.
type FieldError struct {
	Field string // such as reduce.node[2].pair[1].op
	Msg   string
}

func (e *FieldError) Error() string {
	if e.Field == "space" {
		return "space: " + e.Msg
	}
	return fmt.Sprintf("space: %s: %s", e.Field, e.Msg)
}
