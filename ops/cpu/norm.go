package cpu

import "math"

// bnEps is torch's default epsilon of BatchNorm2d.
const bnEps = 1e-5

// Norm is the batch normalisation of an operation's raw output z (rows,C):
// y = Gamma*(z-Mean)*Inv + Beta = Scale*z + Shift (Ioffe and Szegedy 2015). The
// forward pass writes the last four, C elements each; Gamma and Beta are both
// nil for 1 and 0.
type Norm[T Float] struct {
	Gamma, Beta             []T
	Scale, Shift, Mean, Inv []T
	RunMean, RunVar         []T     // running statistics, C each
	Batch                   bool    // normalise by the batch and move the running statistics
	Momentum                float64 // by this weight
	DGamma, DBeta           []T     // backward; nil where not wanted
	Sums                    []T     // backward: C sums of dy and C of dy*(z-Mean), where they are known; else nil
	offset, slope           []T     // backward coefficients, see gradZ
}

// statLen is the length of a chunk's sums of c channels: the shift they are
// relative to, the sum and the sum of squares.
func statLen(c int) int { return 3 * c }

// stats adds a strip of n pixels of z to a chunk's sums. The first strip of a
// chunk sets what they are relative to, its first pixel: then the variance is
// good to some dozen roundings whatever the mean is.
func (e *Engine[T]) stats(first bool, n, c int, z, st []T) {
	if n == 0 {
		return
	}
	if first {
		copy(st[:c], z[:c])
	}
	e.k.sum(n, c, z, st[:c], st[c:2*c], st[2*c:3*c])
}

// finish turns the chunks' sums into the statistics and coefficients of nm, in
// float64. count is the pixels of a chunk; st holds the sums, stride apart.
func (nm *Norm[T]) finish(c, chunks int, count func(chunk int) int, st []T, stride int) {
	for i := range c {
		mean, variance := float64(nm.RunMean[i]), float64(nm.RunVar[i])
		if nm.Batch {
			mean, variance = combineStats(i, c, chunks, count, st, stride)
			nm.move(i, mean, variance, chunks, count)
		}
		inv := 1 / math.Sqrt(variance+bnEps)
		g, b := 1.0, 0.0
		if nm.Gamma != nil {
			g, b = float64(nm.Gamma[i]), float64(nm.Beta[i])
		}
		nm.Mean[i], nm.Inv[i] = T(mean), T(inv)
		nm.Scale[i], nm.Shift[i] = T(g*inv), T(b-mean*g*inv)
	}
}

// move takes the running statistics towards the batch's, with the unbiased
// variance as torch does.
func (nm *Norm[T]) move(i int, mean, variance float64, chunks int, count func(int) int) {
	n := 0
	for k := range chunks {
		n += count(k)
	}
	if n > 1 {
		variance *= float64(n) / float64(n-1)
	}
	m := T(nm.Momentum)
	nm.RunMean[i] += m * (T(mean) - nm.RunMean[i])
	nm.RunVar[i] += m * (T(variance) - nm.RunVar[i])
}

// combineStats returns mean and variance of channel i. The chunks' sums are
// moved to the shift of the first.
func combineStats[T Float](i, c, chunks int, count func(int) int, st []T, stride int) (mean, variance float64) {
	var s1, s2, total float64
	origin := float64(st[i])
	for k := range chunks {
		p := st[k*stride:]
		n := float64(count(k))
		d := float64(p[i]) - origin
		b1, b2 := float64(p[c+i]), float64(p[2*c+i])
		s1 += b1 + n*d
		s2 += b2 + 2*d*b1 + n*d*d
		total += n
	}
	m := s1 / total
	v := s2/total - m*m
	if v < 0 { // rounding; a NaN stays
		v = 0
	}
	return origin + m, v
}

// gradBlock is how many pixels go into one float32 sum of gradients.
const gradBlock = 512

// gradSumsJob sums dy and dy*(z-mean) of each channel.
type gradSumsJob[T Float] struct {
	e      *Engine[T]
	work   partition
	px, c  int // pixels of an image
	z, dy  []T
	mean   []T
	st     []T
	stride int
}

func (j *gradSumsJob[T]) Chunk(_, chunk int) {
	lo, hi := j.work.bounds(chunk)
	st := j.st[chunk*j.stride:]
	for p := lo * j.px; p < hi*j.px; p += gradBlock {
		n := min(gradBlock, hi*j.px-p)
		j.e.k.gradSum(n, j.c, j.z[p*j.c:], j.dy[p*j.c:], j.mean, st[:j.c], st[j.c:2*j.c])
	}
}

// normBackward prepares the gradient of nm at z and dy (images,px,c): it sums
// them, unless Sums are known, and writes DGamma, DBeta and the coefficients of gradZ.
func (e *Engine[T]) normBackward(nm *Norm[T], images, px, c int, z, dy []T) {
	if nm.Sums != nil {
		need(nm.Sums, 2, c)
		nm.finishGrad(e.coefs(2*c), images*px, c, 1, nm.Sums, 2*c)
		return
	}
	s := imagePartition(images)
	chunks := s.chunks()
	st := e.partials(chunks, 2*c)
	j := job[gradSumsJob[T]](e)
	*j = gradSumsJob[T]{e, s, px, c, z, dy, nm.Mean, st, 2 * c}
	e.pool.Do(chunks, j)
	nm.finishGrad(e.coefs(2*c), images*px, c, chunks, st, 2*c)
}

// finishGrad turns the chunks' sums of dy and dy*(z-mean) into gradients and
// coefficients: with n pixels, dz = gamma*inv*(dy - Σdy/n - (z-mean)*inv²*Σ(dy*(z-mean))/n).
func (nm *Norm[T]) finishGrad(coef []T, n, c, chunks int, st []T, stride int) {
	nm.offset, nm.slope = coef[:c], coef[c:2*c]
	for i := range c {
		var s1, s2 float64
		for k := range chunks {
			s1 += float64(st[k*stride+i])
			s2 += float64(st[k*stride+c+i])
		}
		inv := float64(nm.Inv[i])
		nm.offset[i] = T(s1 / float64(n))
		nm.slope[i] = T(s2 / float64(n) * inv * inv)
		if nm.DGamma != nil {
			nm.DGamma[i] = T(s2 * inv)
			nm.DBeta[i] = T(s1)
		}
	}
}

// gradZ writes the gradient of n pixels of z.
func (e *Engine[T]) gradZ(nm *Norm[T], n, c int, dz, z, dy []T) {
	e.gradGroup(nm, n, 0, c, dz, c, z, dy, c)
}

// gradGroup writes the gradient of the c channels from g on of n pixels, which are dpx
// apart in dz and px apart in z and dy. These three begin at channel g.
func (e *Engine[T]) gradGroup(nm *Norm[T], n, g, c int, dz []T, dpx int, z, dy []T, px int) {
	e.k.bnGrad(n, c, dz, dpx, z, dy, px, nm.Mean[g:], nm.Scale[g:], nm.offset[g:], nm.slope[g:])
}
