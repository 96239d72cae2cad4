package pixels

import (
	"math"
	"math/rand/v2"
)

// Erase is random erasing (Zhong et al. 2017, arXiv 1708.04896) with torchvision's limits:
// with probability P a rectangle of 2% to 33% of the image is erased, with its height 0.3 to
// 3.3 times its width. The logarithm of that ratio is uniform, so that tall and wide ones are
// alike in number; in the paper the ratio itself is.
type Erase struct{ P float64 }

const (
	eraseAreaLow, eraseAreaHigh   = 0.02, 0.33
	eraseRatioLow, eraseRatioHigh = 0.3, 3.3
	eraseTries                    = 10
)

// Draw returns the rectangle to erase in an image (h,w,3), an empty one for none. A rectangle
// as high or as wide as the image is drawn again, up to ten times; then nothing is erased.
func (e Erase) Draw(r *rand.Rand, h, w int) Rect {
	if !(r.Float64() < e.P) {
		return Rect{}
	}
	low, high := math.Log(eraseRatioLow), math.Log(eraseRatioHigh)
	for range eraseTries {
		area := float64(h) * float64(w) * uniform(r, eraseAreaLow, eraseAreaHigh)
		ratio := math.Exp(uniform(r, low, high))
		eh := int(math.RoundToEven(math.Sqrt(area * ratio)))
		ew := int(math.RoundToEven(math.Sqrt(area / ratio)))
		if eh >= h || ew >= w {
			continue
		}
		y, x := r.IntN(h-eh+1), r.IntN(w-ew+1)
		return Rect{Y0: y, X0: x, Y1: y + eh, X1: x + ew}
	}
	return Rect{}
}
