package ops

import (
	"math"

	"oneshot/ops/cpu"
)

// bnEps is torch's default epsilon of BatchNorm2d.
const bnEps = 1e-5

// bnForward normalises z (rows,C) into y. stats (2C) receives the mean and
// 1/sqrt(variance+eps) used, for the backward pass. state is the running mean
// and variance; in Train and Recalibrate mode it moves by c.Momentum towards
// the batch's, with the unbiased variance as torch does.
func (b *CPU[T]) bnForward(c *Call, state Mem, rows, ch int, z, gamma, beta, y, stats, scratch []T) {
	run := b.at(state)
	mean, inv := stats[:ch], stats[ch:2*ch]
	if c.Mode == Eval {
		copy(mean, run[:ch])
		copy(inv, run[ch:])
	} else {
		cpu.BNSums(b.pool, rows, ch, z, mean, inv, scratch)
		unbias := 1.0
		if rows > 1 {
			unbias = float64(rows) / float64(rows-1)
		}
		m := T(c.Momentum)
		for i := range ch {
			run[i] += m * (mean[i] - run[i])
			run[ch+i] += m * (T(float64(inv[i])*unbias) - run[ch+i])
		}
	}
	for i, v := range inv {
		inv[i] = T(1 / math.Sqrt(float64(v)+bnEps))
	}
	cpu.BNApply(b.pool, rows, ch, z, mean, inv, gamma, beta, y, ch)
}

// bnBackward turns dy into dz (which may be the same slice), and writes the
// gradients of gamma and beta where they exist.
func (b *CPU[T]) bnBackward(rows, ch int, z, dy, gamma, stats, dz, dgamma, dbeta, scratch []T) {
	cpu.BNBackward(b.pool, rows, ch, z, dy, stats[:ch], stats[ch:2*ch], gamma, dz, dgamma, dbeta, scratch)
}

// affine returns gamma and beta at inputs i and i+1, nil without them.
func (b *CPU[T]) affine(on bool, in []Mem, i int) (gamma, beta []T) {
	if !on {
		return nil, nil
	}
	return b.at(in[i]), b.at(in[i+1])
}
