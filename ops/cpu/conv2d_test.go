package cpu

import (
	"fmt"
	"testing"
)

// conv2DRef calls f for every product of a convolution, with the elements of the output,
// of the input and of the weights that meet in it.
func conv2DRef[T Float](o *Conv2D[T], f func(z, x, w int)) {
	ho, wo := o.out()
	for i := range o.N * ho * wo {
		n, r, q := i/(ho*wo), i/wo%ho, i%wo
		for tap := range o.R * o.S {
			y, x := r*o.StrideH+tap/o.S-(o.R-1)/2, q*o.StrideW+tap%o.S-(o.S-1)/2
			if y < 0 || y >= o.H || x < 0 || x >= o.W {
				continue
			}
			for ci := range o.Cin {
				for co := range o.Cout {
					f(i*o.Cout+co, ((n*o.H+y)*o.W+x)*o.Cin+ci, (tap*o.Cin+ci)*o.Cout+co)
				}
			}
		}
	}
}

// testConv2D compares the passes with conv2DRef.
func testConv2D[T Float](t *testing.T) {
	seen := 0
	try := func(n, h, w, cin, cout, r, s, sh, sw int) {
		l := newLab[T](t, uint64(seen))
		seen++
		o := &Conv2D[T]{N: n, H: h, W: w, Cin: cin, Cout: cout, R: r, S: s, StrideH: sh, StrideW: sw, F: ReLU, NoNorm: true}
		ho, wo := o.out()
		o.X = Act[T]{X: l.random(n * h * w * cin)}
		o.Weights, o.Z = l.random(o.depth()*cout), l.blank(n*ho*wo*cout)
		o.DWeights, o.DX.DX = l.blank(len(o.Weights)), l.blank(len(o.X.X))
		dy := l.random(len(o.Z))
		e := NewEngine[T](nil)
		e.Conv2DForward(o)
		e.Conv2DBackward(o, dy)
		z, dw, dx := make([]exact, len(o.Z)), make([]exact, len(o.Weights)), make([]exact, len(o.X.X))
		conv2DRef(o, func(zi, xi, wi int) {
			x, w, d := max(float64(o.X.X[xi]), 0), float64(o.Weights[wi]), float64(dy[zi])
			z[zi].add(x * w)
			dw[wi].add(x * d)
			if o.X.X[xi] > 0 {
				dx[xi].add(w * d)
			}
		})
		at := fmt.Sprintf("%dx%dx%dx%d to %d, %dx%d, strides %d and %d", n, h, w, cin, cout, r, s, sh, sw)
		for _, v := range []struct {
			name string
			want []exact
			got  []T
		}{{"Z", z, o.Z}, {"DWeights", dw, o.DWeights}, {"DX", dx, o.DX.DX}} {
			for i, x := range v.want {
				near(t, x, v.got[i], 2, "%s: %s[%d]", at, v.name, i)
			}
		}
		l.ok()
	}
	for _, k := range [][2]int{{1, 1}, {3, 3}, {1, 7}, {7, 1}, {5, 3}} {
		for _, stride := range [][2]int{{1, 1}, {2, 2}, {1, 2}, {2, 1}, {3, 2}} {
			for _, size := range [][2]int{{1, 1}, {2, 3}, {5, 4}, {7, 9}, {9, 70}} { // smaller than the kernel, odd, longer than a strip
				try(2, size[0], size[1], 3, 5, k[0], k[1], stride[0], stride[1])
			}
		}
	}
	try(1, 3, 60, 33, 17, 3, 3, 1, 1)
	try(1, 30, 13, 40, 24, 7, 1, 2, 1) // several bands
	try(1, 9, 230, 3, 24, 3, 3, 2, 2)
	try(18, 4, 4, 12, 16, 3, 3, 2, 2) // chunks of two images
}

func TestConv2D(t *testing.T) { bothTypes(t, testConv2D[float32], testConv2D[float64]) }
