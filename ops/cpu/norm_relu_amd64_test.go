//go:build !noasm

package cpu

import (
	"math"
	"math/rand/v2"
	"testing"
)

// stripISA is a table of primitives under test.
type stripISA struct {
	name string
	rowKernels[float32]
}

// stripISAs are the tables that this processor can run, the references first.
func stripISAs() []stripISA {
	list := []stripISA{{"ref", refRows[float32]()}}
	if best := bestISA(); best != isaNone {
		k := stripISA{"avx2", refRows[float32]()}
		useAVX2(&k.rowKernels)
		list = append(list, k)
		if best == isaAVX512 {
			k.name = "avx512"
			useAVX512(&k.rowKernels)
			list = append(list, k)
		}
	}
	return list
}

// stripChannels are the numbers of channels under test.
var stripChannels = func() (list []int) {
	for ch := range 40 {
		list = append(list, ch+1)
	}
	return append(list, 48, 64, 80, 100, 130)
}()

// ranged draws values of any sign and of very different size, some special.
// Their products of three do not overflow.
func ranged(r *rand.Rand) func() float32 {
	value := special(r)
	return func() float32 { return value() * float32(math.Ldexp(1, r.IntN(40)-20)) }
}

// A stripCase is operands for every pass. add, y and the pairs of coefficients
// may be nil, and so may x for maskAdd.
type stripCase struct {
	n, ch                   int
	x, dy, add              []float32
	a, b, mean, k           []float32
	s1, s2                  []float32 // what the sums hold before
	x2, a2, b2, add2, y, ay []float32
	by                      []float32
}

func newStripCase(r *rand.Rand, n, ch int, value func() float32) stripCase {
	row := func(n int) []float32 { return newField(1, n, 0, r.IntN(16)).fill(value).s }
	k := stripCase{n: n, ch: ch, x: row(n * ch), dy: row(n * ch), add: row(n * ch),
		a: row(ch), b: row(ch), mean: row(ch), k: row(ch), s1: row(ch), s2: row(ch), y: row(n * ch), ay: row(ch), by: row(ch)}
	for i := range k.x { // cancellation: a mask must round as the forward pass does
		if v := -k.b[i%ch] / k.a[i%ch]; r.IntN(8) == 0 && !(v > 0x1p40 || v < -0x1p40) {
			k.x[i] = v
		}
	}
	k.x2, k.a2, k.b2, k.add2 = k.x, k.a, k.b, k.add
	if r.IntN(3) == 0 {
		k.a2, k.b2 = nil, nil
	}
	if r.IntN(4) == 0 {
		k.x2 = nil
	}
	if r.IntN(3) == 0 {
		k.add2 = nil
	}
	if r.IntN(3) == 0 {
		k.ay, k.by = nil, nil
	}
	if r.IntN(4) == 0 {
		k.y = nil
	}
	return k
}

// wide64 is x in float64, nil if x is.
func wide64(x []float32) []float64 {
	if x == nil {
		return nil
	}
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = float64(v)
	}
	return w
}

func abs64(x []float64) []float64 {
	if x == nil {
		return nil
	}
	w := make([]float64, len(x))
	for i, v := range x {
		w[i] = math.Abs(v)
	}
	return w
}

// checkClose compares got, the result of the given number of roundings, with the
// reference in float64 and the magnitude of its terms.
func checkClose(t *testing.T, k stripCase, what string, got []float32, want, magnitude []float64, roundings float64) {
	t.Helper()
	for i, v := range got {
		within(t, v, want[i], roundings*(unit*magnitude[i]*1.001+math.SmallestNonzeroFloat32), "%s, n %d, ch %d: [%d,%d]", what, k.n, k.ch, i/k.ch, i%k.ch)
	}
}

// inPlace runs f into a result of its own, then into each operand of in, and
// fails unless the results agree. f gets the result and the operands.
func inPlace(t *testing.T, r *rand.Rand, k stripCase, what string, f func(dst []float32, in [][]float32), in ...[]float32) []float32 {
	t.Helper()
	dst := newField(1, k.n*k.ch, 0, r.IntN(16)).armed()
	f(dst.s, in)
	dst.checkGuards(t)
	for i, s := range in {
		if s == nil {
			continue
		}
		all := append([][]float32(nil), in...)
		all[i] = append([]float32(nil), s...)
		f(all[i], all)
		sameFloats(t, all[i], dst.s, "%s in place of operand %d, n %d, ch %d", what, i, k.n, k.ch)
	}
	return dst.s
}

// checkStrip runs every dense pass on one case.
func checkStrip(t *testing.T, r *rand.Rand, isa stripISA, k stripCase) {
	t.Helper()
	n, ch := k.n, k.ch
	x, dy, mean := wide64(k.x), wide64(k.dy), wide64(k.mean)
	want, size := make([]float64, n*ch), make([]float64, n*ch)

	got := inPlace(t, r, k, "combine", func(dst []float32, in [][]float32) {
		isa.combine(n, ch, dst, in[0], k.a2, k.b2, in[1], k.ay, k.by)
	}, k.x, k.y)
	a2, b2, ay, by := wide64(k.a2), wide64(k.b2), wide64(k.ay), wide64(k.by)
	combineRows(n, ch, want, x, a2, b2, wide64(k.y), ay, by)
	combineRows(n, ch, size, abs64(x), abs64(a2), abs64(b2), abs64(wide64(k.y)), abs64(ay), abs64(by))
	checkClose(t, k, "combine", got, want, size, 4)

	got = inPlace(t, r, k, "bnGrad", func(dst []float32, in [][]float32) {
		isa.bnGrad(n, ch, dst, ch, in[0], in[1], ch, k.mean, k.a, k.b, k.k)
	}, k.x, k.dy)
	px, dpx := ch+r.IntN(20), ch+r.IntN(20)
	spaced := func(s []float32) field {
		i := -1
		return newField(n, ch, px, r.IntN(16)).fill(func() float32 { i++; return s[i] })
	}
	apart := newField(n, ch, dpx, r.IntN(16)).armed()
	isa.bnGrad(n, ch, apart.s, dpx, spaced(k.x).s, spaced(k.dy).s, px, k.mean, k.a, k.b, k.k)
	apart.checkGuards(t)
	for q := range n {
		sameFloats(t, apart.s[q*dpx:][:ch], got[q*ch:][:ch], "bnGrad of pixels %d and %d apart, n %d, ch %d", px, dpx, n, ch)
	}
	bnGradRowsRef(n, ch, want, ch, x, dy, ch, mean, wide64(k.a), wide64(k.b), wide64(k.k))
	for i := range size {
		c := i % ch
		a, b, f := float64(k.a[c]), float64(k.b[c]), float64(k.k[c])
		size[i] = math.Abs(dy[i]) + math.Abs(b) + (math.Abs(x[i])+math.Abs(mean[c]))*math.Abs(f) + 0x1p-100 // what underflows
		if inner := dy[i] - b - (x[i]-mean[c])*f; math.IsInf(a, 0) && math.Abs(inner) <= 8*unit*size[i] {
			want[i] = float64(got[i]) // infinity times what may round to 0
		}
		size[i] *= math.Abs(a)
	}
	checkClose(t, k, "bnGrad", got, want, size, 8)

	// The mask is exactly that of the forward pass of the same table.
	keeps := func(a, b []float32) []bool {
		y, keep := make([]float32, n*ch), make([]bool, n*ch)
		isa.affine(1, n, ch, y, n*ch, ch, k.x, n*ch, ch, a, b, true)
		for i, v := range y {
			keep[i] = !(v <= 0)
		}
		return keep
	}
	masked := func(keep []bool) []float32 {
		g := make([]float32, n*ch)
		for i, on := range keep {
			if on {
				g[i] = k.dy[i]
			}
		}
		return g
	}
	exact := masked(keeps(k.a2, k.b2))
	if k.x2 == nil {
		copy(exact, k.dy)
	}
	if k.add2 != nil {
		for i, v := range k.add2 {
			exact[i] += v
		}
	}
	got = inPlace(t, r, k, "maskAdd", func(dst []float32, in [][]float32) {
		isa.maskAdd(n, ch, dst, in[0], in[1], k.x2, k.a2, k.b2)
	}, k.dy, k.add2)
	sameValues(t, got, exact, "maskAdd, n %d, ch %d", n, ch)

	s1, s2 := newField(1, ch, 0, r.IntN(16)).armed(), newField(1, ch, 0, r.IntN(16)).armed()
	reset := func() {
		copy(s1.s, k.s1)
		copy(s2.s, k.s2)
	}
	exact = masked(keeps(k.a, k.b))
	got = inPlace(t, r, k, "maskSum", func(dst []float32, in [][]float32) {
		reset()
		isa.maskSum(n, ch, dst, in[0], k.x, k.a, k.b, k.mean, s1.s, s2.s)
	}, k.dy)
	sameValues(t, got, exact, "maskSum, n %d, ch %d", n, ch)
	checkSums(t, k, "maskSum", s1, s2, func(i, c int) (u, v float64) {
		return float64(got[i]), float64(got[i]) * (x[i] - mean[c])
	})
	reset()
	isa.gradSum(n, ch, k.x, k.dy, k.mean, s1.s, s2.s)
	checkSums(t, k, "gradSum", s1, s2, func(i, c int) (u, v float64) { return dy[i], dy[i] * (x[i] - mean[c]) })
	reset()
	isa.sum(n, ch, k.x, k.mean, s1.s, s2.s)
	checkSums(t, k, "sum", s1, s2, func(i, c int) (u, v float64) { d := x[i] - mean[c]; return d, d * d })
}

// sameValues fails unless x and y are equal or both NaN.
func sameValues(t *testing.T, x, y []float32, format string, args ...any) {
	t.Helper()
	for i, v := range x {
		if v != y[i] && (v == v || y[i] == y[i]) {
			t.Fatalf(format+": element %d: got %v, want %v", append(args, i, v, y[i])...)
		}
	}
}

// checkSums compares s1 and s2 with the sums of u and v over the pixels. The
// difference that every term holds is a rounding, or two, more.
func checkSums(t *testing.T, k stripCase, what string, s1, s2 field, term func(i, c int) (u, v float64)) {
	t.Helper()
	s1.checkGuards(t)
	s2.checkGuards(t)
	for c := range k.ch {
		var w1, w2 sum
		w1.add(k.s1[c], 1)
		w2.add(k.s2[c], 1)
		for q := range k.n {
			u, v := term(q*k.ch+c, c)
			for w, v := range map[*sum]float64{&w1: u, &w2: v} {
				w.value += v
				w.magnitude += math.Abs(v)
				w.terms += 2
			}
		}
		w1.check(t, s1.s[c], "%s, s1, n %d, ch %d: [%d]", what, k.n, k.ch, c)
		w2.check(t, s2.s[c], "%s, s2, n %d, ch %d: [%d]", what, k.n, k.ch, c)
	}
}

// checkAffine runs one case of affine with gaps between pixels and rows.
func checkAffine(t *testing.T, r *rand.Rand, isa stripISA, rows, n, ch int, value func() float32) {
	t.Helper()
	stride := func() (px, row int) {
		if px = ch; r.IntN(2) == 0 {
			px += r.IntN(9)
		}
		if row = n * px; r.IntN(2) == 0 {
			row += r.IntN(20)
		}
		return
	}
	spx, srow := stride()
	dpx, drow := stride()
	room := func(row, px int) int {
		if rows <= 0 || n <= 0 {
			return 0
		}
		return (rows-1)*row + (n-1)*px + ch
	}
	src := newField(1, room(srow, spx), 0, r.IntN(16))
	dst := newField(1, room(drow, dpx), 0, r.IntN(16)).armed()
	a, b := newField(1, ch, 0, r.IntN(16)).fill(value).s, newField(1, ch, 0, r.IntN(16)).fill(value).s
	for q := range rows {
		for p := range n {
			for c := range ch {
				src.s[q*srow+p*spx+c] = value()
			}
		}
	}
	if r.IntN(3) == 0 {
		a, b = nil, nil
	}
	relu := r.IntN(2) == 0
	isa.affine(rows, n, ch, dst.s, drow, dpx, src.s, srow, spx, a, b, relu)
	dst.checkGuards(t)
	want, size := wide64(dst.s), make([]float64, len(dst.s)) // gaps keep what they hold
	affineRows(rows, n, ch, want, drow, dpx, wide64(src.s), srow, spx, wide64(a), wide64(b), relu)
	affineRows(rows, n, ch, size, drow, dpx, abs64(wide64(src.s)), srow, spx, abs64(wide64(a)), abs64(wide64(b)), false)
	for i := range want {
		if size[i] == 0 && want[i] == -1e30 { // the bound of a gap is 0
			want[i] = float64(float32(-1e30))
		}
		within(t, dst.s[i], want[i], 2*(unit*size[i]*1.001+math.SmallestNonzeroFloat32), "affine, rows %d, n %d, ch %d, relu %v: [%d]", rows, n, ch, relu, i)
	}
	if drow == srow && dpx == spx {
		isa.affine(rows, n, ch, src.s, drow, dpx, src.s, srow, spx, a, b, relu)
		for q := range rows {
			for p := range n {
				i := q*srow + p*spx
				sameFloats(t, src.s[i:i+ch], dst.s[i:i+ch], "affine in place, rows %d, n %d, ch %d", rows, n, ch)
			}
		}
	}
}

// TestStrip: every number of channels, and every number of pixels up to two
// turns and a rest; then more than a block of pixels.
func TestStrip(t *testing.T) {
	for _, isa := range stripISAs() {
		t.Run(isa.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(11, 1))
			for _, ch := range stripChannels {
				for n := range 11 {
					checkStrip(t, r, isa, newStripCase(r, n, ch, uniform(r)))
					checkStrip(t, r, isa, newStripCase(r, n, ch, ranged(r)))
					checkAffine(t, r, isa, r.IntN(4), n, ch, uniform(r))
					checkAffine(t, r, isa, r.IntN(4), n, ch, ranged(r))
				}
				checkStrip(t, r, isa, newStripCase(r, 2<<12/ch+3, ch, uniform(r)))
				checkAffine(t, r, isa, 3, 1<<12/ch+3, ch, uniform(r))
				checkAffine(t, r, isa, 30, 1<<8/ch+3, ch, uniform(r))
			}
		})
	}
}
