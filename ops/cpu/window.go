package cpu

import "sync"

const (
	badWindow = "cpu: window needs a positive size, stride and dilation and no negative padding"
	badKernel = "cpu: window larger than 7"
)

// maxWindow bounds K: at most 49 taps.
const maxWindow = 7

// axis is one spatial dimension of a sliding window: output o looks at inputs
// o*stride - pad + t*dil for taps t < k, where they exist.
type axis struct{ in, out, k, stride, pad, dil int }

func newAxis(in, k, stride, pad, dil int) axis {
	if in < 0 || k <= 0 || stride <= 0 || pad < 0 || dil <= 0 {
		panic(badWindow)
	}
	if k > maxWindow {
		panic(badKernel)
	}
	a := axis{in: in, k: k, stride: stride, pad: pad, dil: dil}
	if span := in + 2*pad - dil*(k-1) - 1; span >= 0 && in > 0 {
		a.out = span/stride + 1
	}
	return a
}

// taps is a run of taps of one axis: tap, tap+step, ..., n of them.
type taps struct {
	tap, n int
	base   int // the smallest coordinate they look at
}

// forward returns the taps t of output o whose input exists. They are
// consecutive, and tap i of them looks at base + i*dil.
func (a axis) forward(o int) taps {
	start := o*a.stride - a.pad
	lo, hi := 0, a.k
	if start < 0 {
		lo = min((-start+a.dil-1)/a.dil, a.k)
	}
	if past := a.in - start; past < a.dil*(a.k-1)+1 {
		hi = max((past+a.dil-1)/a.dil, lo)
	}
	if lo >= hi {
		return taps{}
	}
	return taps{lo, hi - lo, start + lo*a.dil}
}

// backward returns the taps t through which input i reached an output. They are
// tapStep apart, and the last of them looks at output base, the one before it at
// base + outStep, and so on.
func (a axis) backward(i int) taps {
	r := taps{}
	for t := 0; t < a.k; t++ {
		at := i + a.pad - t*a.dil
		if at < 0 {
			break
		}
		if o := at / a.stride; at%a.stride == 0 && o < a.out {
			if r.n == 0 {
				r.tap = t
			}
			r.n++
			r.base = o
		}
	}
	return r
}

// steps returns tapStep and outStep of backward.
func (a axis) steps() (tapStep, outStep int) {
	g := gcd(a.stride, a.dil)
	return a.stride / g, a.dil / g
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// run is a set of columns first, first+step, ... that have the same taps; the
// base of each is one destination step beyond that of the one before.
type run struct {
	taps
	first, n int
}

// plan is what the rows of one kernel have in common. Its lists are heap memory
// because the primitives are called through variables.
type plan struct {
	runs []run // columns with at least one tap, and those with none
	// step is the distance of the columns of a run; baseStep that of their bases.
	step, baseStep int
	// lists[(rows-1)*k+cols-1] are the offsets of rows by cols taps.
	lists [maxWindow * maxWindow]list
	k     int
	ints  []int
	bytes []uint8
}

// list is the offsets of a rectangle of taps, relative to its first weight and
// to its smallest coordinates.
type list struct {
	x, w []int
	tap  []uint8 // weight offset in taps
}

var plans = sync.Pool{New: func() any { return new(plan) }}

// release gives the plan back for use by a later kernel.
func (pl *plan) release() { plans.Put(pl) }

// forwardPlan describes a kernel that computes outputs of axis cols from inputs.
// ch is the number of channels.
func forwardPlan(rows, cols axis, ch int) *plan {
	pl := plans.Get().(*plan)
	pl.step, pl.baseStep = 1, cols.stride
	pl.setRuns(cols.out, cols.forward)
	pl.setLists(cols.k, 1, 1, rows.dil*cols.in, cols.dil, ch, false)
	return pl
}

// backwardPlan describes a kernel that computes inputs of axis cols from outputs.
func backwardPlan(rows, cols axis, ch int) *plan {
	pl := plans.Get().(*plan)
	pl.step, pl.baseStep = cols.stride, 1
	pl.setRuns(cols.in, cols.backward)
	rowTap, rowStep := rows.steps()
	colTap, colStep := cols.steps()
	pl.setLists(cols.k, rowTap, colTap, rowStep*cols.out, colStep, ch, true)
	return pl
}

// setRuns groups the columns, taps(0) ... taps(n-1), into runs.
func (pl *plan) setRuns(n int, at func(int) taps) {
	pl.runs = pl.runs[:0]
	for first := range min(pl.step, n) {
		for c := first; c < n; c += pl.step {
			t := at(c)
			if last := len(pl.runs) - 1; c > first && pl.runs[last].tap == t.tap && pl.runs[last].taps.n == t.n {
				pl.runs[last].n++
				continue
			}
			pl.runs = append(pl.runs, run{t, c, 1})
		}
	}
}

// setLists fills the lists for windows up to k by k. Taps lie rowTap and colTap
// apart, their coordinates rowStep and colStep, descending if reverse.
func (pl *plan) setLists(k, rowTap, colTap, rowStep, colStep, ch int, reverse bool) {
	total := k * (k + 1) / 2
	total *= total
	if cap(pl.ints) < 2*total {
		pl.ints, pl.bytes = make([]int, 2*total), make([]uint8, total)
	}
	ints, bytes := pl.ints[:2*total], pl.bytes[:total]
	pl.k = k
	for rows := 1; rows <= k; rows++ {
		for cols := 1; cols <= k; cols++ {
			n := rows * cols
			l := list{ints[:n:n], ints[n : 2*n : 2*n], bytes[:n:n]}
			ints, bytes = ints[2*n:], bytes[n:]
			pl.lists[(rows-1)*k+cols-1] = l
			t := 0
			for i := range rows {
				for j := range cols {
					r, c := i, j
					if reverse {
						r, c = rows-1-i, cols-1-j
					}
					tap := i*rowTap*k + j*colTap
					l.x[t], l.w[t], l.tap[t] = (r*rowStep+c*colStep)*ch, tap*ch, uint8(tap)
					t++
				}
			}
		}
	}
}

// list returns the offsets of rows by cols taps, none if either is zero.
func (pl *plan) list(rows, cols int) list {
	if rows == 0 || cols == 0 {
		return list{}
	}
	return pl.lists[(rows-1)*pl.k+cols-1]
}
