package data

import (
	"math/rand/v2"
	"slices"
	"strings"

	"oneshot/data/pixels"
	"oneshot/internal/setting"
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
	// ResizedCrop (Szegedy et al. 2015; torchvision's RandomResizedCrop): between that part
	// and all of the area, with an aspect ratio of 3:4 to 4:3. It comes before the others.
	ResizedCrop float64 `yaml:"resized_crop" json:"resized_crop" want:"[0,1]" doc:"least part of an image's area that a crop of random size and place takes, which is then resized to data.image; 0 is off; 0.08 is usual for ImageNet"`
	// ColorJitter and Hue are torchvision's: in a random order, each by a factor of
	// 1-ColorJitter to 1+ColorJitter.
	ColorJitter float64 `yaml:"color_jitter" json:"color_jitter" want:"[0,1]" doc:"most that brightness, contrast and saturation change by, as a part of themselves; 0 is off; 0.4 is usual for ImageNet"`
	Hue         float64 `yaml:"hue" json:"hue" want:"[0,0.5]" doc:"most that the hue turns by, as a part of the colour circle; 0 is off"`
	// Policy is drawn after the flip, see package pixels.
	Policy    string `yaml:"policy" json:"policy" default:"none" rule:"none or a policy" doc:"distortions of shape and colour: autoaugment-cifar10, autoaugment-imagenet, autoaugment-lanet or randaugment"`
	Ops       int    `yaml:"randaugment_ops" json:"randaugment_ops" default:"2" want:"0..16" doc:"operations an image, of the policy randaugment"`
	Magnitude int    `yaml:"randaugment_magnitude" json:"randaugment_magnitude" default:"9" want:"0..30" doc:"their strength"`
	// Erase (Zhong et al. 2017): a rectangle of 2 to 33 % of the area.
	Erase float64 `yaml:"erase" json:"erase" want:"[0,1]" doc:"probability that a random rectangle is set to zero after normalisation; 0 is off; 0.25 is usual for ImageNet"`
	// Mixup (Zhang et al. 2017, arXiv 1710.09412) and CutMix (Yun et al. 2019, arXiv 1905.04899)
	// mix finished images and make their labels distributions.
	Mixup   float64 `yaml:"mixup" json:"mixup" want:"[0,10]" doc:"parameter of the beta distribution that weighs two images which are added; 0 is off; 0.2 is usual for ImageNet"`
	CutMix  float64 `yaml:"cutmix" json:"cutmix" want:"[0,10]" doc:"parameter of the beta distribution of the part of an image that a rectangle of another one covers; 0 is off; 1 is usual"`
	MixProb float64 `yaml:"mix_prob" json:"mix_prob" default:"1" want:"[0,1]" doc:"probability that images are mixed, where mixup or cutmix is on; where both are, each has half of it"`
	// MixAny is how LaNet was trained (the package cutmix of ildoonet).
	MixAny   bool `yaml:"mix_any" json:"mix_any" doc:"each image is mixed with any training image by a draw of its own; else a batch is mixed with itself by one draw"`
	MixTimes int  `yaml:"mix_times" json:"mix_times" default:"1" want:"0..8" doc:"how many times an image is mixed in turn, each with mix_prob; means something with mix_any; 2 is LaNet's"`
}

// noPolicy is the policy that does nothing.
const noPolicy = "none"

// Rules implements setting.Ruled.
func (a Augment) Rules() []setting.Rule {
	known := append([]string{noPolicy}, pixels.PolicyNames()...)
	random := a.Policy == "randaugment"
	return []setting.Rule{
		{Name: "randaugment_ops", Value: a.Ops, OK: a.Ops > 0 || !random, Want: "1..16"},
		{Name: "policy", Value: a.Policy, OK: a.Policy == "" || slices.Contains(known, a.Policy), Want: "one of " + strings.Join(known, ", "), Among: known},
		{Name: "mix_times", Value: a.MixTimes, OK: a.MixTimes > 0 || !a.MixAny || !a.Mixes(), Want: "1 or more with @mix_any, where @mixup or @cutmix is on"},
		{Name: "mix_times", Value: a.MixTimes, OK: a.MixTimes <= 1 || a.MixAny, Want: "1 without @mix_any, which mixes a batch once"},
	}
}

// Mixes tells whether images are mixed, so that batches have T.
func (a Augment) Mixes() bool { return (a.Mixup > 0 || a.CutMix > 0) && a.MixProb > 0 }

// Plain tells whether the augmentation only moves, mirrors and blanks pixels of the square
// image, which is what a [Placed] can say.
func (a Augment) Plain() bool {
	return a.ResizedCrop == 0 && !a.distorts() && a.Erase == 0 && !a.Mixes()
}

func (a Augment) distorts() bool {
	return a.ColorJitter > 0 || a.Hue > 0 || a.Policy != noPolicy && a.Policy != ""
}

// distortions draws what changes the colours and shapes of an image of h x w pixels.
func (a Augment) distortions(r *rand.Rand, h, w int) []pixels.Drawn {
	var ops []pixels.Drawn
	if a.ColorJitter > 0 || a.Hue > 0 {
		ops = pixels.Jitter{Brightness: a.ColorJitter, Contrast: a.ColorJitter, Saturation: a.ColorJitter, Hue: a.Hue}.Draw(r, ops, h, w)
	}
	if a.Policy != noPolicy && a.Policy != "" {
		p, _ := pixels.NewPolicy(a.Policy, a.Ops, a.Magnitude) // Check knows the names
		ops = p.Draw(r, ops, h, w)
	}
	return ops
}

// erased draws the rectangle that is blanked, an empty one where none is.
func (a Augment) erased(r *rand.Rand, side int) pixels.Rect {
	if a.Erase == 0 {
		return pixels.Rect{}
	}
	return pixels.Erase{P: a.Erase}.Draw(r, side, side)
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
func render(dst []float32, src []uint8, side int, norm *pixels.Normaliser, p placement) {
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
			norm.Mirror(row[(side-hi)*3:(side-lo)*3], in)
			pad(row[(side-lo)*3:], norm)
		} else {
			pad(row[:lo*3], norm)
			norm.Copy(row[lo*3:hi*3], in)
			pad(row[hi*3:], norm)
		}
	}
	for y := p.y0; y < p.y1; y++ {
		clear(dst[(y*side+p.x0)*3 : (y*side+p.x1)*3])
	}
}

// place works like render without normalisation and erasing, on bytes: black is 0.
func place(dst, src []uint8, side int, p placement) {
	lo, hi := max(0, -p.dx), min(side, side-p.dx)
	for y := range side {
		row := dst[y*side*3 : (y+1)*side*3]
		sy := y + p.dy
		if sy < 0 || sy >= side || lo >= hi {
			clear(row)
			continue
		}
		in := src[(sy*side+lo+p.dx)*3 : (sy*side+hi+p.dx)*3]
		if !p.flip {
			clear(row[:lo*3])
			copy(row[lo*3:], in)
			clear(row[hi*3:])
			continue
		}
		clear(row[:(side-hi)*3])
		for out := row[(side-hi)*3 : (side-lo)*3]; len(out) >= 3; out = out[3:] {
			q := in[len(in)-3:]
			out[0], out[1], out[2] = q[0], q[1], q[2]
			in = in[:len(in)-3]
		}
		clear(row[(side-lo)*3:])
	}
}

// pad fills row (x,3) with black.
func pad(row []float32, norm *pixels.Normaliser) {
	t := norm.Table()
	for ; len(row) >= 3; row = row[3:] {
		row[0], row[1], row[2] = t[0][0], t[1][0], t[2][0]
	}
}
