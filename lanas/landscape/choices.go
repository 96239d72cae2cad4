package landscape

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"oneshot/lanas"
)

// MaxBlocks and MaxCandidates bound a space of choices; both are at least 1.
const (
	MaxBlocks     = 64
	MaxCandidates = 64
)

// Choices is a space of choice blocks: an architecture takes one candidate of
// each. Its code is one-hot, block after block; its key names the candidates, as
// in "0.1.2". Blocks and candidates are counted from 0.
type Choices struct {
	sizes []int // candidates by block
	start []int // first entry of each block in a code
	block []int // of each entry
	moves int   // neighbours of an architecture: (block, other candidate) pairs
}

var _ lanas.Space = (*Choices)(nil)

// NewChoices returns the space whose block i has sizes[i] candidates.
func NewChoices(sizes []int) (*Choices, error) {
	if len(sizes) < 1 || len(sizes) > MaxBlocks {
		return nil, fmt.Errorf("landscape: %d choice blocks, want 1..%d", len(sizes), MaxBlocks)
	}
	c := &Choices{sizes: slices.Clone(sizes)}
	for i, k := range sizes {
		if k < 1 || k > MaxCandidates {
			return nil, fmt.Errorf("landscape: choices[%d] is %d, want 1..%d", i, k, MaxCandidates)
		}
		c.start = append(c.start, len(c.block))
		c.block = append(c.block, slices.Repeat([]int{i}, k)...)
		c.moves += k - 1
	}
	return c, nil
}

// Sizes are the numbers of candidates by block.
func (c *Choices) Sizes() []int { return slices.Clone(c.sizes) }

// Size is the number of architectures, exact below 2^53.
func (c *Choices) Size() float64 {
	n := 1.0
	for _, k := range c.sizes {
		n *= float64(k)
	}
	return n
}

// Dim implements lanas.Space.
func (c *Choices) Dim() int { return len(c.block) }

// Sample implements lanas.Space; it is uniform.
func (c *Choices) Sample(r *rand.Rand) []byte {
	code := make([]byte, c.Dim())
	for i, k := range c.sizes {
		code[c.start[i]+r.IntN(k)] = 1
	}
	return code
}

// Mutate implements lanas.Space. The neighbour differs in one block and is
// uniform among all such; where there is none it is a copy of code.
func (c *Choices) Mutate(code []byte, r *rand.Rand) []byte {
	code = slices.Clone(code)
	if c.moves == 0 {
		return code
	}
	move := r.IntN(c.moves)
	for i, k := range c.sizes {
		if move >= k-1 {
			move -= k - 1
			continue
		}
		block := code[c.start[i]:][:k]
		old := slices.Index(block, 1)
		block[old] = 0
		block[(old+1+move)%k] = 1
		break
	}
	return code
}

// Code is the code of an architecture, given as a candidate for each block.
func (c *Choices) Code(arch []int) ([]byte, error) {
	if len(arch) != len(c.sizes) {
		return nil, fmt.Errorf("landscape: an architecture of %d blocks, want %d", len(arch), len(c.sizes))
	}
	code := make([]byte, c.Dim())
	for i, j := range arch {
		if j < 0 || j >= c.sizes[i] {
			return nil, fmt.Errorf("landscape: block %d takes candidate %d, want 0..%d", i, j, c.sizes[i]-1)
		}
		code[c.start[i]+j] = 1
	}
	return code, nil
}

// Arch is the inverse of Code.
func (c *Choices) Arch(code []byte) ([]int, error) {
	if len(code) != c.Dim() {
		return nil, fmt.Errorf("landscape: a code of %d entries, want %d", len(code), c.Dim())
	}
	arch := make([]int, len(c.sizes))
	for i, k := range c.sizes {
		block := code[c.start[i]:][:k]
		arch[i] = slices.Index(block, 1)
		for j, v := range block {
			if v > 1 || (v == 1) != (j == arch[i]) {
				return nil, fmt.Errorf("landscape: block %d of a code is %v, want a single 1", i, block)
			}
		}
		if arch[i] < 0 {
			return nil, fmt.Errorf("landscape: block %d of a code is %v, want a single 1", i, block)
		}
	}
	return arch, nil
}

// Key is the name of an architecture: its candidates joined by dots. What is no
// code of the space is shown as it is.
func (c *Choices) Key(code []byte) string {
	arch, err := c.Arch(code)
	if err != nil {
		return fmt.Sprint(code)
	}
	parts := make([]string, len(arch))
	for i, j := range arch {
		parts[i] = strconv.Itoa(j)
	}
	return strings.Join(parts, ".")
}

// Parse is the inverse of Key. It takes what Key writes and nothing else: no
// sign, no space, no leading zero.
func (c *Choices) Parse(key string) ([]byte, error) {
	parts := strings.Split(key, ".")
	if len(parts) != len(c.sizes) {
		return nil, fmt.Errorf("landscape: key %s names %d blocks, want %d", quote(key), len(parts), len(c.sizes))
	}
	code := make([]byte, c.Dim())
	for i, p := range parts {
		j, err := strconv.Atoi(p)
		if err != nil || j < 0 || j >= c.sizes[i] || strconv.Itoa(j) != p {
			return nil, fmt.Errorf("landscape: key %s: block %d takes candidate %s, want 0..%d", quote(key), i, quote(p), c.sizes[i]-1)
		}
		code[c.start[i]+j] = 1
	}
	return code, nil
}

// Feature says in words what entry i of a code is.
func (c *Choices) Feature(i int) string {
	b := c.block[i]
	return fmt.Sprintf("block %d = %d", b, i-c.start[b])
}

// each calls f for every architecture in ascending order of their candidates,
// the last block fastest. f must not keep its argument.
func (c *Choices) each(f func(arch []int)) {
	arch := make([]int, len(c.sizes))
	for {
		f(arch)
		i := len(arch) - 1
		for ; i >= 0; i-- {
			if arch[i]++; arch[i] < c.sizes[i] {
				break
			}
			arch[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// quote shows a string from a file, shortened when it is long.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}
