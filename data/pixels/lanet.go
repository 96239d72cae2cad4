package pixels

import (
	"math"
	"math/rand/v2"
)

// laNetAugment is AutoAugment as LaNet was trained with it (facebookresearch/LaMCTS,
// LaNAS/LaNet/CIFAR10/auto_augment.py). Its sub-policies are the paper's for CIFAR-10, with
// other magnitudes: number m of an operation is anything between the marks m and m+1 of
// eleven that divide the operation's range evenly, from one extreme to the other. So half of
// the numbers of a shear mean one side and half the other, and none has a random sign. Shears,
// translations and rotations are resampled on a cubic spline about the middle of the image.
type laNetAugment AutoAugment

// laNetRange is the range that an operation's eleven marks divide, and how an operation is
// called there.
type laNetRange struct {
	op         Op
	first, end float64
}

// laNetRanges is by the operations of the paper. An operation that is not in it has no magnitude.
// A factor of 0.1 to 1.9 is a magnitude of -0.9 to 0.9 here.
var laNetRanges = [numOps]laNetRange{
	ShearX: {CubicShearX, -0.3, 0.3}, ShearY: {CubicShearY, -0.3, 0.3},
	TranslateX: {CubicTranslateX, -150. / 331, 150. / 331}, // of the width
	TranslateY: {CubicTranslateY, -150. / 331, 150. / 331}, // of the height
	Rotate:     {CubicRotate, -30, 30},
	Brightness: {Brightness, -0.9, 0.9}, Color: {Color, -0.9, 0.9}, Contrast: {Contrast, -0.9, 0.9}, Sharpness: {Sharpness, -0.9, 0.9},
	Posterize: {Posterize, 4, 8}, Solarize: {Solarize, 0, 256},
}

// Draw takes one sub-policy, and for each of its two operations whether it is applied and
// where its magnitude lies between two marks.
func (a laNetAugment) Draw(r *rand.Rand, ops []Drawn, h, w int) []Drawn {
	for _, op := range a[r.IntN(len(a))] {
		applied, place := r.IntN(10) < op.Probability, r.Float64()
		if applied {
			ops = append(ops, laNetDrawn(op, place, h, w))
		}
	}
	return ops
}

// laNetDrawn is the operation at place, 0 <= place < 1, between its magnitude's two marks.
func laNetDrawn(op autoOp, place float64, h, w int) Drawn {
	l := laNetRanges[op.Op]
	if l.end == 0 {
		return Drawn{Op: op.Op}
	}
	m := l.first + float64((l.end-l.first)*(float64(op.Magnitude)+float64(place))/10)
	switch op.Op {
	case TranslateX:
		m *= float64(w)
	case TranslateY:
		m *= float64(h)
	case Posterize:
		m = math.RoundToEven(m)
	}
	return Drawn{l.op, m}
}
