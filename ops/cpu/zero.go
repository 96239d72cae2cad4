package cpu

type clearJob[T Float] struct {
	work partition
	dst  []T
}

// Clear sets every element to 0.
func (e *Engine[T]) Clear(dst []T) {
	j := job[clearJob[T]](e)
	*j = clearJob[T]{partitionBy(len(dst), 1, imageChunks), dst}
	e.pool.Do(j.work.chunks(), j)
}

func (j *clearJob[T]) Chunk(_, chunk int) {
	lo, hi := j.work.bounds(chunk)
	clear(j.dst[lo:hi])
}
