package cpu

// A partition cuts n items into chunks of size items, the last one possibly
// shorter. It is a function of shapes alone.
type partition struct{ n, size int }

const (
	// minChunk is the least work of a chunk, in scalar operations: some 10 us in
	// scalar code and 1 us in vector code, so that handing it over pays.
	minChunk = 1 << 15
	// maxChunks is enough for four threads to finish together.
	maxChunks = 32
)

// partitionBy cuts n items of cost scalar operations each into at most limit chunks.
func partitionBy(n, cost, limit int) partition {
	if n <= 0 {
		return partition{0, 1}
	}
	chunks := limit
	if total := uint64(n) * uint64(max(cost, 1)); total/minChunk < uint64(limit) {
		chunks = max(int(total/minChunk), 1)
	}
	return partition{n, (n + chunks - 1) / chunks}
}

func (p partition) chunks() int { return (p.n + p.size - 1) / p.size }

// bounds returns the items lo <= i < hi of a chunk.
func (p partition) bounds(chunk int) (lo, hi int) {
	lo = chunk * p.size
	return lo, min(lo+p.size, p.n)
}
