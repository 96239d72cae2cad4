package pixels

import "math"

// coefBits is the number of binary places of a filter's coefficients. Pillow (Resample.c)
// has as many: 32 bits, less 8 of a pixel and 2 for sums above one.
const coefBits = 32 - 8 - 2

// half is what is added to a sum before its places are cut off.
const half = 1 << (coefBits - 1)

// An axisKey is all that the filter of one direction depends on. Inputs are those of the
// box alone: in torchvision a crop comes first, so the filter sees nothing outside.
type axisKey struct {
	in0, in1 float64 // the box, in inputs; whole numbers but for subsampled planes
	in       int     // number of inputs
	out      int     // number of outputs the box is scaled to
	lo, hi   int     // outputs wanted: lo <= i < hi
}

// An axis is the filter of one direction. Its output i, counted from the start of the
// window, is the sum of count[i] inputs from first[i] on, times coef[i*room:].
type axis struct {
	key   axisKey
	first []int32 // (n), never falling
	count []int32 // (n), at least 1
	coef  []int32 // (n, room), in units of 2^-coefBits
	room  int
	taps  int // the largest count

	weights []float64 // of one output, while it is computed
}

// set computes the filter, and reports false if it is the one that is there. It is the
// triangle of Pillow's BILINEAR: as wide as the scale where that is above one, and with
// coefficients that sum to one. The floating-point operations are those of Pillow's
// precompute_coeffs and normalize_coeffs_8bpc, in their order, so the coefficients are the
// same to the last bit.
func (a *axis) set(key axisKey) bool {
	if a.key == key {
		return false
	}
	n := key.hi - key.lo
	scale := (key.in1 - key.in0) / float64(key.out)
	support := max(scale, 1)
	inverse := 1 / support
	a.key, a.taps = key, 0
	a.room = 2*int(math.Ceil(support)) + 1
	a.first, a.count, a.coef = grow(a.first, n), grow(a.count, n), grow(a.coef, n*a.room)
	a.weights = grow(a.weights, a.room)
	for i := range n {
		// The conversions keep a compiler from fusing a product with a sum.
		center := key.in0 + float64((float64(key.lo+i)+0.5)*scale)
		first := max(int(center-support+0.5), 0)
		w := a.weights[:min(int(center+support+0.5), key.in)-first]
		total := 0.0
		for j := range w {
			w[j] = triangle(float64((float64(first+j) - center + 0.5) * inverse))
			total += w[j]
		}
		coef := a.coef[i*a.room : i*a.room : (i+1)*a.room]
		for j := range w {
			c := int32(0.5 + float64(w[j]/total*(1<<coefBits)))
			if c == 0 && len(coef) == 0 {
				first++ // an input that has no part in the sum
				continue
			}
			coef = append(coef, c)
		}
		for coef[len(coef)-1] == 0 {
			coef = coef[:len(coef)-1]
		}
		a.first[i], a.count[i] = int32(first), int32(len(coef))
		a.taps = max(a.taps, len(coef))
	}
	return true
}

// filter returns the first input and the coefficients of output i.
func (a *axis) filter(i int) (first int, coef []int32) {
	return int(a.first[i]), a.coef[i*a.room : i*a.room+int(a.count[i])]
}

func triangle(x float64) float64 {
	if x = math.Abs(x); x < 1 {
		return 1 - x
	}
	return 0
}

// grow returns a slice of n elements, s where it is large enough. What it holds is undefined.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
