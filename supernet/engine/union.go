package engine

import (
	"math"
	"slices"

	"oneshot/ops"
)

// Union is what the paths of a step use, each piece once, by offset and joined.
type Union struct {
	Grads           []ops.Mem
	Decayed, Spared []ops.Mem
}

// Several makes graphs those of one step: the first has the others beside it.
func Several(gs []*Graph) *Graph {
	first := gs[0]
	if len(gs) == 1 {
		return first
	}
	first.Beside = gs[1:]
	u := &Union{}
	for _, g := range gs {
		u.Grads = append(u.Grads, g.Grads...)
		u.Decayed = append(u.Decayed, g.Decayed...)
		u.Spared = append(u.Spared, g.Spared...)
	}
	u.Grads, u.Decayed, u.Spared = Joined(u.Grads), Joined(u.Decayed), Joined(u.Spared)
	first.Union = u
	return first
}

// Paths are the graphs of a step, of which g is the first.
func (g *Graph) Paths() []*Graph { return append([]*Graph{g}, g.Beside...) }

// Joined sorts pieces of one region and joins those that touch or overlap: the work of an
// optimizer, which goes value by value, is the same and its pieces are fewer.
func Joined(ms []ops.Mem) []ops.Mem {
	ms = slices.Clone(ms)
	slices.SortFunc(ms, func(a, b ops.Mem) int { return a.Off - b.Off })
	var out []ops.Mem
	for _, m := range ms {
		if k := len(out) - 1; k >= 0 && out[k].Off+out[k].Len >= m.Off {
			out[k].Len = max(out[k].Len, m.Off+m.Len-out[k].Off)
			continue
		}
		out = append(out, m)
	}
	return out
}

// Softmax writes that of logits/temperature to dst, and says whether they are numbers.
func Softmax(dst, logits []float32, temperature float64) bool {
	top := math.Inf(-1)
	for _, v := range logits {
		top = max(top, float64(v)) // a NaN wins
	}
	var sum float64
	for _, v := range logits {
		sum += math.Exp((float64(v) - top) / temperature)
	}
	for i, v := range logits {
		dst[i] = float32(math.Exp((float64(v)-top)/temperature) / sum)
	}
	return sum == sum
}
