package pixels

import (
	"math"
	"math/rand/v2"
)

// Shorter returns the size of an image of h x w whose shorter side becomes size: torchvision's
// Resize(size), which cuts off what is left of the longer side.
func Shorter(h, w, size int) (outH, outW int) {
	if w <= h {
		return int(float64(size*h) / float64(w)), size
	}
	return size, int(float64(size*w) / float64(h))
}

// Center returns the middle cropH x cropW pixels of an image of h x w that has as many at
// least: torchvision's CenterCrop, which rounds halves to even.
func Center(h, w, cropH, cropW int) Rect {
	y := int(math.RoundToEven(float64(h-cropH) / 2))
	x := int(math.RoundToEven(float64(w-cropW) / 2))
	return Rect{y, x, y + cropH, x + cropW}
}

// ShorterCenter returns how an image of h x w is scaled and which window of it is seen in an
// evaluation at side x side pixels: Resize(side/crop) and CenterCrop(side). crop is the share of
// the shorter side that is seen, over 0 and at most 1; 0.875 is usual.
func ShorterCenter(h, w, side int, crop float64) (outH, outW int, window Rect) {
	outH, outW = Shorter(h, w, int(float64(side)/crop))
	return outH, outW, Center(outH, outW, side, side)
}

// RandomBox draws the box of torchvision's RandomResizedCrop for an image of h x w: a share of
// its area between minArea and 1, and a ratio of width to height between 3/4 and 4/3, even on
// a logarithmic scale. Ten draws that do not fit give the largest central box of such a ratio.
func RandomBox(r *rand.Rand, h, w int, minArea float64) Rect {
	const minRatio, maxRatio = 3. / 4, 4. / 3
	for range 10 {
		// The conversions keep a compiler from fusing a product with a sum.
		share := minArea + float64((1-minArea)*r.Float64())
		ratio := math.Exp(math.Log(minRatio) + float64(math.Log(maxRatio/minRatio)*r.Float64()))
		if boxH, boxW := boxSides(h, w, share, ratio); 0 < boxH && boxH <= h && 0 < boxW && boxW <= w {
			y, x := r.IntN(h-boxH+1), r.IntN(w-boxW+1)
			return Rect{y, x, y + boxH, x + boxW}
		}
	}
	return centralBox(h, w, minRatio, maxRatio)
}

// boxSides returns the sides of a box that has a share of an image's area and a ratio of
// width to height.
func boxSides(h, w int, share, ratio float64) (boxH, boxW int) {
	area := float64(h*w) * share
	return int(math.RoundToEven(math.Sqrt(area / ratio))), int(math.RoundToEven(math.Sqrt(area * ratio)))
}

// centralBox is the largest box in the middle with a ratio in the range.
func centralBox(h, w int, minRatio, maxRatio float64) Rect {
	boxH, boxW := h, w
	switch ratio := float64(w) / float64(h); {
	case ratio < minRatio:
		boxH = int(math.RoundToEven(float64(w) / minRatio))
	case ratio > maxRatio:
		boxW = int(math.RoundToEven(float64(h) * maxRatio))
	}
	y, x := (h-boxH)/2, (w-boxW)/2
	return Rect{y, x, y + boxH, x + boxW}
}
