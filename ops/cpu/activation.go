package cpu

// Activation is a function of one value that an operation applies to its input
// first. A new one is a constant, its name and a case in each of activate and
// pullback.
type Activation uint8

const (
	Identity Activation = iota
	ReLU                // max(v,0); a NaN stays a NaN, and the derivative at 0 is 0
)

var activationNames = [...]string{Identity: "identity", ReLU: "relu"}

// Known says whether there is such an activation.
func (f Activation) Known() bool { return int(f) < len(activationNames) }

func (f Activation) String() string {
	if !f.Known() {
		return "unknown activation"
	}
	return activationNames[f]
}

const unknownActivation = "cpu: unknown activation"

// activate computes dst = f(a*src + b), with the layout of affineRows.
func (e *Engine[T]) activate(f Activation, rows, n, ch int, dst []T, drow, dpx int, src []T, srow, spx int, a, b []T) {
	switch f {
	case Identity, ReLU:
		e.k.affine(rows, n, ch, dst, drow, dpx, src, srow, spx, a, b, f == ReLU)
	default:
		panic(unknownActivation)
	}
}

// pull is pullback of n pixels from p on to o, whose gradient is dy. Where o wants sums, which
// only a ReLU may, it adds them to st, of 2*ch values.
func (e *Engine[T]) pull(f Activation, p, n, ch int, o *Out[T], dy []T, x *Act[T], st []T) {
	from, to := p*ch, (p+n)*ch
	if o.Sums != nil {
		e.k.maskSum(n, ch, o.DX[from:to], dy, x.X[from:to], x.Scale, x.Shift, o.Mean, st[:ch], st[ch:2*ch])
		return
	}
	e.pullback(f, n, ch, o.DX[from:to], dy, o.added(from, to), x.X[from:to], x.Scale, x.Shift)
}

// pullback computes dst = dy*f'(a*x + b) + add for n pixels of ch channels, with
// what may overlap as in maskAddRows.
func (e *Engine[T]) pullback(f Activation, n, ch int, dst, dy, add, x, a, b []T) {
	switch f {
	case Identity:
		if add == nil && len(dst) > 0 && &dst[0] == &dy[0] {
			return // it is there
		}
		e.k.maskAdd(n, ch, dst, dy, add, nil, a, b)
	case ReLU:
		e.k.maskAdd(n, ch, dst, dy, add, x, a, b)
	default:
		panic(unknownActivation)
	}
}
