package ops

// ConvBN is [ReLU,] 1x1 convolution, batch normalisation.
//
// Activations: Parts tensors x (N,H,W,Cin/Parts), side by side. Parameters:
// conv (Cin,Cout)[, gamma (Cout), beta (Cout)]. Output: (N,H,W,Cout).
//
// With Flatten the whole image is one pixel: x (N,F,F,C) with F = Flatten and
// F*F*C = Cin, output (N,1,1,Cout). This is a convolution whose kernel covers its
// input, as in the auxiliary head, and torch's file has it as (Cout,C,F,F).
type ConvBN struct {
	ReLU             bool
	Flatten          int // side of the image; 0: off
	Parts, Cin, Cout int
	Affine           bool
	Suffix           string // of the names of convolution and normalisation, such as 1
}

func (o ConvBN) Name() string     { return "relu_conv_bn" }
func (o ConvBN) Norms() []Norm    { return []Norm{{"bn" + o.Suffix, o.Cout}} }
func (o ConvBN) Diff(int) bool    { return true }
func (o ConvBN) KeepsInput() bool { return true }
func (o ConvBN) adds() bool       { return true }
func (o ConvBN) Params() []Param {
	w := convParam("conv"+o.Suffix+".weight", o.Cout, o.Cin, 1)
	if f := o.Flatten; f > 0 {
		w.File = Shape{o.Cout, o.Cin / (f * f), f, f}
	}
	return withNorm([]Param{w}, "bn"+o.Suffix, o.Cout, o.Affine)
}
func (o ConvBN) Shape(in []Shape) (Shape, error) {
	x, err := wantParts(o, in, o.Parts)
	if err != nil {
		return nil, err
	}
	c, out := o.Parts*x[3], Shape{x[0], x[1], x[2], o.Cout}
	if f := o.Flatten; f > 0 {
		if o.Parts != 1 || x[1] != f || x[2] != f {
			return nil, shapeErr(o, "%d inputs of shape %v, want one image of %dx%d pixels", o.Parts, x, f, f)
		}
		c, out = f*f*x[3], Shape{x[0], 1, 1, o.Cout}
	}
	if c != o.Cin {
		return nil, shapeErr(o, "%d inputs of shape %v, want %d channels", o.Parts, x, o.Cin)
	}
	return out, nil
}
func (o ConvBN) Cost(in []Shape, out Shape) Cost {
	x := sizes(in)
	return Cost{MulAdds: int64(out.Size()) * int64(o.Cin), Moved: segment(x, x, x, out.Size())}
}
