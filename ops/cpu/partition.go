package cpu

const (
	badShape  = "cpu: negative dimension"
	badLength = "cpu: slice length does not fit the shape"
)

// split is a partition of n items into chunks of size items, the last one
// possibly shorter. It is a function of shapes alone.
type split struct{ n, size int }

const (
	// minChunk is the least work of a chunk, in scalar operations: some 10 us in
	// scalar code and 1 us in vector code, so that handing it over pays.
	minChunk = 1 << 15
	// maxChunks is enough for four threads to finish together.
	maxChunks = 32
)

// splitBy cuts n items of cost scalar operations each into at most limit chunks.
func splitBy(n, cost, limit int) split {
	if n <= 0 {
		return split{0, 1}
	}
	chunks := limit
	if total := uint64(n) * uint64(max(cost, 1)); total/minChunk < uint64(limit) {
		chunks = max(int(total/minChunk), 1)
	}
	return split{n, (n + chunks - 1) / chunks}
}

func (s split) chunks() int { return (s.n + s.size - 1) / s.size }

// bounds returns the items lo <= i < hi of a chunk.
func (s split) bounds(chunk int) (lo, hi int) {
	lo = chunk * s.size
	return lo, min(lo+s.size, s.n)
}

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
