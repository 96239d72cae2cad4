package cpu

import "math"

const (
	badLabel     = "cpu: label is not a class"
	badSmoothing = "cpu: label smoothing is not in [0, 1]"
)

// SoftmaxXent returns the mean over n samples of the cross entropy of
// logits (n,k) and labels (n) in [0, k), with label smoothing: the target is
// 1-smoothing for the label plus smoothing/k for every class, as in torch. It
// also computes dlogits (n,k), the gradient of the result, unless it is nil.
// Everything is computed in float64 and rounded once. The largest logit is
// subtracted first, so no finite logit overflows.
//
// A NaN or +Inf logit makes the loss and its row of dlogits NaN. A -Inf logit is
// a class of probability zero: the loss is +Inf if it has any target, with
// finite gradients; only if all logits are -Inf is it NaN. With n == 0 the loss is NaN. dlogits may be logits.
func (e *Engine[T]) SoftmaxXent(n, k int, logits []T, labels []int32, smoothing float64, dlogits []T) T {
	need(logits, n, k)
	need(labels, n)
	if dlogits != nil {
		need(dlogits, n, k)
	}
	if !(smoothing >= 0 && smoothing <= 1) {
		panic(badSmoothing)
	}
	for _, l := range labels {
		if l < 0 || int(l) >= k {
			panic(badLabel)
		}
	}
	j := job[lossJob[T]](e)
	*j = lossJob[T]{work: imagePartition(n), k: k, logits: logits, labels: labels, smoothing: smoothing, dlogits: dlogits}
	e.pool.Do(j.work.chunks(), j)
	var loss float64
	for _, v := range j.sums[:j.work.chunks()] {
		loss += v
	}
	return T(loss / float64(n))
}

type lossJob[T Float] struct {
	work            partition
	k               int
	logits, dlogits []T
	labels          []int32
	smoothing       float64
	sums            [imageChunks]float64
}

func (j *lossJob[T]) Chunk(_, chunk int) {
	lo, hi := j.work.bounds(chunk)
	for i := lo; i < hi; i++ {
		var grad []T
		if j.dlogits != nil {
			grad = j.dlogits[i*j.k:][:j.k]
		}
		j.sums[chunk] += xentRow(j.logits[i*j.k:][:j.k], int(j.labels[i]), j.smoothing, 1/float64(j.work.n), grad)
	}
}

// xentRow returns the loss of one sample and, unless grad is nil, computes its
// gradient times scale.
func xentRow[T Float](logits []T, label int, smoothing, scale float64, grad []T) float64 {
	top := math.Inf(-1)
	for _, v := range logits {
		top = max(top, float64(v)) // a NaN wins
	}
	var sum float64
	for _, v := range logits {
		sum += math.Exp(float64(v) - top)
	}
	logSum := math.Log(sum) // of the logits less top
	share := smoothing / float64(len(logits))
	loss := (1 - smoothing) * (logSum - (float64(logits[label]) - top))
	if smoothing == 1 {
		loss = 0 // not 0*Inf
	}
	if share > 0 {
		for _, v := range logits {
			loss += share * (logSum - (float64(v) - top))
		}
	}
	for j := range grad {
		target := share
		if j == label {
			target += 1 - smoothing
		}
		grad[j] = T((math.Exp(float64(logits[j])-top-logSum) - target) * scale)
	}
	return loss
}

// Correct returns how many of the n samples have their largest logit at their
// label; the first of equal ones counts. A sample with a NaN is not correct.
func Correct[T Float](n, k int, logits []T, labels []int32) int {
	need(logits, n, k)
	need(labels, n)
	correct := 0
	for i, l := range labels {
		if l < 0 || int(l) >= k {
			panic(badLabel)
		}
		row := logits[i*k:][:k]
		ok := true
		for j, v := range row {
			if j < int(l) {
				ok = ok && v < row[l]
			} else {
				ok = ok && v <= row[l]
			}
		}
		if ok {
			correct++
		}
	}
	return correct
}
