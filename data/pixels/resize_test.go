package pixels

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"oneshot/data/decode"
)

// resizeRef is what Resize means, in float64 and without a rounding before the last: each
// output value is the weighted mean of the box under a triangle. It returns (h,w) values of
// one plane; the box and the distances are in values of the plane.
func resizeRef(at func(y, x int) float64, y0, x0, y1, x1 float64, outH, outW int, window Rect) []float64 {
	out := make([]float64, 0, window.H()*window.W())
	weights := func(lo, hi float64, n, i int) (first int, w []float64) {
		scale := (hi - lo) / float64(n)
		center := lo + (float64(i)+0.5)*scale
		total := 0.0
		for j := int(math.Floor(lo)); j < int(math.Ceil(hi)); j++ {
			v := max(0, 1-math.Abs(float64(j)+0.5-center)/max(scale, 1))
			w = append(w, v)
			total += v
		}
		for j := range w {
			w[j] /= total
		}
		return int(math.Floor(lo)), w
	}
	for i := window.Y0; i < window.Y1; i++ {
		fy, wy := weights(y0, y1, outH, i)
		for j := window.X0; j < window.X1; j++ {
			fx, wx := weights(x0, x1, outW, j)
			sum := 0.0
			for a, u := range wy {
				for b, v := range wx {
					if u*v > 0 {
						sum += u * v * at(fy+a, fx+b)
					}
				}
			}
			out = append(out, sum)
		}
	}
	return out
}

// resizeCase is an image with a box, an output size and a window.
type resizeCase struct {
	src        decode.Image
	box        Rect
	outH, outW int
	window     Rect
}

// randomCase draws a case. kind is "rgb", "grey", or one of the subsamplings "444", "422", "420"
// and "440". Rows of planes are longer than the image, and what lies behind them is noise.
func randomCase(r *rand.Rand, kind string) (c resizeCase) {
	side := func(most int) int { return 1 + int(float64(most-1)*r.Float64()*r.Float64()) }
	noise := func(n int) []uint8 { return goldenPixels(n, r.Uint32()) }
	part := func(h, w int) Rect {
		if r.IntN(3) == 0 {
			return Rect{0, 0, h, w}
		}
		y, x := r.IntN(h), r.IntN(w)
		return Rect{y, x, y + 1 + r.IntN(h-y), x + 1 + r.IntN(w-x)}
	}
	h, w := side(90), side(90)
	c.src = decode.Image{H: h, W: w}
	switch kind {
	case "rgb":
		c.src.Pix = noise(h * w * 3)
	case "grey":
		c.src.Pix, c.src.Grey = noise(h*w), true
	default:
		sub := map[string][2]int{"444": {1, 1}, "422": {1, 2}, "420": {2, 2}, "440": {2, 1}}[kind]
		c.src.SubY, c.src.SubX = sub[0], sub[1]
		ch, cw := (h+c.src.SubY-1)/c.src.SubY, (w+c.src.SubX-1)/c.src.SubX
		c.src.YStride, c.src.CStride = w+r.IntN(20), cw+r.IntN(20)
		c.src.Y = noise((h-1)*c.src.YStride + w)
		c.src.Cb, c.src.Cr = noise((ch-1)*c.src.CStride+cw), noise((ch-1)*c.src.CStride+cw)
	}
	c.box = part(h, w)
	c.outH, c.outW = side(100), side(100)
	c.window = part(c.outH, c.outW)
	return c
}

func (c resizeCase) run(r *Resampler) []uint8 {
	dst := make([]uint8, c.window.H()*c.window.W()*3)
	r.Resize(dst, &c.src, c.box, c.outH, c.outW, c.window)
	return dst
}

// want is the result in float64.
func (c resizeCase) want() (rgb []float64) {
	b := c.box
	scaled := func(pix []uint8, stride, step, from, subY, subX int) []float64 {
		at := func(y, x int) float64 { return float64(pix[y*stride+x*step+from]) }
		return resizeRef(at, float64(b.Y0)/float64(subY), float64(b.X0)/float64(subX),
			float64(b.Y1)/float64(subY), float64(b.X1)/float64(subX), c.outH, c.outW, c.window)
	}
	s := &c.src
	var planes [3][]float64
	switch {
	case s.Grey:
		planes[0] = scaled(s.Pix, s.W, 1, 0, 1, 1)
		planes[1], planes[2] = planes[0], planes[0]
	case s.Pix != nil:
		for k := range planes {
			planes[k] = scaled(s.Pix, 3*s.W, 3, k, 1, 1)
		}
	default:
		planes[0] = scaled(s.Y, s.YStride, 1, 0, 1, 1)
		planes[1] = scaled(s.Cb, s.CStride, 1, 0, s.SubY, s.SubX)
		planes[2] = scaled(s.Cr, s.CStride, 1, 0, s.SubY, s.SubX)
		for i := range planes[0] {
			y, cb, cr := planes[0][i], planes[1][i]-128, planes[2][i]-128
			limit := func(v float64) float64 { return min(max(v, 0), 255) }
			planes[0][i], planes[1][i], planes[2][i] = limit(y+1.402*cr), limit(y-0.344136*cb-0.714136*cr), limit(y+1.772*cb)
		}
	}
	for i := range planes[0] {
		rgb = append(rgb, planes[0][i], planes[1][i], planes[2][i])
	}
	return rgb
}

var resizeKinds = []string{"rgb", "grey", "444", "422", "420", "440"}

// A byte is rounded after each direction, which is half a level each, and the coefficients are
// rounded too. The colour conversion makes up to 2.8 of a level of chroma's.
func TestResizeEqualsDefinition(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		for _, kind := range resizeKinds {
			r := rand.New(rand.NewPCG(1, 1))
			tol := 1.01
			if kind[0] == '4' {
				tol = 1.01*(1+1.772) + 0.55
			}
			var s Resampler
			for range 60 {
				c := randomCase(r, kind)
				got := c.run(&s)
				for i, want := range c.want() {
					if !(math.Abs(float64(got[i])-want) <= tol) {
						t.Fatalf("%s %dx%d, box %v to %dx%d, window %v: byte %d is %d, want %.2f", kind, c.src.H, c.src.W,
							c.box, c.outH, c.outW, c.window, i, got[i], want)
					}
				}
			}
		}
	})
}

func TestWindowIsPartOfWhole(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		var s Resampler
		for i := range 300 {
			c := randomCase(r, resizeKinds[i%len(resizeKinds)])
			got := c.run(&s)
			window := c.window
			c.window = Rect{0, 0, c.outH, c.outW}
			whole := c.run(&s)
			for y := range window.H() {
				n := 3 * window.W()
				at := ((window.Y0+y)*c.outW + window.X0) * 3
				if !bytes.Equal(got[y*n:(y+1)*n], whole[at:at+n]) {
					t.Fatalf("box %v to %dx%d: row %d of window %v differs from the whole", c.box, c.outH, c.outW, y, window)
				}
			}
		}
	})
}

// Nothing outside of the box has a part in the result, but chroma that a pixel of the box shares.
func TestResizeSeesOnlyItsBox(t *testing.T) {
	forEachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		var s Resampler
		for i := range 300 {
			c := randomCase(r, resizeKinds[i%len(resizeKinds)])
			before := c.run(&s)
			spoil := func(pix []uint8, stride, step, subY, subX int) {
				for at := range pix {
					y, x := at/stride*subY, at%stride/step*subX
					if y+subY <= c.box.Y0 || y >= c.box.Y1 || x+subX <= c.box.X0 || x >= c.box.X1 {
						pix[at] ^= 0x5a
					}
				}
			}
			switch {
			case c.src.Grey:
				spoil(c.src.Pix, c.src.W, 1, 1, 1)
			case c.src.Pix != nil:
				spoil(c.src.Pix, 3*c.src.W, 3, 1, 1)
			default:
				spoil(c.src.Y, c.src.YStride, 1, 1, 1)
				spoil(c.src.Cb, c.src.CStride, 1, c.src.SubY, c.src.SubX)
				spoil(c.src.Cr, c.src.CStride, 1, c.src.SubY, c.src.SubX)
			}
			if !bytes.Equal(before, c.run(&s)) {
				t.Fatalf("box %v of %dx%d: the result depends on what is outside", c.box, c.src.H, c.src.W)
			}
		}
	})
}

// All instruction sets compute the same bytes.
func TestResizeSameBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for i := range 600 {
		c := randomCase(r, resizeKinds[i%len(resizeKinds)])
		var first []uint8
		forEachISA(t, func(t *testing.T) {
			var s Resampler
			got := c.run(&s)
			if first == nil {
				first = got
			}
			if !bytes.Equal(got, first) {
				t.Fatalf("%dx%d, box %v to %dx%d, window %v: other bytes than in plain Go", c.src.H, c.src.W, c.box, c.outH, c.outW, c.window)
			}
		})
	}
}

func TestResizeRefusesMisuse(t *testing.T) {
	src := &decode.Image{H: 4, W: 5, Pix: make([]uint8, 60)}
	whole, out := Rect{0, 0, 4, 5}, Rect{0, 0, 2, 2}
	for name, call := range map[string]func(r *Resampler){
		"empty box":      func(r *Resampler) { r.Resize(make([]uint8, 12), src, Rect{1, 1, 1, 3}, 2, 2, out) },
		"box outside":    func(r *Resampler) { r.Resize(make([]uint8, 12), src, Rect{0, 0, 4, 6}, 2, 2, out) },
		"window outside": func(r *Resampler) { r.Resize(make([]uint8, 12), src, whole, 2, 2, Rect{0, 1, 2, 3}) },
		"short dst":      func(r *Resampler) { r.Resize(make([]uint8, 11), src, whole, 2, 2, out) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call(new(Resampler))
		})
	}
}

func TestResizeDoesNotAllocate(t *testing.T) {
	for _, kind := range resizeKinds {
		r := rand.New(rand.NewPCG(5, 5))
		var s Resampler
		c := randomCase(r, kind)
		c.box, c.window = Rect{0, 0, c.src.H, c.src.W}, Rect{0, 0, c.outH, c.outW}
		dst := c.run(&s)
		n := testing.AllocsPerRun(20, func() {
			s.Resize(dst, &c.src, RandomBox(r, c.src.H, c.src.W, 0.08), c.outH, c.outW, c.window)
		})
		if n > 0 {
			t.Errorf("%s: %v allocations a call, want 0", kind, n)
		}
	}
}
