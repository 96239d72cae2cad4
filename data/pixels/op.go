package pixels

import "fmt"

// Op is one operation on an image: those of AutoAugment (Cubuk et al. 2018,
// arXiv 1805.09501, table 6), Hue, and those on which LaNet's AutoAugment differs. Each writes
// the bytes that torchvision 0.14 writes with its transforms on a PIL image (Pillow 9.4); the
// Cubic ones those of scipy 1.10's affine_transform with its defaults, channel by channel.
type Op uint8

// The operations, with the unit of their magnitude.
const (
	Identity     Op = iota // leaves the image alone
	ShearX                 // row y moves left by magnitude*y pixels; black comes in
	ShearY                 // column x moves up by magnitude*x pixels; black comes in
	TranslateX             // moves right by the whole part of magnitude, in pixels; black comes in
	TranslateY             // moves down by the whole part of magnitude, in pixels; black comes in
	Rotate                 // turns counter-clockwise by magnitude degrees; black comes in
	Brightness             // factor 1+magnitude: 0 is black, 1 the image, 2 twice as bright
	Color                  // factor 1+magnitude: 0 is grey, 1 the image, above it more saturated
	Contrast               // factor 1+magnitude: 0 is the mean grey, 1 the image
	Sharpness              // factor 1+magnitude: 0 is blurred, 1 the image
	Posterize              // keeps the whole part of magnitude of the 8 bits
	Solarize               // inverts the values not below magnitude, 0..256
	AutoContrast           // stretches each channel to 0..255; no magnitude
	Equalize               // flattens the histogram of each channel; no magnitude
	Invert                 // 255 minus the value; no magnitude
	Hue                    // turns the hue by magnitude of the whole circle, -0.5..0.5

	// LaNet resamples on a cubic spline, about a middle of (h/2+0.5, w/2+0.5). It counts rows
	// first, so that what it calls ShearX moves columns.

	CubicShearX     // column x moves up by magnitude*(x - middle) pixels; black comes in
	CubicShearY     // row y moves left by magnitude*(y - middle) pixels; black comes in
	CubicTranslateX // moves left by magnitude, in pixels; black comes in
	CubicTranslateY // moves up by magnitude, in pixels; black comes in
	CubicRotate     // turns clockwise by magnitude degrees; black comes in
	numOps
)

var opNames = [numOps]string{"Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness",
	"Color", "Contrast", "Sharpness", "Posterize", "Solarize", "AutoContrast", "Equalize", "Invert", "Hue",
	"CubicShearX", "CubicShearY", "CubicTranslateX", "CubicTranslateY", "CubicRotate"}

// String returns the name of the operation, torchvision's where it has one.
func (o Op) String() string {
	if o < numOps {
		return opNames[o]
	}
	return fmt.Sprintf("Op(%d)", uint8(o))
}

// Drawn is an operation with all its randomness already drawn, its sign included.
type Drawn struct {
	Op        Op
	Magnitude float64
}

// Scratch is the memory that Apply works in. It grows to the largest image, so that no call
// after allocates. The zero value is ready. Each goroutine has its own.
type Scratch struct {
	src  []uint8   // a copy of the image
	sums []uint16  // sums over three rows
	coef []float64 // of a spline
	lut  [3][256]uint8
	hist [3][256]uint32
}

// copyOf returns a copy of img that lasts until the next call.
func (s *Scratch) copyOf(img []uint8) []uint8 {
	s.src = append(s.src[:0], img...)
	return s.src
}

// magnitudeLimit keeps fixed-point sums over the largest image within 64 bits.
const magnitudeLimit = 1 << 20

// Apply works ops on img (h,w,3), in place and in order. No magnitude makes it fail: NaN
// leaves the image alone, and one beyond 2^20 to either side acts as that.
func Apply(img []uint8, h, w int, ops []Drawn, s *Scratch) {
	img = img[:h*w*3]
	if len(img) == 0 {
		return
	}
	for _, d := range ops {
		m := min(max(d.Magnitude, -magnitudeLimit), magnitudeLimit)
		if m != m {
			continue
		}
		switch d.Op {
		case ShearX:
			shearX(img, h, w, m, s)
		case ShearY:
			shearY(img, h, w, m, s)
		case TranslateX:
			translateX(img, h, w, int(m))
		case TranslateY:
			translateY(img, h, w, int(m))
		case Rotate:
			rotate(img, h, w, m, s)
		case Brightness:
			blendWith(img, 0, 1+m, s)
		case Color:
			saturate(img, 1+m)
		case Contrast:
			blendWith(img, meanGrey(img), 1+m, s)
		case Sharpness:
			sharpen(img, h, w, 1+m, s)
		case Posterize:
			posterize(img, int(m))
		case Solarize:
			solarize(img, m, s)
		case AutoContrast:
			autoContrast(img, s)
		case Equalize:
			equalize(img, s)
		case Invert:
			invert(img)
		case Hue:
			turnHue(img, hueShift(m))
		case CubicShearX:
			rowMap{rr: 1, rc: m, cc: 1}.aboutMiddle(h, w).apply(img, h, w, s)
		case CubicShearY:
			rowMap{rr: 1, cr: m, cc: 1}.aboutMiddle(h, w).apply(img, h, w, s)
		case CubicTranslateX:
			rowMap{rr: 1, cc: 1, c0: m}.aboutMiddle(h, w).apply(img, h, w, s)
		case CubicTranslateY:
			rowMap{rr: 1, cc: 1, r0: m}.aboutMiddle(h, w).apply(img, h, w, s)
		case CubicRotate:
			cubicTurn(img, h, w, m, s)
		}
	}
}
