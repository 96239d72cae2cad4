package pixels

import (
	"encoding/json"
	"math"
	"testing"
)

// laNetGolden is the file that testdata/lanet_golden.py writes and describes.
type laNetGolden struct {
	Images map[string]augmentImage
	Cases  []augmentCase
	Sweep  []augmentCase
	Policy [][2]json.RawMessage
	Levels []json.RawMessage
}

func readLaNetGolden(t *testing.T) (g laNetGolden) {
	t.Helper()
	readGolden(t, "testdata/lanet_golden.json.gz", &g)
	return g
}

func TestCubicEqualsScipy(t *testing.T) {
	g := readLaNetGolden(t)
	compareCases(t, g.Images, g.Cases, CubicShearX, numOps-1)
	compareSums(t, g.Images, g.Sweep, 2500)
}

// The table of AutoAugment for CIFAR-10 is LaNet's too, but for numbers that say nothing.
func TestLaNetPolicy(t *testing.T) {
	g := readLaNetGolden(t)
	if len(g.Policy) != len(autoAugmentCIFAR10) {
		t.Fatalf("%d sub-policies, want %d", len(autoAugmentCIFAR10), len(g.Policy))
	}
	for i, sub := range g.Policy {
		for k, raw := range sub {
			var want autoOp
			if err := tuple(raw, &want.Op, &want.Probability, &want.Magnitude); err != nil {
				t.Fatal(err)
			}
			if laNetRanges[want.Op].end == 0 {
				want.Magnitude = 0
			}
			if got := autoAugmentCIFAR10[i][k]; got != want {
				t.Errorf("operation %d of sub-policy %d is %v, want %v", k, i, got, want)
			}
		}
	}
}

func TestLaNetLevels(t *testing.T) {
	g := readLaNetGolden(t)
	ops := map[Op]bool{}
	for _, raw := range g.Levels {
		var op autoOp
		var place, want float64
		var h, w int
		if err := tuple(raw, &op.Op, &op.Magnitude, &place, &h, &w, &want); err != nil {
			t.Fatal(err)
		}
		got := laNetDrawn(op, place, h, w)
		ops[got.Op] = true
		if !(math.Abs(got.Magnitude-want) <= 1e-13*max(1, math.Abs(want))) {
			t.Errorf("%v number %d at %v: %v, want %v", op.Op, op.Magnitude, place, got.Magnitude, want)
		}
	}
	for o := range numOps {
		if l := laNetRanges[o]; l.end != 0 && !ops[l.op] {
			t.Errorf("no magnitude of %v", o)
		}
	}
}
