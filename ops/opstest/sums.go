package opstest

import (
	"math/rand/v2"
	"testing"

	"oneshot/ops"
	"oneshot/ops/cpu"
)

// Sums checks the sums of gradients of the processor, see ops.Call: those that Backward writes are the sums of the gradient
// that it writes, and with the sums of the output's gradient it computes what it computes without. It returns in how many
// cases there were any.
func Sums[T cpu.Float](t *testing.T, tol float64) (cases int) {
	for _, c := range Cases() {
		m := CPU[T](nil).(cpuMachine[T])
		if !c.Deferred || !m.SumsGradient(c.Op, ops.Depthwise{}) || len(c.Op.Norms()) == 0 {
			continue
		}
		cases++
		t.Run(c.Name, func(t *testing.T) {
			b := lay(t, m, c)
			b.call.DAdd = make([]ops.Mem, len(b.call.In)) // nothing is added
			r := rand.New(rand.NewPCG(9, 10))
			dOut := normal(r, b.size())
			b.forward(t, ops.Train, c.inputs(r), nil)
			want := b.backward(t, dOut)

			b.call.DInSum, b.call.DOutSum = b.sums[0], b.sums[1]
			known := sumsOf(dOut, m.Read(b.call.Out), m.Read(b.call.OutNorm))
			m.Write(b.call.DOutSum, known)
			got := b.backward(t, dOut)
			for i := range want {
				near(t, "gradient", got[i], want[i], tol)
			}
			near(t, "sums", m.Read(b.call.DInSum), sumsOf(got[0], m.Read(b.call.In[0]), m.Read(b.call.InNorm[0])), tol)

			for i := range known {
				known[i]++
			}
			m.Write(b.call.DOutSum, known)
			if other := b.backward(t, dOut); !(farthest(other[0], want[0]) >= 100*tol) {
				t.Error("other sums of the output's gradient change nothing")
			}
		})
	}
	return cases
}

// sumsOf are the sums of dy and dy*(z-mean) of each channel, where norm normalises z.
func sumsOf(dy, z, norm []float64) []float64 {
	c := len(norm) / ops.NormLen(1)
	s := make([]float64, 2*c)
	for i, d := range dy {
		s[i%c] += d
		s[c+i%c] += d * (z[i] - norm[2*c+i%c])
	}
	return s
}

// farthest is the largest difference of two tensors, NaN where one has a NaN.
func farthest(a, b []float64) (most float64) {
	for i := range a {
		most = max(most, a[i]-b[i], b[i]-a[i])
	}
	return most
}
