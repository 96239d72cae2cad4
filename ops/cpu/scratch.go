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
	return Scratch{Partial: imageSplit(images).chunks() * statLen(c), Coef: 2 * c}
}

// Scratch is that of SepForward and SepBackward.
func (s *SepStage[T]) Scratch() Scratch {
	c, taps := s.C, s.K*s.K*s.C
	ho, wo := s.out()
	ph, prow := s.padded()
	strip := max(stripRows(wo*c, ho)*wo, stripRows(s.W*c, s.H)*s.W) * c
	chunks := imageSplit(s.N).chunks()
	return normScratch(s.N, c).Max(Scratch{Worker: 2*ph*prow + 3*strip, Partial: (chunks + 1) * (c*c + taps + 2*c)})
}

// Scratch is that of ConvForward and ConvBackward; parts is how many o has.
func (o *Conv[T]) Scratch(parts int) Scratch {
	chunks := imageSplit(o.N).chunks()
	return normScratch(o.N, o.Cout).Max(Scratch{Worker: o.strip() * (o.Cin + o.Cout + o.Cin/parts), Partial: (chunks + 1) * o.Cin * o.Cout})
}

// Scratch is that of ReduceForward and ReduceBackward; parts is how many o has.
func (o *Reduce[T]) Scratch(parts int) Scratch {
	ho, wo := o.H/2, o.W/2
	step := stripRows(wo*max(o.Cin, o.Cout), ho)
	chunks := imageSplit(o.N).chunks()
	return normScratch(o.N, o.Cout).Max(Scratch{Worker: step * wo * (o.Cin + o.Cout + 3*o.Cin/parts), Partial: (chunks + 1) * o.Cin * o.Cout})
}

// Scratch is that of StemForward and StemBackward.
func (o *Stem[T]) Scratch() Scratch {
	ph, prow := o.padded()
	return normScratch(o.N, o.Cout).Max(Scratch{Worker: ph*prow + o.W*o.Cout, Partial: imageSplit(o.N).chunks() * 9 * o.Cin * o.Cout})
}

// Scratch is that of PoolForward and PoolBackward.
func (o *Pool3[T]) Scratch() Scratch {
	n := (o.H+2)*(o.W+2)*o.C + 9*o.C
	if !o.Max {
		n += o.W * o.C
	}
	return normScratch(o.N, o.C).Max(Scratch{Worker: n})
}

// Scratch is that of LinearForward and LinearBackward.
func (o *Linear[T]) Scratch() Scratch {
	s, size := o.split(), o.In*o.Out
	return Scratch{Worker: min(s.size, o.N) * o.In, Partial: s.chunks()*(size+o.Out) + size}
}

// Scratch is that of NodeForward and MaskImages where there are masks.
func (o *Node[T]) Scratch() Scratch { return Scratch{Worker: max(4*o.C, 128)} }

// Scratch is that of MeanForward and MeanBackward.
func (o *Mean[T]) Scratch() Scratch { return Scratch{Worker: 2 * o.C} }
