package cpu

// Scratch is what a pass needs beside its arguments, in elements: for each
// worker, for what the chunks sum, and for coefficients. An engine keeps the most
// that any pass has asked for.
type Scratch struct{ Worker, Partial, Coef int }

// Max is what two passes need one after the other.
func (s Scratch) Max(t Scratch) Scratch {
	return Scratch{max(s.Worker, t.Worker), max(s.Partial, t.Partial), max(s.Coef, t.Coef)}
}

// Len is the total for that many workers.
func (s Scratch) Len(workers int) int { return workers*s.Worker + s.Partial + s.Coef }

// ScratchLen is what the engine has allocated, in elements.
func (e *Engine[T]) ScratchLen() int {
	n := len(e.partial) + len(e.coef)
	for _, w := range e.worker {
		n += len(w)
	}
	return n
}

// normScratch is the scratch memory of a batch normalisation, forward and backward.
func normScratch(images, c int) Scratch {
	return Scratch{Partial: imagePartition(images).chunks() * statLen(c), Coef: 2 * c}
}
