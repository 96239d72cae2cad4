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

// take returns the named tensor and checks its shape.
func (in *incoming) take(name string, shape []int) (weights.Tensor, error) {
	t, ok := in.by[name]
	if !ok {
		return t, fmt.Errorf("supernet: tensor %s is missing: the weights belong to another network", name)
	}
	if !slices.Equal(t.Shape, shape) {
		return t, fmt.Errorf("supernet: tensor %s has shape %v, want %v: the weights belong to another network", name, t.Shape, shape)
	}
	in.taken[name] = true
	return t, nil
}

// params loads one value for each parameter of the layout, names prefixed.
func (in *incoming) params(l *net.Layout, prefix string, dst []float32) error {
	for _, p := range l.Params {
		t, err := in.take(prefix+p.Name, p.File)
		if err != nil {
			return err
		}
		if t.F32 == nil {
			return fmt.Errorf("supernet: tensor %s is not float32", t.Name)
		}
		p.FromFile(t.F32, dst[p.Mem.Off:p.Mem.Off+p.Mem.Len])
	}
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
