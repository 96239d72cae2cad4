package data

import (
	"math"
	"math/rand/v2"
)

// The difficulty of shapes10, chosen by experiment with PyTorch (SGD 0.05 cosine,
// batch 64, crop and flip): a separable convnet of 8 to 32 channels and 7,400
// parameters reaches 0.97 to 0.99 on the test images after 40,000 image-steps,
// small cell networks (8 channels, 3 layers, 3 nodes) 0.93 to 0.98 after 20,000,
// a linear classifier 0.21. Slightly harder (tiltMax 0.45, sizes 14.5 to 18.5,
// noise 0.05) a convnet of 24,000 parameters was at 0.74 after 20,000 image-steps
// instead of 0.96: too long a training for a first run.
const (
	sizeMin, sizeMax = 15.0, 19.0 // pixels per unit of an outline
	tiltMax          = 0.4        // tangent of the largest rotation
	jitter           = 4.5        // of the centre, pixels to each side
	contrastMin      = 1.0        // L1 distance of fore- and background colour, of 3
	textureMax       = 0.05       // amplitude of stripes, of 1
	lightMax         = 0.25       // change of brightness from the centre to an edge
	noiseMin         = 0.02       // standard deviation, of 1
	noiseMax         = 0.05
	piecesMin        = 2
	piecesMax        = 4 // small discs, squares and lines behind the shape
)

type colour [3]float64 // R, G, B in [0,1]

// mark is one thing drawn: an outline at a place, with a striped colour.
type mark struct {
	shape    outline
	cx, cy   float64 // pixels
	cos, sin float64 // of the rotation
	size     float64 // pixels per unit
	reach    float64 // no pixel farther from the centre is touched
	ink      texture
}

// texture is two colours in soft stripes.
type texture struct {
	base   colour
	dx, dy float64 // unit vector across the stripes, times their frequency
	phase  float64
	amp    float64
}

// scene is a drawn-up image: what paint needs, and nothing random but the noise.
type scene struct {
	ground         texture
	to             colour  // the ground fades from ground.base to this
	fx, fy         float64 // along (fx,fy), pixels from the centre
	lightX, lightY float64
	noise          float64
	marks          []mark // back to front; the last is the shape
	r              *rand.Rand
}

// uniform draws from [lo,hi).
func uniform(r *rand.Rand, lo, hi float64) float64 { return lo + float64((hi-lo)*r.Float64()) }

// direction draws a unit vector: a point of the unit disc, scaled. The chance
// that all tries miss is below 1e-20; then it points right.
func direction(r *rand.Rand) (x, y float64) {
	for range 32 {
		x, y = uniform(r, -1, 1), uniform(r, -1, 1)
		if n := length(x, y); n > 0.05 && n <= 1 {
			return x / n, y / n
		}
	}
	return 1, 0
}

// tilt draws the rotation of a shape, as cosine and sine: the direction of
// (1, t) for a uniform t, so up to tiltMax (a tangent) either way.
func tilt(r *rand.Rand) (cos, sin float64) {
	t := uniform(r, -tiltMax, tiltMax)
	n := length(1, t)
	return 1 / n, t / n
}

func randomColour(r *rand.Rand) colour { return colour{r.Float64(), r.Float64(), r.Float64()} }

// apart draws a colour at least contrastMin from a; after 32 misses, the
// opposite of a.
func apart(r *rand.Rand, a colour) colour {
	var c colour
	for range 32 {
		c = randomColour(r)
		if math.Abs(c[0]-a[0])+math.Abs(c[1]-a[1])+math.Abs(c[2]-a[2]) >= contrastMin {
			return c
		}
	}
	for i := range c {
		c[i] = 1
		if a[i] > 0.5 {
			c[i] = 0
		}
	}
	return c
}

func randomTexture(r *rand.Rand, base colour) texture {
	x, y := direction(r)
	f := uniform(r, 0.08, 0.3) // stripes per pixel
	return texture{base: base, dx: float64(x * f), dy: float64(y * f), phase: r.Float64(), amp: uniform(r, 0, textureMax)}
}

// newScene draws up an image of a class.
func newScene(r *rand.Rand, class int) *scene {
	s := &scene{r: r, noise: uniform(r, noiseMin, noiseMax)}
	back := randomColour(r)
	s.ground = randomTexture(r, back)
	for i := range s.to { // a related colour, so the shape stands out from both
		s.to[i] = min(max(back[i]+uniform(r, -0.15, 0.15), 0), 1)
	}
	s.fx, s.fy = direction(r)
	lx, ly := direction(r)
	light := uniform(r, 0, lightMax)
	s.lightX, s.lightY = float64(lx*light), float64(ly*light)

	for range piecesMin + r.IntN(piecesMax-piecesMin+1) {
		s.marks = append(s.marks, piece(r))
	}
	m := mark{shape: outlines[class], ink: randomTexture(r, apart(r, back))}
	m.cx, m.cy = 15.5+uniform(r, -jitter, jitter), 15.5+uniform(r, -jitter, jitter)
	m.cos, m.sin = tilt(r)
	m.size = uniform(r, sizeMin, sizeMax)
	m.reach = m.size + 2 // every outline stays within 1 unit of its centre
	s.marks = append(s.marks, m)
	return s
}

// piece draws a bit of clutter: a dot, a little square, or a thin line.
func piece(r *rand.Rand) mark {
	m := mark{ink: randomTexture(r, randomColour(r))}
	m.cx, m.cy = uniform(r, 0, 31), uniform(r, 0, 31)
	m.cos, m.sin = direction(r)
	switch r.IntN(3) {
	case 0:
		m.shape, m.size = disc, uniform(r, 2, 4.5)
	case 1:
		m.shape, m.size = square, uniform(r, 2, 4.5)
	default:
		m.shape, m.size = line, uniform(r, 5, 12)
	}
	m.reach = m.size + 2
	return m
}

// line is a thin bar.
func line(x, y float64) float64 { return box(x, y, 0.95, 0.06) }

// at returns the texture's brightness offset at a pixel: a triangle wave.
func (t *texture) at(x, y float64) float64 {
	u := t.phase + dot(x, y, t.dx, t.dy)
	u -= math.Floor(u)
	return float64(t.amp * (float64(4*math.Abs(u-0.5)) - 1))
}

// paint draws the scene on dst (32,32,3).
func (s *scene) paint(dst []uint8) {
	var pic [shapes10Side * shapes10Side]colour
	const half, centre = shapes10Side / 2, (shapes10Side - 1) / 2.0
	for i := range pic {
		x, y := float64(i%shapes10Side), float64(i/shapes10Side)
		k := min(max(0.5+float64(dot(x-centre, y-centre, s.fx, s.fy)/(2*half)), 0), 1)
		o := s.ground.at(x, y)
		for c := range pic[i] {
			pic[i][c] = s.ground.base[c] + float64(k*(s.to[c]-s.ground.base[c])) + o
		}
	}
	for i := range s.marks {
		s.marks[i].paint(&pic)
	}
	for i := range pic {
		x, y := float64(i%shapes10Side), float64(i/shapes10Side)
		light := 1 + float64(dot(x-centre, y-centre, s.lightX, s.lightY)/half)
		bits := s.r.Uint64()
		for c := range pic[i] {
			v := float64(pic[i][c]*light) + float64(s.noise*bell(bits>>(21*c)))
			dst[3*i+c] = uint8(min(max(float64(v*255)+0.5, 0), 255))
		}
	}
}

// bell turns 21 random bits into a number of mean 0 and standard deviation 1:
// the sum of three 7-bit integers (each of variance (128*128-1)/12), centred.
func bell(bits uint64) float64 {
	const scale = 1 / 64.0 // 3 * 16383 / 12 is very nearly 64 squared
	sum := bits&127 + bits>>7&127 + bits>>14&127
	return float64((float64(sum) - 190.5) * scale)
}

// paint draws the mark over pic, anti-aliased.
func (m *mark) paint(pic *[shapes10Side * shapes10Side]colour) {
	const last = shapes10Side - 1
	x0, x1 := clampInt(m.cx-m.reach, last), clampInt(m.cx+m.reach, last)
	y0, y1 := clampInt(m.cy-m.reach, last), clampInt(m.cy+m.reach, last)
	for yi := y0; yi <= y1; yi++ {
		for xi := x0; xi <= x1; xi++ {
			x, y := float64(xi)-m.cx, float64(yi)-m.cy
			u, v := dot(x, y, m.cos, m.sin)/m.size, dot(x, y, -m.sin, m.cos)/m.size
			cover := min(0.5-float64(m.size*m.shape(u, v)), 1)
			if cover <= 0 {
				continue
			}
			o := m.ink.at(float64(xi), float64(yi))
			p := &pic[yi*shapes10Side+xi]
			for c := range p {
				p[c] += float64(cover * (m.ink.base[c] + o - p[c]))
			}
		}
	}
}

// clampInt truncates v to an integer in [0,last].
func clampInt(v float64, last int) int { return int(min(max(v, 0), float64(last))) }
