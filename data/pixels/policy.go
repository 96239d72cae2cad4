package pixels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// Policy draws the operations that distort one training image.
type Policy interface {
	// Draw appends the operations for an image (h,w,3) to ops.
	Draw(r *rand.Rand, ops []Drawn, h, w int) []Drawn
}

// PolicyNames returns the names that NewPolicy knows.
func PolicyNames() []string {
	return []string{"autoaugment-cifar10", "autoaugment-imagenet", "autoaugment-lanet", "randaugment"}
}

// NewPolicy returns a policy by name. Only randaugment has use for n and m; see RandAugment.
func NewPolicy(name string, n, m int) (Policy, error) {
	switch name {
	case "autoaugment-cifar10":
		return autoAugmentCIFAR10, nil
	case "autoaugment-imagenet":
		return autoAugmentImageNet, nil
	case "autoaugment-lanet":
		return laNetAugment(autoAugmentCIFAR10), nil
	case "randaugment":
		p := RandAugment{N: n, M: m}
		return p, p.Check()
	}
	return nil, fmt.Errorf("pixels: unknown policy %q, want one of %s", name, strings.Join(PolicyNames(), ", "))
}

// signed reports whether half of the draws of o have their magnitude negated.
func signed(o Op) bool { return o >= ShearX && o <= Sharpness }

// level returns magnitude number i of bins, 0 <= i < bins, of o for an image (h,w,3): those of
// torchvision's AutoAugment and RandAugment. Both papers give the ranges, as the strongest
// distortion at the last number, except that a translation is 150 pixels there on images of
// 331, so that torchvision scales it. torchvision computes in float32, and is up to one unit
// in the last place away from this.
func level(o Op, i, bins, h, w int) float64 {
	switch o {
	case ShearX, ShearY:
		return linspace(0, 0.3, i, bins)
	case TranslateX:
		return linspace(0, float32(150.0/331*float64(w)), i, bins)
	case TranslateY:
		return linspace(0, float32(150.0/331*float64(h)), i, bins)
	case Rotate:
		return linspace(0, 30, i, bins)
	case Brightness, Color, Contrast, Sharpness:
		return linspace(0, 0.9, i, bins)
	case Posterize:
		return 8 - math.RoundToEven(float64(i)*4/float64(bins-1))
	case Solarize:
		return linspace(255, 0, i, bins)
	}
	return 0
}

// linspace returns number i of n float32 values evenly spaced from first to last. One in the
// upper half is reached from the last, as in PyTorch, so that both ends are exact.
func linspace(first, last float32, i, n int) float64 {
	step := float64((last - first) / float32(n-1))
	if i < n/2 {
		return float64(float32(float64(first) + step*float64(i)))
	}
	return float64(float32(float64(last) - step*float64(n-1-i)))
}
