package cpu

import (
	"math"
	"slices"
	"testing"
)

// TestForwardWithoutSums: without statistics of a batch one thread takes all images as one chunk, and computes the
// bits that two compute in several.
func TestForwardWithoutSums(t *testing.T) {
	pool := NewPool(2)
	defer pool.Close()
	checked := 0
	eachPass(t, passes/2, func(name string, p *pass[float32]) {
		if p.norm == nil || p.norm.Batch {
			return
		}
		checked++
		p.forward(NewEngine[float32](nil))
		one := slices.Clone(p.z)
		fill(p.z, float32(math.NaN()))
		p.forward(NewEngine[float32](pool))
		for i, v := range p.z {
			if math.Float32bits(v) != math.Float32bits(one[i]) {
				t.Fatalf("%s, %s: z[%d] is %v by one thread and %v by two", name, p.what, i, one[i], v)
			}
		}
	})
	if checked == 0 {
		t.Error("every pass had statistics")
	}
}

// TestManyWeights: a convolution with so many weights that its backward pass has fewer chunks computes the gradients of
// the same one image by image.
func TestManyWeights(t *testing.T) {
	const n, px, cin, cout = 11, 16, 512, 256
	size := px * cin
	o := Conv[float64]{N: n, Px: px, Cin: cin, Cout: cout, NoNorm: true}
	o.Parts = []Act[float64]{{X: fillNoise(make([]float64, n*size))}}
	o.W, o.Z = fillNoise(make([]float64, cin*cout)), make([]float64, n*px*cout)
	o.DW, o.DParts = make([]float64, cin*cout), []Out[float64]{{DX: make([]float64, n*size)}}
	if c := o.gradPartition().chunks(); c >= imagePartition(n).chunks() {
		t.Fatalf("%d chunks, and not fewer than %d", c, imagePartition(n).chunks())
	}
	dy := fillNoise(make([]float64, n*px*cout))
	e := NewEngine[float64](nil)
	e.ConvBackward(&o, dy)
	want := make([]float64, cin*cout)
	for i := range n {
		one := o
		one.N = 1
		one.Parts = []Act[float64]{{X: o.Parts[0].X[i*size:][:size]}}
		one.DW, one.DParts = make([]float64, cin*cout), []Out[float64]{{DX: make([]float64, size)}}
		e.ConvBackward(&one, dy[i*px*cout:][:px*cout])
		addRow(want, want, one.DW)
		if got := o.DParts[0].DX[i*size:][:size]; !slices.Equal(got, one.DParts[0].DX) {
			t.Fatalf("image %d: another gradient of the input", i)
		}
	}
	for i, v := range want {
		if !(math.Abs(o.DW[i]-v) <= 1e-11*(1+math.Abs(v))) {
			t.Fatalf("dw[%d] = %v, want %v", i, o.DW[i], v)
		}
	}
}
