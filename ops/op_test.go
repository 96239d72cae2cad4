package ops

import (
	"slices"
	"strings"
	"testing"
)

func TestShapeErrorsNameTheInput(t *testing.T) {
	for _, c := range []struct {
		op   Op
		in   []Shape
		want string
	}{
		{ConvBN{Parts: 1, Cin: 3, Cout: 4}, []Shape{{1, 2, 2, 5}}, "want 3 channels"},
		{ConvBN{Parts: 2, Cin: 6, Cout: 4}, []Shape{{1, 2, 2, 3}, {1, 2, 3, 3}}, "input 1"},
		{ConvBN{Flatten: 2, Parts: 1, Cin: 12, Cout: 4}, []Shape{{1, 2, 3, 2}}, "2x2 pixels"},
		{FactorizedReduce{Parts: 1, Cin: 3, Cout: 4}, []Shape{{1, 5, 4, 3}}, "even"},
		{FactorizedReduce{Parts: 1, Cin: 3, Cout: 33}, []Shape{{1, 4, 4, 3}}, "even output width"},
		{ConvBN{Parts: 1, Cin: 3, Cout: 4, Affine: true, NoNorm: true}, []Shape{{1, 2, 2, 3}}, "affine without"},
		{ConvBN{Flatten: 2, Parts: 1, Cin: 12, Cout: 4, Standard: true}, []Shape{{1, 2, 2, 3}}, "not standardised"},
		{ConvBN{Act: 9, Parts: 1, Cin: 3, Cout: 4}, []Shape{{1, 2, 2, 3}}, "unknown activation"},
		{Linear{Act: 9, In: 3, Out: 4}, []Shape{{1, 1, 1, 3}}, "unknown activation"},
		{Stem{Cin: 3, Cout: 4}, []Shape{{1, 2, 2, 1}}, "want 3 channels"},
		{PoolBN{C: 3, Stride: 1, NoNorm: true}, []Shape{{1, 2, 2, 4}}, "want 3 channels"},
		{PoolBN{C: 3, Stride: 1, Affine: true, NoNorm: true}, []Shape{{1, 2, 2, 3}}, "affine without"},
		{Separable{C: 3, K: 3, Stride: 1, Dil: 1, Stages: 1}, []Shape{{1, 2, 2, 4}}, "want 3 channels"},
		{GlobalAvgPool{Parts: 2}, []Shape{{1, 2, 2, 3}, {1, 2, 3, 3}}, "input 1"},
		{NodeSum{}, []Shape{{1, 2, 2, 3}}, "got 1 inputs"},
		{NodeSum{Terms: 9}, []Shape{{1, 2, 2, 3}}, "9 terms"},
		{NodeSum{Terms: 3, Drop: 8}, []Shape{{1, 2, 2, 3}}, "mask for a term behind"},
		{Depthwise{C: 3, K: 4, Stride: 1}, []Shape{{1, 2, 2, 3}}, "want 3x3, 5x5 or 7x7"},
		{Depthwise{C: 3, K: 3, Stride: 3}, []Shape{{1, 2, 2, 3}}, "want 1 or 2"},
		{Depthwise{C: 3, K: 3, Stride: 1, Act: 9}, []Shape{{1, 2, 2, 3}}, "unknown activation"},
		{ActBN{C: 3, Affine: true, NoNorm: true}, []Shape{{1, 2, 2, 3}}, "affine without"},
		{AvgPool{Parts: 1, K: 2}, []Shape{{1, 2, 2, 3}}, "stride 0"},
		{NodeSum{Drop: 1}, []Shape{{2, 2, 2, 3}, {2, 2, 2, 3}, {3}}, "input 2"},
		{AvgPool{Act: ReLU, Parts: 1, K: 5, Stride: 3}, []Shape{{1, 4, 4, 3}}, "smaller than"},
		{Linear{In: 3, Out: 2}, []Shape{{1, 1, 1, 4}}, "input 0"},
		{SoftmaxXent{}, []Shape{{2, 3}, {3}}, "input 1"},
		{SoftXent{Weight: 1, Temperature: 1}, []Shape{{2, 3}, {2}}, "input 1"},
		{SoftXent{Weight: 1}, []Shape{{2, 3}, {2, 3}}, "temperature 0"},
		{SoftXent{Weight: -1, Temperature: 1}, []Shape{{2, 3}, {2, 3}}, "weight -1"},
	} {
		if _, err := c.op.Shape(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s on %v: error %v, want one with %q", c.op.Name(), c.in, err, c.want)
		}
	}
}

// TestParams: names, order, shapes on file and in memory, and initial values.
func TestParams(t *testing.T) {
	bn := func(name string, c int) []Param {
		return []Param{{name + ".weight", Shape{c}, Shape{c}, 0, 1}, {name + ".bias", Shape{c}, Shape{c}, 0, 0}}
	}
	for _, c := range []struct {
		op    Op
		want  []Param
		norms []Norm
	}{
		{Stem{Cin: 3, Cout: 4, Affine: true},
			append([]Param{{"conv.weight", Shape{4, 3, 3, 3}, Shape{3, 3, 3, 4}, 27, 0}}, bn("bn", 4)...), []Norm{{"bn", 4}}},
		{ConvBN{Parts: 2, Cin: 6, Cout: 4},
			[]Param{{"conv.weight", Shape{4, 6, 1, 1}, Shape{6, 4}, 6, 0}}, []Norm{{"bn", 4}}},
		{ConvBN{Parts: 1, Cin: 12, Cout: 5, Flatten: 2, Affine: true, Suffix: "2"},
			append([]Param{{"conv2.weight", Shape{5, 3, 2, 2}, Shape{12, 5}, 12, 0}}, bn("bn2", 5)...), []Norm{{"bn2", 5}}},
		{ConvBN{Parts: 1, Cin: 12, Cout: 5, Flatten: 2, NoNorm: true, Affine: true, Suffix: "2"},
			[]Param{{"conv2.weight", Shape{5, 3, 2, 2}, Shape{12, 5}, 12, 0}}, nil},
		{FactorizedReduce{Parts: 1, Cin: 3, Cout: 4, Affine: true},
			append([]Param{{"conv1.weight", Shape{2, 3, 1, 1}, Shape{3, 2}, 3, 0}, {"conv2.weight", Shape{2, 3, 1, 1}, Shape{3, 2}, 3, 0}}, bn("bn", 4)...), []Norm{{"bn", 4}}},
		{Separable{C: 4, K: 5, Stride: 1, Dil: 2, Stages: 1, Affine: true},
			append([]Param{{"dw1.weight", Shape{4, 1, 5, 5}, Shape{5, 5, 4}, 25, 0}, {"pw1.weight", Shape{4, 4, 1, 1}, Shape{4, 4}, 4, 0}}, bn("bn1", 4)...), []Norm{{"bn1", 4}}},
		{Separable{C: 4, K: 3, Stride: 1, Dil: 1, Stages: 2},
			[]Param{{"dw1.weight", Shape{4, 1, 3, 3}, Shape{3, 3, 4}, 9, 0}, {"pw1.weight", Shape{4, 4, 1, 1}, Shape{4, 4}, 4, 0},
				{"dw2.weight", Shape{4, 1, 3, 3}, Shape{3, 3, 4}, 9, 0}, {"pw2.weight", Shape{4, 4, 1, 1}, Shape{4, 4}, 4, 0}}, []Norm{{"bn1", 4}, {"bn2", 4}}},
		{PoolBN{Max: true, C: 3, Stride: 1, Affine: true}, bn("bn", 3), []Norm{{"bn", 3}}},
		{PoolBN{Max: true, C: 3, Stride: 1, NoNorm: true}, nil, nil},
		{PoolBN{Max: true, C: 3, Stride: 1, NoNorm: true, Affine: true}, nil, nil},
		{Linear{In: 6, Out: 4}, []Param{{"weight", Shape{4, 6}, Shape{6, 4}, 6, 0}, {"bias", Shape{4}, Shape{4}, 6, 0}}, nil},
		{Depthwise{C: 4, K: 5, Stride: 2, Affine: true, Suffix: "2"},
			append([]Param{{"conv2.weight", Shape{4, 1, 5, 5}, Shape{5, 5, 4}, 25, 0}}, bn("bn2", 4)...), []Norm{{"bn2", 4}}},
		{ActBN{C: 3, Affine: true, Suffix: "1"}, bn("bn1", 3), []Norm{{"bn1", 3}}},
		{ActBN{C: 3, NoNorm: true}, nil, nil},
		{NodeSum{Drop: 1}, nil, nil},
	} {
		same := func(a, b Param) bool {
			return a.Name == b.Name && a.File.Eq(b.File) && a.Shape.Eq(b.Shape) && a.Fan == b.Fan && a.Fill == b.Fill
		}
		if got := c.op.Params(); !slices.EqualFunc(got, c.want, same) {
			t.Errorf("parameters of %+v are %+v, want %+v", c.op, got, c.want)
		}
		if got := c.op.Norms(); !slices.Equal(got, c.norms) {
			t.Errorf("normalisations of %+v are %+v, want %+v", c.op, got, c.norms)
		}
	}
}

// TestCost counts by hand for two images.
func TestCost(t *testing.T) {
	x := Shape{2, 4, 6, 3} // 144
	for _, c := range []struct {
		op   Op
		in   []Shape
		want Cost
	}{
		{Stem{Cin: 3, Cout: 4}, []Shape{x}, Cost{48 * 27 * 4, 144 + 3*192 + 144}},
		{ConvBN{Parts: 2, Cin: 6, Cout: 4}, []Shape{x, x}, Cost{48 * 6 * 4, 3*288 + 3*192}},
		{ConvBN{Parts: 2, Cin: 6, Cout: 4, NoNorm: true}, []Shape{x, x}, Cost{48 * 6 * 4, 3*288 + 2*192}},
		{FactorizedReduce{Parts: 1, Cin: 3, Cout: 4}, []Shape{x}, Cost{12 * 3 * 4, 72 + 72 + 144 + 3*48}},
		{Separable{C: 3, K: 5, Stride: 2, Dil: 2, Stages: 1}, []Shape{x}, Cost{12 * (25*3 + 9), 3*144 + 3*36}},
		{Separable{C: 3, K: 3, Stride: 2, Dil: 1, Stages: 2}, []Shape{x}, Cost{2 * 12 * (9*3 + 9), 3*144 + 3*36 + 6*36}},
		{PoolBN{C: 3, Stride: 2}, []Shape{x}, Cost{0, 2*144 + 3*36}},
		{PoolBN{C: 3, Stride: 2, NoNorm: true}, []Shape{x}, Cost{0, 2*144 + 2*36}},
		{NodeSum{Drop: 1}, []Shape{x, x, {2}}, Cost{0, 3 * 144}},
		{NodeSum{Terms: 3}, []Shape{x, x, x}, Cost{0, 4 * 144}},
		{Depthwise{C: 3, K: 5, Stride: 2}, []Shape{x}, Cost{36 * 25, 3*144 + 3*36}},
		{ActBN{Act: ReLU, C: 3}, []Shape{x}, Cost{0, 6 * 144}},
		{ActBN{C: 3, NoNorm: true}, []Shape{x}, Cost{0, 4 * 144}},
		{GlobalAvgPool{Parts: 2}, []Shape{x, x}, Cost{0, 2 * 288}},
		{Linear{In: 6, Out: 4}, []Shape{{2, 1, 1, 6}}, Cost{2 * 6 * 4, 0}},
		{AvgPool{Act: ReLU, Parts: 1, K: 2, Stride: 2}, []Shape{x}, Cost{Moved: 3*144 + 2*36}},
		{SoftmaxXent{}, []Shape{{2, 3}, {2}}, Cost{}},
		{SoftXent{Weight: 1, Temperature: 1}, []Shape{{2, 3}, {2, 3}}, Cost{}},
		{AddScaled{}, []Shape{{}, {}}, Cost{}},
	} {
		out, err := c.op.Shape(c.in)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.op.Cost(c.in, out); got != c.want {
			t.Errorf("%s on %v costs %+v, want %+v", c.op.Name(), c.in, got, c.want)
		}
	}
}
