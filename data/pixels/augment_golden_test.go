package pixels

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"slices"
	"testing"
)

// augmentGolden is the file that testdata/augment_golden.py writes and describes.
type augmentGolden struct {
	Images   map[string]augmentImage
	Cases    []augmentCase
	Sweep    []augmentCase
	Colours  []json.RawMessage
	Policies map[string]json.RawMessage
	Levels   []augmentLevel
}

type augmentImage struct {
	h, w int
	pix  []uint8
}

type augmentCase struct {
	image string
	ops   []Drawn
	want  []uint8 // the bytes, or in a sweep
	sum   uint32  // their CRC-32
}

type augmentLevel struct {
	op            Op
	i, bins, h, w int
	want          float64
}

// tuple decodes a JSON array into fields.
func tuple(b []byte, fields ...any) error {
	var parts []json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil {
		return err
	}
	if len(parts) != len(fields) {
		return fmt.Errorf("%d fields, want %d", len(parts), len(fields))
	}
	for i, f := range fields {
		if err := json.Unmarshal(parts[i], f); err != nil {
			return err
		}
	}
	return nil
}

func (g *augmentImage) UnmarshalJSON(b []byte) error { return tuple(b, &g.h, &g.w, &g.pix) }

func (g *augmentCase) UnmarshalJSON(b []byte) error {
	var want json.RawMessage
	if err := tuple(b, &g.image, &g.ops, &want); err != nil {
		return err
	}
	if want[0] == '"' {
		return json.Unmarshal(want, &g.want)
	}
	return json.Unmarshal(want, &g.sum)
}

func (g *augmentLevel) UnmarshalJSON(b []byte) error {
	return tuple(b, &g.op, &g.i, &g.bins, &g.h, &g.w, &g.want)
}

func (d *Drawn) UnmarshalJSON(b []byte) error { return tuple(b, &d.Op, &d.Magnitude) }

func (o *Op) UnmarshalJSON(b []byte) error {
	var name string
	if err := json.Unmarshal(b, &name); err != nil {
		return err
	}
	i := slices.Index(opNames[:], name)
	if i < 0 {
		return fmt.Errorf("no operation %q", name)
	}
	*o = Op(i)
	return nil
}

func readAugmentGolden(t *testing.T) (g augmentGolden) {
	t.Helper()
	readGolden(t, "testdata/augment_golden.json.gz", &g)
	return g
}

// readGolden decodes a file of compressed JSON into v.
func readGolden(t *testing.T, file string, v any) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(v); err != nil {
		t.Fatal(err)
	}
}

// difference tells how got differs from want.
func difference(got, want []uint8) string {
	n, most, at := 0, 0, -1
	for i := range want {
		if d := max(int(got[i])-int(want[i]), int(want[i])-int(got[i])); d > 0 {
			if n++; d > most {
				most, at = d, i
			}
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d bytes differ, most byte %d: %d, want %d", n, len(want), at, got[at], want[at])
}

func TestApplyEqualsTorchvision(t *testing.T) {
	g := readAugmentGolden(t)
	compareCases(t, g.Images, g.Cases, 0, Hue)
}

// compareCases applies the operations of each case, and wants at least 8 cases of each of
// those from first to last.
func compareCases(t *testing.T, images map[string]augmentImage, cases []augmentCase, first, last Op) {
	t.Helper()
	var s Scratch
	seen := map[Op]int{}
	for _, c := range cases {
		seen[c.ops[0].Op]++
		if d := difference(c.applied(images, &s), c.want); d != "" {
			t.Errorf("%s after %v: %s", c.image, c.ops, d)
		}
	}
	for o := first; o <= last; o++ {
		if seen[o] < 8 {
			t.Errorf("%d cases of %v, want at least 8", seen[o], o)
		}
	}
}

// compareSums works like compareCases on cases of which the file has sums, at least so many.
func compareSums(t *testing.T, images map[string]augmentImage, cases []augmentCase, least int) {
	t.Helper()
	if len(cases) < least {
		t.Fatalf("%d cases, want at least %d", len(cases), least)
	}
	var s Scratch
	for _, c := range cases {
		if sum := crc32.ChecksumIEEE(c.applied(images, &s)); sum != c.sum {
			t.Errorf("%s after %v: sum %08x, want %08x", c.image, c.ops, sum, c.sum)
		}
	}
}

// applied is the image of a case after its operations.
func (c augmentCase) applied(images map[string]augmentImage, s *Scratch) []uint8 {
	img := images[c.image]
	got := slices.Clone(img.pix)
	Apply(got, img.h, img.w, c.ops, s)
	return got
}

// Every magnitude that a policy can draw, ColorJitter's sequences, and whole draws of
// torchvision's policies.
func TestApplyEqualsTorchvisionEverywhere(t *testing.T) {
	g := readAugmentGolden(t)
	compareSums(t, g.Images, g.Sweep, 2000)
}

// Hue and Color each look at a pixel by itself, so that all colours are all there is to test.
func TestColoursEqualTorchvision(t *testing.T) {
	if testing.Short() {
		t.Skip("all 2^24 colours")
	}
	g := readAugmentGolden(t)
	if len(g.Colours) != 2 {
		t.Fatalf("%d cases", len(g.Colours))
	}
	for _, raw := range g.Colours {
		var d Drawn
		var want, got uint32
		if err := tuple(raw, &d.Op, &d.Magnitude, &want); err != nil {
			t.Fatal(err)
		}
		var s Scratch
		plane := make([]uint8, 256*256*3)
		for red := range 256 {
			for i := range 256 * 256 {
				plane[i*3], plane[i*3+1], plane[i*3+2] = uint8(red), uint8(i>>8), uint8(i)
			}
			Apply(plane, 256, 256, []Drawn{d}, &s)
			got = crc32.Update(got, crc32.IEEETable, plane)
		}
		if got != want {
			t.Errorf("all colours after %v: sum %08x, want %08x", d, got, want)
		}
	}
}

// torchvision rounds its magnitudes to float32 more than once. Those here may lie one unit in
// the last place beside them, but the images must not differ.
func TestLevelsEqualTorchvision(t *testing.T) {
	g := readAugmentGolden(t)
	var s Scratch
	apart := 0
	for _, l := range g.Levels {
		got := level(l.op, l.i, l.bins, l.h, l.w)
		a, b := float32(got), float32(l.want)
		if float64(a) != got || !(math.Abs(float64(a)-float64(b)) <= float64(math.Nextafter32(b, math.MaxFloat32)-b)) {
			t.Errorf("%v number %d of %d for %dx%d: %v, want %v", l.op, l.i, l.bins, l.h, l.w, got, l.want)
		}
		if got == l.want {
			continue
		}
		apart++
		for _, img := range g.Images {
			if img.h != l.h || img.w != l.w {
				continue
			}
			ours, theirs := slices.Clone(img.pix), slices.Clone(img.pix)
			Apply(ours, img.h, img.w, []Drawn{{l.op, got}}, &s)
			Apply(theirs, img.h, img.w, []Drawn{{l.op, l.want}}, &s)
			if d := difference(ours, theirs); d != "" {
				t.Errorf("%v %v and %v: %s", l.op, got, l.want, d)
			}
		}
	}
	t.Logf("%d of %d magnitudes apart", apart, len(g.Levels))
}

func TestPoliciesEqualTorchvision(t *testing.T) {
	g := readAugmentGolden(t)
	for name, p := range map[string]AutoAugment{
		"autoaugment-cifar10": autoAugmentCIFAR10, "autoaugment-imagenet": autoAugmentImageNet,
	} {
		var want [][2]json.RawMessage
		if err := json.Unmarshal(g.Policies[name], &want); err != nil {
			t.Fatal(err)
		}
		if len(p) != len(want) {
			t.Fatalf("%s: %d sub-policies, want %d", name, len(p), len(want))
		}
		for i, sub := range want {
			for k, raw := range sub {
				var o Op
				var probability float64
				var magnitude *int
				if err := tuple(raw, &o, &probability, &magnitude); err != nil {
					t.Fatal(err)
				}
				w := autoOp{Op: o, Probability: int(math.Round(probability * 10))}
				if magnitude != nil {
					w.Magnitude = *magnitude
				}
				if p[i][k] != w {
					t.Errorf("%s: operation %d of sub-policy %d is %v, want %v", name, k, i, p[i][k], w)
				}
			}
		}
	}
	var ops []Op
	if err := json.Unmarshal(g.Policies["randaugment"], &ops); err != nil {
		t.Fatal(err)
	}
	for i, o := range ops {
		if o != Op(i) || len(ops) != randOps {
			t.Fatalf("operations of randaugment: %v", ops)
		}
	}
}
