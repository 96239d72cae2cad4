package landscape

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func mustChoices(t testing.TB, sizes ...int) *Choices {
	t.Helper()
	c, err := NewChoices(sizes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKeysNameEveryArchitecture(t *testing.T) {
	c := mustChoices(t, 3, 1, 2)
	var keys []string
	c.each(func(arch []int) {
		code, err := c.Code(arch)
		if err != nil {
			t.Fatal(err)
		}
		key := c.Key(code)
		back, err := c.Parse(key)
		if err != nil || string(back) != string(code) {
			t.Errorf("Parse(%q) = %v, %v, want %v", key, back, err, code)
		}
		if got, err := c.Arch(code); err != nil || !slices.Equal(got, arch) {
			t.Errorf("Arch(%v) = %v, %v, want %v", code, got, err, arch)
		}
		keys = append(keys, key)
	})
	if want := "0.0.0 0.0.1 1.0.0 1.0.1 2.0.0 2.0.1"; strings.Join(keys, " ") != want {
		t.Errorf("architectures %v, want %s", keys, want)
	}
	if c.Size() != 6 || c.Dim() != 6 {
		t.Errorf("size %v and dim %d, want 6 and 6", c.Size(), c.Dim())
	}
	var features []string
	for i := range c.Dim() {
		features = append(features, c.Feature(i))
	}
	if want := "block 0 = 0,block 0 = 1,block 0 = 2,block 1 = 0,block 2 = 0,block 2 = 1"; strings.Join(features, ",") != want {
		t.Errorf("features %q, want %s", features, want)
	}
}

func TestParseTakesWhatKeyWrites(t *testing.T) {
	c := mustChoices(t, 3, 1, 12)
	for key, want := range map[string]string{
		"":                         "names 1 blocks, want 3",
		"0.0":                      "names 2 blocks, want 3",
		"0.0.0.0":                  "names 4 blocks, want 3",
		"3.0.0":                    `block 0 takes candidate "3", want 0..2`,
		"0.1.0":                    `block 1 takes candidate "1", want 0..0`,
		"0.0.12":                   `block 2 takes candidate "12", want 0..11`,
		"-1.0.0":                   `candidate "-1"`,
		"+1.0.0":                   `candidate "+1"`,
		"01.0.0":                   `candidate "01"`,
		"1.0. 1":                   `candidate " 1"`,
		"1..1":                     `candidate ""`,
		"1.0.99999999999999999999": `block 2`,
	} {
		if code, err := c.Parse(key); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q) = %v, %v, want an error with %q", key, code, err, want)
		}
	}
}

func TestArchRefusesWhatIsNoCode(t *testing.T) {
	c := mustChoices(t, 2, 2)
	for _, code := range [][]byte{nil, {1, 0, 1}, {1, 1, 1, 0}, {0, 0, 1, 0}, {2, 0, 1, 0}, {1, 2, 0, 1}} {
		if arch, err := c.Arch(code); err == nil {
			t.Errorf("Arch(%v) = %v, want an error", code, arch)
		}
	}
	for _, arch := range [][]int{nil, {0}, {0, 2}, {-1, 0}} {
		if code, err := c.Code(arch); err == nil {
			t.Errorf("Code(%v) = %v, want an error", arch, code)
		}
	}
}

func TestChoicesAreBounded(t *testing.T) {
	for _, sizes := range [][]int{nil, {0}, {-1}, {2, 65}, make([]int, 65)} {
		if _, err := NewChoices(sizes); err == nil {
			t.Errorf("NewChoices(%v) gave no error", sizes)
		}
	}
	c := mustChoices(t, slices.Repeat([]int{64}, 64)...)
	if c.Dim() != 4096 || math.IsInf(c.Size(), 0) {
		t.Errorf("dim %d and size %v", c.Dim(), c.Size())
	}
}

// counts are how often f gives each architecture.
func counts(c *Choices, n int, f func() []byte) map[string]int {
	seen := map[string]int{}
	for range n {
		seen[c.Key(f())]++
	}
	return seen
}

// wantUniform allows 5 standard deviations of a binomial count.
func wantUniform(t *testing.T, what string, seen map[string]int, kinds, draws int) {
	t.Helper()
	if len(seen) != kinds {
		t.Errorf("%s: %d different, want %d: %v", what, len(seen), kinds, seen)
	}
	mean := float64(draws) / float64(kinds)
	for key, n := range seen {
		if !(math.Abs(float64(n)-mean) <= 5*math.Sqrt(mean)) {
			t.Errorf("%s: %s came %d times, want about %.0f", what, key, n, mean)
		}
	}
}

func TestSampleIsUniform(t *testing.T) {
	c, r := mustChoices(t, 3, 1, 4), rand.New(rand.NewPCG(1, 2))
	wantUniform(t, "sample", counts(c, 12000, func() []byte { return c.Sample(r) }), 12, 12000)
}

// TestMutateIsUniformOverNeighbours: blocks of more candidates change more often.
func TestMutateIsUniformOverNeighbours(t *testing.T) {
	c, r := mustChoices(t, 2, 1, 5), rand.New(rand.NewPCG(3, 4))
	code, err := c.Parse("1.0.3")
	if err != nil {
		t.Fatal(err)
	}
	seen := counts(c, 10000, func() []byte { return c.Mutate(code, r) })
	wantUniform(t, "mutate", seen, 5, 10000)
	for _, key := range []string{"0.0.3", "1.0.0", "1.0.1", "1.0.2", "1.0.4"} {
		if seen[key] == 0 {
			t.Errorf("neighbour %s never came", key)
		}
	}
	if c.Key(code) != "1.0.3" {
		t.Errorf("Mutate changed its argument to %s", c.Key(code))
	}
}

func TestMutateWhereThereIsNoNeighbour(t *testing.T) {
	c, r := mustChoices(t, 1, 1), rand.New(rand.NewPCG(5, 6))
	code := c.Sample(r)
	next := c.Mutate(code, r)
	if string(next) != string(code) || &next[0] == &code[0] {
		t.Errorf("Mutate(%v) = %v, want an equal copy", code, next)
	}
}
