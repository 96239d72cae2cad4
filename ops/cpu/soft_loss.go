package cpu

import "math"

const badTemperature = "cpu: temperature is not above 0"

// SoftXent is the cross entropy of distributions: weight*temperature^2 times the mean over
// n samples of -sum targets*log softmax(logits/temperature), with logits and targets
// (n,k). Targets need not add up to 1. It also computes dlogits (n,k), the gradient of
// the result, unless it is nil. Everything is computed in float64 and rounded once. The
// largest logit is subtracted first, so no finite logit overflows.
//
// A NaN or +Inf logit, or a NaN target, makes the loss and its row of dlogits NaN. A -Inf
// logit is a class of probability zero: the loss is +Inf if its target is above 0, with
// finite gradients; only if all logits are -Inf is it NaN. With n == 0 the loss is NaN.
// dlogits may be logits.
func (e *Engine[T]) SoftXent(n, k int, logits, targets []T, weight, temperature float64, dlogits []T) T {
	need(logits, n, k)
	need(targets, n, k)
	if dlogits != nil {
		need(dlogits, n, k)
	}
	if !(temperature > 0) {
		panic(badTemperature)
	}
	j := job[softLossJob[T]](e)
	*j = softLossJob[T]{work: imagePartition(n), k: k, logits: logits, targets: targets, temperature: temperature,
		scale: weight * temperature / float64(n), dlogits: dlogits}
	e.pool.Do(j.work.chunks(), j)
	var loss float64
	for _, v := range j.sums[:j.work.chunks()] {
		loss += v
	}
	return T(weight * temperature * temperature * (loss / float64(n)))
}

type softLossJob[T Float] struct {
	work               partition
	k                  int
	logits, dlogits    []T
	targets            []T
	temperature, scale float64
	sums               [imageChunks]float64
}

func (j *softLossJob[T]) Chunk(_, chunk int) {
	lo, hi := j.work.bounds(chunk)
	for i := lo; i < hi; i++ {
		var grad []T
		if j.dlogits != nil {
			grad = j.dlogits[i*j.k:][:j.k]
		}
		j.sums[chunk] += softXentRow(j.logits[i*j.k:][:j.k], j.targets[i*j.k:][:j.k], j.temperature, j.scale, grad)
	}
}

// softXentRow returns -sum targets*log softmax(logits/temperature) of one sample and,
// unless grad is nil, computes its gradient by logits/temperature, times scale.
func softXentRow[T Float](logits, targets []T, temperature, scale float64, grad []T) float64 {
	top := math.Inf(-1)
	for _, v := range logits {
		top = max(top, float64(v)) // a NaN wins
	}
	var sum, mass float64
	for j, v := range logits {
		sum += math.Exp((float64(v) - top) / temperature)
		mass += float64(targets[j])
	}
	logSum := math.Log(sum) // of the logits less top
	var loss float64
	for j, v := range logits {
		if q := float64(targets[j]); q != 0 { // not 0*Inf
			loss += q * (logSum - (float64(v)-top)/temperature)
		}
	}
	if sum != sum {
		loss = sum // also where no class has a target
	}
	for j := range grad {
		p := math.Exp((float64(logits[j])-top)/temperature - logSum)
		grad[j] = T((mass*p - float64(targets[j])) * scale)
	}
	return loss
}
