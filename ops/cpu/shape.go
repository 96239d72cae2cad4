package cpu

const (
	badShape  = "cpu: negative dimension"
	badLength = "cpu: slice length does not fit the shape"
)

// volume returns the product of dimensions. It panics if one is negative or
// the product overflows.
func volume(dims ...int) int {
	v := 1
	for _, d := range dims {
		if d < 0 {
			panic(badShape)
		}
		if d != 0 && v > int(^uint(0)>>1)/d {
			panic(badShape)
		}
		v *= d
	}
	return v
}

// need panics unless s has exactly the length of the shape dims.
func need[T any](s []T, dims ...int) {
	if len(s) != volume(dims...) {
		panic(badLength)
	}
}
