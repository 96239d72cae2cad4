package supernet

import (
	"math"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/supernet/space"
)

// widestLosses trains cells of as many nodes as a configuration may ask for: their
// output has 32 parts.
func widestLosses(t *testing.T, rt *Runtime) (losses [2]float64) {
	t.Helper()
	s, err := space.New("lanas", 32)
	if err != nil {
		t.Fatal(err)
	}
	cfg := DefaultNet()
	cfg.Space, cfg.Layers, cfg.Channels, cfg.StemMultiplier, cfg.Image = s, 3, 2, 1, 8
	n, err := New(cfg, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	c := smallTrain(2)
	c.Batch = 4
	b := &data.Batch{N: c.Batch, X: make([]float32, c.Batch*cfg.Image*cfg.Image*3), Y: make([]int32, c.Batch)}
	r := rng.New(1, "test")
	for i := range b.X {
		b.X[i] = float32(r.NormFloat64())
	}
	tr, err := NewTrainerOn(n, func(int) *data.Batch { return b }, c)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for i := range losses {
		st, err := tr.Step(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		losses[i] = st.Loss
	}
	return losses
}

func TestWidestCells(t *testing.T) {
	if l := widestLosses(t, newRuntime(t, 2)); !(math.Abs(l[0]-math.Log(10)) < 3) || l[0] == l[1] {
		t.Errorf("losses %v", l)
	}
}

func TestCUDAWidestCells(t *testing.T) {
	want, got := widestLosses(t, newRuntime(t, 2)), widestLosses(t, newDevice(t, false))
	for i, w := range want {
		if !(math.Abs(got[i]-w) <= 2e-3*w) {
			t.Errorf("loss of step %d is %g, on the processor %g", i, got[i], w)
		}
	}
}
