// Package selftest asks whether a device computes what the processor computes.
//
// Contract: it uses of oneshot what a training uses, and prints nothing.
package selftest

import (
	"context"
	"fmt"
	"math"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops/cuda"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Run trains a small network for some steps on the processor and on a device
// and compares the losses: those of float32 to a thousandth, those of bfloat16 to a
// twentieth. It takes a second or two.
func Run(e *cuda.Engine) error {
	s, err := space.New("full", 4)
	if err != nil {
		return err
	}
	cfg := supernet.NetConfig{Space: s, Size: net.Size{Geometry: net.Geometry{Layers: 3, Channels: 8, StemMultiplier: 2}, Classes: 10, Image: 16, Affine: true}}
	arch := s.Sample(rng.New(7, "selftest"))
	host, err := supernet.NewRuntime(1)
	if err != nil {
		return err
	}
	defer host.Close()
	want, err := losses(cfg, arch, host)
	if err != nil {
		return err
	}
	for _, half := range []bool{false, true} {
		rt, err := supernet.NewCUDARuntime(e, half, 1) // stays open: the device is the caller's
		if err != nil {
			return err
		}
		got, err := losses(cfg, arch, rt)
		if err != nil {
			return err
		}
		tol := map[bool]float64{false: 1e-3, true: 5e-2}[half]
		for i, w := range want {
			if !(math.Abs(got[i]-w) <= tol*math.Abs(w)) {
				return fmt.Errorf("self-test: loss of step %d is %g on the device, %g on the processor (bfloat16: %v)", i+1, got[i], w, half)
			}
		}
	}
	return nil
}

func losses(cfg supernet.NetConfig, arch space.Arch, rt *supernet.Runtime) ([]float64, error) {
	n, err := supernet.NewArch(cfg, arch, 1, rt)
	if err != nil {
		return nil, err
	}
	c := supernet.DefaultTrain()
	c.Steps, c.Batch, c.LR, c.MinLR = 3, 16, 0.01, 0.01
	b := &data.Batch{N: c.Batch, X: make([]float32, c.Batch*cfg.Image*cfg.Image*3), Y: make([]int32, c.Batch)}
	r := rng.New(1, "selftest images")
	for i := range b.X {
		b.X[i] = float32(r.NormFloat64())
	}
	for i := range b.Y {
		b.Y[i] = int32(r.IntN(cfg.Classes))
	}
	t, err := supernet.NewTrainerOn(n, func(int) *data.Batch { return b }, c)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	var losses []float64
	for range c.Steps {
		st, err := t.Step(context.Background())
		if err != nil {
			return nil, err
		}
		losses = append(losses, st.Loss)
	}
	return losses, nil
}
