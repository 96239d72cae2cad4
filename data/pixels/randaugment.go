package pixels

import (
	"fmt"
	"math/rand/v2"
)

// RandAugment applies N operations to an image, each drawn from 14, all at magnitude M
// (Cubuk et al. 2019, arXiv 1909.13719). The magnitude is one of 31, 0..30, as in torchvision:
// the paper's implementation has the same scale, and torchvision's defaults are N=2, M=9.
type RandAugment struct{ N, M int }

const (
	randOps  = 14 // Identity to Equalize
	randBins = 31 // magnitudes of an operation
	randMost = 16 // operations on one image; more leave nothing to see
)

// Check returns an error that names the first setting out of range.
func (a RandAugment) Check() error {
	if a.N < 1 || a.N > randMost {
		return fmt.Errorf("pixels: randaugment of n=%d operations, want 1..%d", a.N, randMost)
	}
	if a.M < 0 || a.M >= randBins {
		return fmt.Errorf("pixels: randaugment of magnitude m=%d, want 0..%d", a.M, randBins-1)
	}
	return nil
}

// Draw takes an operation and a sign N times.
func (a RandAugment) Draw(r *rand.Rand, ops []Drawn, h, w int) []Drawn {
	for range a.N {
		o := Op(r.IntN(randOps))
		negative := r.IntN(2) == 1
		d := Drawn{o, level(o, a.M, randBins, h, w)}
		if negative && signed(o) {
			d.Magnitude = -d.Magnitude
		}
		ops = append(ops, d)
	}
	return ops
}
