package pixels

import "math/rand/v2"

// AutoAugment is a policy of Cubuk et al. 2018 (arXiv 1805.09501): sub-policies, of which one
// is drawn for an image.
type AutoAugment [][2]autoOp

// autoOp is applied with a probability, in tenths. Magnitude is 0..9, the number in the paper.
type autoOp struct {
	Op          Op
	Probability int
	Magnitude   int
}

const autoBins = 10 // magnitudes of an operation

// Draw takes one sub-policy, and for each of its two operations whether it is applied and
// its sign.
func (a AutoAugment) Draw(r *rand.Rand, ops []Drawn, h, w int) []Drawn {
	for _, op := range a[r.IntN(len(a))] {
		applied := r.IntN(10) < op.Probability
		negative := r.IntN(2) == 0
		if !applied {
			continue
		}
		d := Drawn{op.Op, level(op.Op, op.Magnitude, autoBins, h, w)}
		if negative && signed(d.Op) {
			d.Magnitude = -d.Magnitude
		}
		ops = append(ops, d)
	}
	return ops
}

// autoAugmentCIFAR10 is the policy found on CIFAR-10: table 7 of the paper's appendix, in
// the order of torchvision.
var autoAugmentCIFAR10 = AutoAugment{
	{{Invert, 1, 0}, {Contrast, 2, 6}},
	{{Rotate, 7, 2}, {TranslateX, 3, 9}},
	{{Sharpness, 8, 1}, {Sharpness, 9, 3}},
	{{ShearY, 5, 8}, {TranslateY, 7, 9}},
	{{AutoContrast, 5, 0}, {Equalize, 9, 0}},
	{{ShearY, 2, 7}, {Posterize, 3, 7}},
	{{Color, 4, 3}, {Brightness, 6, 7}},
	{{Sharpness, 3, 9}, {Brightness, 7, 9}},
	{{Equalize, 6, 0}, {Equalize, 5, 0}},
	{{Contrast, 6, 7}, {Sharpness, 6, 5}},
	{{Color, 7, 7}, {TranslateX, 5, 8}},
	{{Equalize, 3, 0}, {AutoContrast, 4, 0}},
	{{TranslateY, 4, 3}, {Sharpness, 2, 6}},
	{{Brightness, 9, 6}, {Color, 2, 8}},
	{{Solarize, 5, 2}, {Invert, 0, 0}},
	{{Equalize, 2, 0}, {AutoContrast, 6, 0}},
	{{Equalize, 2, 0}, {Equalize, 6, 0}},
	{{Color, 9, 9}, {Equalize, 6, 0}},
	{{AutoContrast, 8, 0}, {Solarize, 2, 8}},
	{{Brightness, 1, 3}, {Color, 7, 0}},
	{{Solarize, 4, 5}, {AutoContrast, 9, 0}},
	{{TranslateY, 9, 9}, {TranslateY, 7, 9}},
	{{AutoContrast, 9, 0}, {Solarize, 8, 3}},
	{{Equalize, 8, 0}, {Invert, 1, 0}},
	{{TranslateY, 7, 9}, {AutoContrast, 9, 0}},
}

// autoAugmentImageNet is the policy found on ImageNet: table 9 of the paper's appendix, in
// the order of torchvision.
var autoAugmentImageNet = AutoAugment{
	{{Posterize, 4, 8}, {Rotate, 6, 9}},
	{{Solarize, 6, 5}, {AutoContrast, 6, 0}},
	{{Equalize, 8, 0}, {Equalize, 6, 0}},
	{{Posterize, 6, 7}, {Posterize, 6, 6}},
	{{Equalize, 4, 0}, {Solarize, 2, 4}},
	{{Equalize, 4, 0}, {Rotate, 8, 8}},
	{{Solarize, 6, 3}, {Equalize, 6, 0}},
	{{Posterize, 8, 5}, {Equalize, 10, 0}},
	{{Rotate, 2, 3}, {Solarize, 6, 8}},
	{{Equalize, 6, 0}, {Posterize, 4, 6}},
	{{Rotate, 8, 8}, {Color, 4, 0}},
	{{Rotate, 4, 9}, {Equalize, 6, 0}},
	{{Equalize, 0, 0}, {Equalize, 8, 0}},
	{{Invert, 6, 0}, {Equalize, 10, 0}},
	{{Color, 6, 4}, {Contrast, 10, 8}},
	{{Rotate, 8, 8}, {Color, 10, 2}},
	{{Color, 8, 8}, {Solarize, 8, 7}},
	{{Sharpness, 4, 7}, {Invert, 6, 0}},
	{{ShearX, 6, 5}, {Equalize, 10, 0}},
	{{Color, 4, 0}, {Equalize, 6, 0}},
	{{Equalize, 4, 0}, {Solarize, 2, 4}},
	{{Solarize, 6, 5}, {AutoContrast, 6, 0}},
	{{Invert, 6, 0}, {Equalize, 10, 0}},
	{{Color, 6, 4}, {Contrast, 10, 8}},
	{{Equalize, 8, 0}, {Equalize, 6, 0}},
}
