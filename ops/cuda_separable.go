package ops

import (
	"fmt"

	"oneshot/ops/cuda"
)

// A separable convolution saves the output of each stage's depthwise convolution
// and, of two stages, the first's raw output and its coefficients: in the order
// depthwise 1, depthwise 2, raw 1, coefficients 1.

// sepSaved is the size of these in bytes, each aligned, for activations of es bytes.
func sepSaved(o Separable, out Shape, es int) int {
	n := alignUp(out.Size() * es)
	if o.Stages == 1 {
		return n
	}
	return 3*n + 4*NormLen(o.C)
}

func alignUp(n int) int { return ceilDiv(n, 256) * 256 }

// sepStage is one stage as the kernels see it.
type sepStage struct {
	dw    cuda.DwArgs   // forward: input and output of the depthwise convolution
	conv  cuda.ConvArgs // of its output
	coef  cuda.Addr     // of the normalisation
	param int           // index of its first parameter
	rows  int
}

func (l *lowering) sepStage(o Separable, c *Call, s int) sepStage {
	x, y := c.InShape[0], c.OutShape
	saved := l.f32(c.Saved)
	n := cuda.Addr(alignUp(y.Size() * l.actSize()))
	st := sepStage{param: 1 + s*(2+normParams(o.Affine)), rows: y[0] * y[1] * y[2], coef: l.f32(c.OutNorm)}
	z1, coef1 := saved+2*n, saved+3*n
	st.dw = cuda.DwArgs{W: l.f32(c.In[st.param]), T: saved + cuda.Addr(s)*n, N: int32(x[0]), C: int32(o.C), K: int32(o.K), Dil: int32(o.Dil),
		H: int32(x[1]), W2: int32(x[2]), Stride: int32(o.Stride), OH: int32(y[1]), OW: int32(y[2])}
	if s == 0 {
		st.dw.X = l.act(c.In[0])
		st.dw.Scale, st.dw.Shift = l.coef(c, 0)
	} else {
		st.dw.X, st.dw.Scale, st.dw.Shift = z1, coef1, coef1+cuda.Addr(4*o.C)
		st.dw.H, st.dw.W2, st.dw.Stride = st.dw.OH, st.dw.OW, 1
	}
	st.conv = dense(1, o.C, o.C, st.rows, o.C, o.C)
	st.conv.W, st.conv.Z = l.f32(c.In[st.param+1]), l.act(c.Out)
	if s+1 < o.Stages {
		st.conv.Z, st.coef = z1, coef1
	}
	return st
}

func (l *lowering) separable(o Separable, c *Call) {
	for s := range o.Stages {
		st := l.sepStage(o, c, s)
		if l.fuses(st) {
			l.sepFused(c, st, l.norm(c, s, o.Affine, st.param+2, st.coef, 0))
			continue
		}
		st.dw.Blocks = l.dwBlocks(st.dw)
		cuda.Add(l.b, "dw_fwd", l.half, &st.dw)
		l.convForward(c, st.conv, l.norm(c, s, o.Affine, st.param+2, st.coef, 0), []cuda.Part{{X: st.dw.T}})
	}
}

// fuses says whether a stage fits the kernels that do both convolutions in one.
func (l *lowering) fuses(st sepStage) bool {
	d := st.dw
	return l.half && d.Stride == 1 && d.K <= 5 && d.C <= 64 && d.C%4 == 0 && d.OW%4 == 0
}

// sepFused adds a stage as one task. Without a backward pass the output of the
// depthwise convolution is never written.
func (l *lowering) sepFused(c *Call, st sepStage, n cuda.Norm) {
	w := convWidth(int(st.dw.C))
	rows := map[int]int{16: 256, 32: 128, 64: 128}[w] // of a tile
	blocks := max(1, min(ceilDiv(st.rows, rows), 3*l.b.SMs))
	l.stats(c, &n, blocks, int(st.dw.C))
	a := cuda.SepArgs{DW: st.dw, Conv: st.conv, Blocks: int32(blocks)}
	if c.Mode != Eval {
		a.Conv.Norm = n
	}
	if !l.train {
		a.DW.T = 0
	}
	cuda.Add(l.b, fmt.Sprint("sep_fwd", w), true, &a)
}

func (l *lowering) separableGrad(o Separable, c *Call) {
	dy := l.act(c.DOut)
	for s := o.Stages - 1; s >= 0; s-- {
		st := l.sepStage(o, c, s)
		size := st.rows * o.C * l.actSize()
		a := st.conv
		a.Dz = l.normGrad(c, s, o.Affine, st.param+2, st.coef, dy, a.Z, st.rows)
		t, dt := st.dw.T, l.b.Temp(size)
		l.convBackward(a, l.f32(c.DIn[st.param+1]), []cuda.Part{{X: t, DX: dt}})
		d := st.dw
		d.T, d.DT = 0, dt
		if s > 0 {
			d.DX = l.b.Temp(size)
			dy = d.DX
		} else {
			d.DX, d.Add = l.act(c.DIn[0]), l.act(c.DAdd[0])
		}
		if d.DX != 0 {
			d.Blocks = l.dwBlocks(d)
			cuda.Add(l.b, "dw_dx", l.half, &d)
		}
		l.dwWeights(d, l.f32(c.DIn[st.param]))
	}
}

// dwWeights adds the gradient of a depthwise convolution's weights.
func (l *lowering) dwWeights(d cuda.DwArgs, dw cuda.Addr) {
	n := int(d.K * d.K * d.C)
	d.DX, d.Add, d.W = 0, 0, 0
	d.Blocks = int32(max(1, min(int(d.N*d.OH)/4, 3*l.b.SMs)))
	d.Partial = l.b.Temp(4 * n * int(d.Blocks))
	cuda.Add(l.b, "dw_dw", l.half, &d)
	l.reduce(dw, d.Partial, n, int(d.Blocks))
}

// dwBlocks is how many blocks a depthwise convolution has: a thread for every four
// channels of four pixels, or of one where the stride is not 1.
func (l *lowering) dwBlocks(d cuda.DwArgs) int32 {
	per := 256 * 4 * 4
	if d.Stride > 1 {
		per = 256 * 4
	}
	return int32(max(1, min(ceilDiv(int(d.N)*int(d.H)*int(d.W2)*int(d.C), per), 64*l.b.SMs)))
}
