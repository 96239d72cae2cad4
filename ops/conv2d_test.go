package ops

import (
	"strings"
	"testing"
)

func TestConv2DDescribesItself(t *testing.T) {
	o := Conv2D{Act: ReLU, Cin: 3, Cout: 4, R: 1, S: 7, StrideH: 1, StrideW: 2, Affine: true, Suffix: "2"}
	x := []Shape{{2, 4, 5, 3}} // 120
	out, err := o.Shape(x)
	if err != nil || !out.Eq(Shape{2, 4, 3, 4}) {
		t.Fatalf("output %v, %v", out, err)
	}
	ps := o.Params()
	if len(ps) != 3 || ps[0].Name != "conv2.weight" || !ps[0].File.Eq(Shape{4, 3, 1, 7}) || !ps[0].Shape.Eq(Shape{1, 7, 3, 4}) || ps[0].Fan != 21 ||
		ps[1].Name != "bn2.weight" || ps[2].Name != "bn2.bias" {
		t.Errorf("parameters %+v", ps)
	}
	if n := o.Norms(); len(n) != 1 || n[0] != (Norm{"bn2", 4}) {
		t.Errorf("normalisations %+v", n)
	}
	if c := o.Cost(x, out); c != (Cost{96 * 21, 3*120 + 3*96}) {
		t.Errorf("cost %+v", c)
	}
	if !o.Diff(0) || !Adds(o) || o.Name() != "conv_1x7" {
		t.Errorf("%s: differentiated %v, adds %v", o.Name(), o.Diff(0), Adds(o))
	}
	o.Images = true
	if c := o.Cost(x, out); c != (Cost{96 * 21, 2*120 + 3*96}) || o.Diff(0) || Adds(o) {
		t.Errorf("of images: cost %+v, differentiated %v, adds %v", c, o.Diff(0), Adds(o))
	}
	o.Images, o.Affine, o.NoNorm = false, false, true
	if c := o.Cost(x, out); c != (Cost{96 * 21, 3*120 + 2*96}) || len(o.Params()) != 1 || o.Norms() != nil {
		t.Errorf("without normalisation: cost %+v, %d parameters, normalisations %v", c, len(o.Params()), o.Norms())
	}
}

func TestConv2DRefuses(t *testing.T) {
	good := Conv2D{Cin: 3, Cout: 4, R: 3, S: 3, StrideH: 1, StrideW: 1}
	for want, change := range map[string]func(o *Conv2D){
		"want 2 channels":    func(o *Conv2D) { o.Cin = 2 },
		"unknown activation": func(o *Conv2D) { o.Act = 9 },
		"want odd sizes":     func(o *Conv2D) { o.S = 2 },
		"strides 1 and 0":    func(o *Conv2D) { o.StrideW = 0 },
		"affine without":     func(o *Conv2D) { o.Affine, o.NoNorm = true, true },
	} {
		o := good
		change(&o)
		if _, err := o.Shape([]Shape{{1, 4, 4, 3}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", o, err, want)
		}
	}
	if _, err := good.Shape([]Shape{{1, 4, 4, 3}}); err != nil {
		t.Error(err)
	}
}
