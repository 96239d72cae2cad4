package pixels

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func testPolicies(t *testing.T) map[string]Policy {
	t.Helper()
	policies := map[string]Policy{"jitter": Jitter{0.4, 2, 0.4, 0.1}}
	for _, name := range PolicyNames() {
		p, err := NewPolicy(name, 2, 9)
		if err != nil {
			t.Fatal(err)
		}
		policies[name] = p
	}
	return policies
}

func TestNewPolicyRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		n, m int
	}{{"", 2, 9}, {"autoaugment", 2, 9}, {"randaugment", 0, 9}, {"randaugment", 17, 9}, {"randaugment", 2, -1}, {"randaugment", 2, 31}} {
		if _, err := NewPolicy(c.name, c.n, c.m); err == nil {
			t.Errorf("%q of %d, %d is accepted", c.name, c.n, c.m)
		}
	}
}

// Each operation's magnitudes stay inside its range, and have both signs where it has two sides.
func TestDrawsStayInRange(t *testing.T) {
	const h, w = 64, 331
	for name, p := range testPolicies(t) {
		r := rand.New(rand.NewPCG(5, 6))
		var ops []Drawn
		negative, positive := map[Op]bool{}, map[Op]bool{}
		for range 5000 {
			ops = p.Draw(r, ops[:0], h, w)
			if len(ops) > 4 {
				t.Fatalf("%s drew %v", name, ops)
			}
			for _, d := range ops {
				lo, hi := 0.0, 0.0
				switch d.Op {
				case ShearX, ShearY, CubicShearX, CubicShearY:
					lo, hi = -0.30000002, 0.30000002
				case TranslateX, CubicTranslateX:
					lo, hi = -150, 150
				case TranslateY, CubicTranslateY:
					lo, hi = -29.1, 29.1
				case Rotate, CubicRotate:
					lo, hi = -30, 30
				case Brightness, Color, Contrast, Sharpness:
					lo, hi = -0.90000004, 0.90000004
					if name == "jitter" && d.Op == Contrast {
						lo, hi = -1, 2
					}
				case Posterize:
					lo, hi = 4, 8
				case Solarize:
					hi = 256
				case Hue:
					lo, hi = -0.1, 0.1
				}
				if !(d.Magnitude >= lo && d.Magnitude <= hi) {
					t.Fatalf("%s drew %v, outside %v..%v", name, d, lo, hi)
				}
				if d.Magnitude < 0 {
					negative[d.Op] = true
				} else if lo < 0 {
					positive[d.Op] = true
				}
			}
		}
		// LaNet's magnitudes have no random sign: each sub-policy has its side.
		if len(positive) < 4 || len(positive) != len(negative) && name != "autoaugment-lanet" {
			t.Errorf("%s: %d operations have positive magnitudes and %d negative", name, len(positive), len(negative))
		}
	}
}

func TestSameGeneratorDrawsTheSame(t *testing.T) {
	for name, p := range testPolicies(t) {
		a, b := rand.New(rand.NewPCG(7, 8)), rand.New(rand.NewPCG(7, 8))
		for range 100 {
			x, y := p.Draw(a, nil, 32, 32), p.Draw(b, nil, 32, 32)
			if !slices.Equal(x, y) {
				t.Fatalf("%s drew %v, then %v", name, x, y)
			}
		}
		// Draw appends.
		first := Drawn{Solarize, 1.5}
		if got := p.Draw(a, []Drawn{first}, 32, 32); got[0] != first {
			t.Errorf("%s lost what was drawn before: %v", name, got)
		}
	}
}

// A sub-policy whose operations have probability p applies them that often.
func TestAutoAugmentKeepsProbabilities(t *testing.T) {
	p := AutoAugment{{{Equalize, 3, 0}, {Rotate, 8, 9}}}
	r := rand.New(rand.NewPCG(9, 10))
	const n = 20000
	count := map[Op]int{}
	for range n {
		for _, d := range p.Draw(r, nil, 32, 32) {
			count[d.Op]++
		}
	}
	// Five standard deviations of the mean are at most 5*sqrt(n/4) = 354.
	for o, want := range map[Op]int{Equalize: n * 3 / 10, Rotate: n * 8 / 10} {
		if got := count[o]; got < want-354 || got > want+354 {
			t.Errorf("%v was applied %d times of %d, want about %d", o, got, n, want)
		}
	}
}

func TestRandAugmentDrawsAllOperations(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	count := map[Op]int{}
	for range 700 {
		for _, d := range (RandAugment{N: 2, M: 9}).Draw(r, nil, 32, 32) {
			count[d.Op]++
		}
	}
	for o := range Op(randOps) {
		if n := count[o]; n < 50 || n > 150 {
			t.Errorf("%v came %d times of 1400", o, n)
		}
	}
	if len(count) != randOps {
		t.Errorf("%d operations, want %d", len(count), randOps)
	}
}

func TestJitter(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	orders := map[[4]Op]int{}
	for range 2400 {
		ops := (Jitter{1, 1, 1, 0.5}).Draw(r, nil, 32, 32)
		orders[[4]Op{ops[0].Op, ops[1].Op, ops[2].Op, ops[3].Op}]++
	}
	if len(orders) != 24 {
		t.Errorf("%d orders, want 24", len(orders))
	}
	for order, n := range orders {
		if n < 50 || n > 150 {
			t.Errorf("order %v came %d times of 2400", order, n)
		}
	}
	if ops := (Jitter{Contrast: 0.2}).Draw(r, nil, 32, 32); len(ops) != 1 || ops[0].Op != Contrast {
		t.Errorf("contrast alone drew %v", ops)
	}
}
