package ops

import "fmt"

// Separable is one or two stages of ReLU, depthwise KxK convolution, 1x1
// convolution, batch normalisation. Two stages with dilation 1 are a
// sep_conv (the stride is the first stage's); one stage with dilation 2 is a
// dil_conv. The padding keeps H/Stride by W/Stride.
//
// Activation: x (N,H,W,C). Parameters: for each stage dw (K,K,C), pw (C,C)[,
// gamma, beta (C)]. Output: (N,ceil(H/Stride),ceil(W/Stride),C).
type Separable struct {
	C, K, Stride, Dil, Stages int
	Affine                    bool
}

func (o Separable) Name() string {
	if o.Stages == 1 {
		return fmt.Sprintf("dil_conv_%dx%d", o.K, o.K)
	}
	return fmt.Sprintf("sep_conv_%dx%d", o.K, o.K)
}
func (o Separable) Diff(int) bool    { return true }
func (o Separable) KeepsInput() bool { return true }
func (o Separable) adds() bool       { return true }

// stageNames are those of the modules of stage s, from 0.
func stageNames(s int) (dw, pw, bn string) {
	return fmt.Sprintf("dw%d.weight", s+1), fmt.Sprintf("pw%d.weight", s+1), fmt.Sprintf("bn%d", s+1)
}

func (o Separable) Norms() []Norm {
	ns := make([]Norm, o.Stages)
	for s := range ns {
		_, _, bn := stageNames(s)
		ns[s] = Norm{bn, o.C}
	}
	return ns
}
func (o Separable) Params() []Param {
	ps := make([]Param, 0, o.Stages*o.perStage())
	for s := range o.Stages {
		dw, pw, bn := stageNames(s)
		ps = withNorm(append(ps, depthwiseParam(dw, o.C, o.K), convParam(pw, o.C, o.C, 1)), bn, o.C, o.Affine)
	}
	return ps
}

// perStage is the number of parameters of a stage.
func (o Separable) perStage() int { return 2 + normParams(o.Affine) }

func (o Separable) Shape(in []Shape) (Shape, error) {
	x, err := wantChannels(o, in, o.C)
	if err != nil {
		return nil, err
	}
	return Shape{x[0], ceilDiv(x[1], o.Stride), ceilDiv(x[2], o.Stride), o.C}, nil
}
func (o Separable) Cost(in []Shape, out Shape) Cost {
	x, y := sizes(in), out.Size()
	c := Cost{MulAdds: int64(o.Stages) * int64(y) * int64(o.K*o.K+o.C), Moved: segment(x, x, x, y)}
	for s := 1; s < o.Stages; s++ {
		c.Moved += segment(y, y, y, y)
	}
	return c
}
