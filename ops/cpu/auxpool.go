package cpu

// ReLUPool is ReLU, then the average over KxK windows without padding, of
// several tensors side by side: the start of the auxiliary head.
type ReLUPool[T Float] struct {
	N, H, W, C, K, Stride int      // C is the channels of a part
	Parts                 []Act[T] // (N,H,W,C) each
	Y                     []T      // (N,Ho,Wo,len(Parts)*C)
	DParts                []Out[T]
}

func (o *ReLUPool[T]) out() (ho, wo int) { return (o.H-o.K)/o.Stride + 1, (o.W-o.K)/o.Stride + 1 }

// windows calls f for every pixel of every window: the element of Y and of a
// part that belong together.
func (o *ReLUPool[T]) windows(part int, f func(y, x int)) {
	ho, wo := o.out()
	for i := range o.N * ho * wo {
		n, r, q := i/(ho*wo), i/wo%ho, i%wo
		for k := range o.K * o.K {
			f((i*len(o.Parts)+part)*o.C, ((n*o.H+r*o.Stride+k/o.K)*o.W+q*o.Stride+k%o.K)*o.C)
		}
	}
}

// ReLUPoolForward computes Y. It runs on one thread: the auxiliary head pools
// one small image a network.
func (e *Engine[T]) ReLUPoolForward(o *ReLUPool[T]) {
	ho, wo := o.out()
	need(o.Y, o.N, ho, wo, len(o.Parts), o.C)
	for _, a := range o.Parts {
		need(a.X, o.N, o.H, o.W, o.C)
	}
	clear(o.Y)
	area := T(o.K * o.K)
	mem := e.scratch(0, o.C)
	for i, a := range o.Parts {
		o.windows(i, func(y, x int) {
			e.k.affine(1, 1, o.C, mem, 0, o.C, a.X[x:], 0, o.C, a.Scale, a.Shift, true)
			addRow(o.Y[y:][:o.C], o.Y[y:], mem)
		})
	}
	for i := range o.Y {
		o.Y[i] /= area
	}
}

// ReLUPoolBackward computes DParts from dy, the gradient of Y.
func (e *Engine[T]) ReLUPoolBackward(o *ReLUPool[T], dy []T) {
	ho, wo := o.out()
	need(dy, o.N, ho, wo, len(o.Parts), o.C)
	area := T(o.K * o.K)
	mem := e.scratch(0, o.C)
	for i, a := range o.Parts {
		d := o.DParts[i]
		need(d.DX, len(a.X))
		d.base(0, len(a.X))
		o.windows(i, func(y, x int) {
			for c, v := range dy[y:][:o.C] {
				mem[c] = v / area
			}
			dx := d.DX[x:][:o.C]
			e.k.maskAdd(1, o.C, dx, mem, dx, a.X[x:], a.Scale, a.Shift)
		})
	}
}
