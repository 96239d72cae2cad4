package supernet

import (
	"fmt"
	"math"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops/cuda"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// SelfTest trains a small network for some steps on the processor and on a device
// and compares the losses: those of float32 to a thousandth, those of bfloat16 to a
// twentieth. It takes a second or two.
func SelfTest(e *cuda.Engine) error {
	s, err := space.New("full", 4)
	if err != nil {
		return err
	}
	cfg := NetConfig{Space: s, Size: net.Size{Geometry: net.Geometry{Layers: 3, Channels: 8, StemMultiplier: 2}, Classes: 10, Image: 16, Affine: true}}
	arch := s.Sample(rng.New(7, "selftest"))
	host, err := NewRuntime(1)
	if err != nil {
		return err
	}
	defer host.Close()
	want, err := selfLosses(cfg, arch, host)
	if err != nil {
		return err
	}
	for _, half := range []bool{false, true} {
		rt, err := NewCUDARuntime(e, half, 1) // stays open: the device is the caller's
		if err != nil {
			return err
		}
		got, err := selfLosses(cfg, arch, rt)
		if err != nil {
			return err
		}
		tol := map[bool]float64{false: 1e-3, true: 5e-2}[half]
		for i, w := range want {
			if !(math.Abs(got[i]-w) <= tol*math.Abs(w)) {
				return fmt.Errorf("supernet: self-test: loss of step %d is %g on the device, %g on the processor (bfloat16: %v)", i+1, got[i], w, half)
			}
		}
	}
	return nil
}

func selfLosses(cfg NetConfig, arch space.Arch, rt *Runtime) ([]float64, error) {
	n, err := NewArch(cfg, arch, 1, rt)
	if err != nil {
		return nil, err
	}
	c := DefaultTrain()
	c.Steps, c.Batch, c.LR, c.MinLR = 3, 16, 0.01, 0.01
	t, err := newTrainer(n, nil, c)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	b := &data.Batch{N: c.Batch, X: make([]float32, c.Batch*cfg.Image*cfg.Image*3), Y: make([]int32, c.Batch)}
	r := rng.New(1, "selftest images")
	for i := range b.X {
		b.X[i] = float32(r.NormFloat64())
	}
	for i := range b.Y {
		b.Y[i] = int32(r.IntN(cfg.Classes))
	}
	var losses []float64
	for range c.Steps {
		p, err := t.graph()
		if err != nil {
			return nil, err
		}
		st, err := t.take(p, b)
		if err != nil {
			return nil, err
		}
		losses = append(losses, st.Loss)
	}
	return losses, nil
}
