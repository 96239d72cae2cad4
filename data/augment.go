package data

import (
	"math"
	"math/rand/v2"
)

// Augment describes the random changes made to a training image, in the order
// of DARTS (Liu et al. 2019) and torchvision: crop, flip, normalise, cutout.
type Augment struct {
	// Crop: padding is black before normalisation, so -Mean/Std after it, as
	// torchvision's RandomCrop(padding=) followed by Normalize.
	Crop int  `yaml:"crop" json:"crop" default:"4" want:"0..16" doc:"pixels of padding on every side before a crop of the original size at a random place; 0 is off"`
	Flip bool `yaml:"flip" json:"flip" default:"true" doc:"mirror half of the images left to right"`
	// Cutout (DeVries and Taylor 2017): the square's centre is any pixel, and it is
	// clipped at the border. As in DARTS it spans Cutout/2 pixels to each side of its
	// centre, so an odd side acts as the even one below it.
	Cutout int `yaml:"cutout" json:"cutout" want:"0..64" doc:"side of a square that is set to zero after normalisation, in pixels; 16 is usual for CIFAR, 0 is off"`
}

// placement is one drawn augmentation. The zero value leaves an image alone.
type placement struct {
	dy, dx         int // output (y,x) shows input (y+dy, x+dx)
	flip           bool
	y0, y1, x0, x1 int // erased: y0 <= y < y1, x0 <= x < x1
}

// draw makes one placement for an image of the given side. Every draw is made
// whatever is switched on, so that the crop of an image does not depend on
// whether cutout is on.
func (a Augment) draw(r *rand.Rand, side int) placement {
	var p placement
	p.dy = r.IntN(2*a.Crop+1) - a.Crop
	p.dx = r.IntN(2*a.Crop+1) - a.Crop
	p.flip = r.IntN(2) == 1 && a.Flip
	cy, cx := r.IntN(side), r.IntN(side)
	if h := a.Cutout / 2; h > 0 {
		p.y0, p.y1 = max(cy-h, 0), min(cy+h, side)
		p.x0, p.x1 = max(cx-h, 0), min(cx+h, side)
	}
	return p
}

// render writes src (side,side,3) to dst (side,side,3), normalised and placed.
func render(dst []float32, src []uint8, side int, norm *normTable, p placement) {
	// Columns lo <= x < hi of the unflipped output lie inside the source.
	lo, hi := max(0, -p.dx), min(side, side-p.dx)
	for y := range side {
		row := dst[y*side*3 : (y+1)*side*3]
		sy := y + p.dy
		if sy < 0 || sy >= side || lo >= hi {
			pad(row, norm)
			continue
		}
		in := src[(sy*side+lo+p.dx)*3 : (sy*side+hi+p.dx)*3]
		if p.flip {
			pad(row[:(side-hi)*3], norm)
			mirrorRow(row[(side-hi)*3:(side-lo)*3], in, norm)
			pad(row[(side-lo)*3:], norm)
		} else {
			pad(row[:lo*3], norm)
			copyRow(row[lo*3:hi*3], in, norm)
			pad(row[hi*3:], norm)
		}
	}
	for y := p.y0; y < p.y1; y++ {
		clear(dst[(y*side+p.x0)*3 : (y*side+p.x1)*3])
	}
}

// pad fills row (x,3) with black.
func pad(row []float32, norm *normTable) {
	for ; len(row) >= 3; row = row[3:] {
		row[0], row[1], row[2] = norm[0][0], norm[1][0], norm[2][0]
	}
}

// copyRow normalises in (x,3) into row (x,3), of equal length.
func copyRow(row []float32, in []uint8, norm *normTable) {
	for len(in) >= 3 && len(row) >= 3 {
		row[0], row[1], row[2] = norm[0][in[0]], norm[1][in[1]], norm[2][in[2]]
		row, in = row[3:], in[3:]
	}
}

// mirrorRow works like copyRow and reverses the pixels.
func mirrorRow(row []float32, in []uint8, norm *normTable) {
	for len(in) >= 3 && len(row) >= 3 {
		q := in[len(in)-3:]
		row[0], row[1], row[2] = norm[0][q[0]], norm[1][q[1]], norm[2][q[2]]
		row, in = row[3:], in[:len(in)-3]
	}
}

// statistics returns mean and standard deviation per channel, in [0,1], over the
// images of idx. The sums are integers, hence exact and independent of order.
func statistics(m *images, idx []int32) (mean, std [3]float32) {
	var sum, sq [3]uint64
	for _, i := range idx {
		for p := m.at(int(i)); len(p) >= 3; p = p[3:] {
			for c, v := range p[:3] {
				sum[c] += uint64(v)
				sq[c] += uint64(v) * uint64(v)
			}
		}
	}
	n := float64(len(idx) * m.side * m.side)
	for c := range sum {
		mu := float64(sum[c]) / n
		variance := float64(sq[c])/n - float64(mu*mu)
		mean[c] = float32(mu / 255)
		// A constant channel would divide by zero; one grey level is the floor.
		std[c] = float32(max(math.Sqrt(max(variance, 0)), 1) / 255)
	}
	return mean, std
}
