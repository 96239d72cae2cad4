package supernet

import (
	"fmt"
	"slices"

	"oneshot/supernet/net"
	"oneshot/weights"
)

// incoming is a set of tensors being loaded; each must be taken exactly once.
type incoming struct {
	by    map[string]weights.Tensor
	taken map[string]bool
}

func newIncoming(ts []weights.Tensor) *incoming {
	in := &incoming{by: make(map[string]weights.Tensor, len(ts)), taken: map[string]bool{}}
	for _, t := range ts {
		in.by[t.Name] = t
	}
	return in
}

// has says whether there is a tensor of that name.
func (in *incoming) has(name string) bool { _, ok := in.by[name]; return ok }

// take returns the named tensor and checks its shape and its values.
func (in *incoming) take(name string, shape []int) (weights.Tensor, error) {
	t, ok := in.by[name]
	if !ok {
		return t, fmt.Errorf("supernet: tensor %s is missing: the weights belong to another network", name)
	}
	if !slices.Equal(t.Shape, shape) {
		return t, fmt.Errorf("supernet: tensor %s has shape %v, want %v: the weights belong to another network", name, t.Shape, shape)
	}
	if err := checkTensor(t); err != nil {
		return t, err
	}
	in.taken[name] = true
	return t, nil
}

// params loads one value for each parameter of the layout, names prefixed.
func (in *incoming) params(l *net.Layout, prefix string, dst []float32) error {
	for _, p := range l.Params {
		t, err := in.float32s(prefix+p.Name, p.File)
		if err != nil {
			return err
		}
		p.FromFile(t, dst[p.Mem.Off:p.Mem.Off+p.Mem.Len])
	}
	return nil
}

// float32s takes the values of a tensor of that shape.
func (in *incoming) float32s(name string, shape []int) ([]float32, error) {
	t, err := in.take(name, shape)
	if err == nil && t.F32 == nil {
		err = fmt.Errorf("supernet: tensor %s is not float32", name)
	}
	return t.F32, err
}

// What the names of a normalisation's statistics end in.
const runningMean, runningVar, batchesTracked = ".running_mean", ".running_var", ".num_batches_tracked"

// statistics loads those of a normalisation: means and variances to state, and how many
// batches they have seen.
func (in *incoming) statistics(norm string, channels int, state []float32, tracked *int64) error {
	var mean, variance, count weights.Tensor
	for _, f := range []struct {
		name  string
		to    *weights.Tensor
		shape []int
	}{{runningMean, &mean, []int{channels}}, {runningVar, &variance, []int{channels}}, {batchesTracked, &count, []int{}}} {
		t, err := in.take(norm+f.name, f.shape)
		if err != nil {
			return err
		}
		*f.to = t
	}
	if mean.F32 == nil || variance.F32 == nil || count.I64 == nil {
		return fmt.Errorf("supernet: statistics of %s: want float32 means and variances and an int64 count", norm)
	}
	copy(state, mean.F32)
	copy(state[channels:], variance.F32)
	*tracked = count.I64[0]
	return nil
}

// rest reports a tensor nobody took.
func (in *incoming) rest() error {
	var left []string
	for name := range in.by {
		if !in.taken[name] {
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		return nil
	}
	slices.Sort(left)
	return fmt.Errorf("supernet: %d unknown tensors, the first is %s: the weights belong to another network", len(left), left[0])
}
