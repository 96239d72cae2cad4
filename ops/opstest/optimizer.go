package opstest

import (
	"math"
	"testing"

	"oneshot/ops"
	"oneshot/weights"
)

// optimizerCases are those of ops/testdata/optim_golden.py.
var optimizerCases = []struct {
	name  string
	o     ops.Optimizer
	decay float64
}{
	{"sgd", ops.SGD{Momentum: 0.9}, 0.1},
	{"sgd_nesterov", ops.SGD{Momentum: 0.9, Nesterov: true}, 0.1},
	{"adamw", ops.AdamW{Beta1: 0.9, Beta2: 0.99, Eps: 1e-6}, 0.1},
	{"adamw_beta0", ops.AdamW{Beta2: 0.999, Eps: 1e-8}, 0},
	{"sgd_plain", ops.SGD{}, 0},
}

// Optimizers compares some steps of every optimizer with PyTorch, in which one of two
// parameters takes no part now and then: it must stay as it is. The gradients are
// stored doubled and halved by Update.Scale. file is optim_golden.safetensors; tol is
// relative to the largest parameter.
func Optimizers(t *testing.T, newMachine func() Machine, file string, tol float64) {
	const first = 21 // values of the first parameter
	f, err := weights.ReadSafetensors(file)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string][]float32{}
	for _, x := range f.Tensors {
		by[x.Name] = x.F32
	}
	for _, c := range optimizerCases {
		t.Run(c.name, func(t *testing.T) {
			w, grads, lrs, after := by[c.name+"/w"], by[c.name+"/grads"], by[c.name+"/lr"], by[c.name+"/after"]
			n := len(w)
			if n <= first || len(lrs) == 0 || len(grads) != n*len(lrs) || len(after) != len(grads) {
				t.Fatalf("%s has no such case", file)
			}
			m := newMachine()
			for _, r := range []ops.Region{ops.Params, ops.Grad} {
				m.Resize(r, n)
			}
			for i := range c.o.Slots() {
				m.Resize(ops.Slot(i), n)
				m.Write(ops.Mem{Region: ops.Slot(i), Len: n}, make([]float64, n))
			}
			all := ops.Mem{Region: ops.Params, Len: n}
			m.Write(all, wide(w, 1))
			skipped := 0
			for s, lr := range lrs {
				g := grads[s*n : (s+1)*n]
				used := []ops.Mem{{Region: ops.Params, Len: first}}
				if math.IsNaN(float64(g[first])) {
					skipped++
				} else {
					used = append(used, ops.Mem{Region: ops.Params, Off: first, Len: n - first})
				}
				m.Write(ops.Mem{Region: ops.Grad, Len: n}, wide(g, 2))
				if err := m.Update(c.o, used, ops.Update{LR: float64(lr), Decay: c.decay, Scale: 0.5}); err != nil {
					t.Fatal(err)
				}
				near(t, "parameters", m.Read(all), wide(after[s*n:(s+1)*n], 1), tol)
			}
			if skipped == 0 {
				t.Error("both parameters took part in every step: the test is blind")
			}
		})
	}
}

// wide are values times a factor.
func wide(v []float32, factor float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = factor * float64(x)
	}
	return out
}
