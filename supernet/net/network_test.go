package net

import (
	"reflect"
	"strings"
	"testing"

	"oneshot/ops"
)

// choice is a network of a stem, one of three candidates (the first is the identity),
// and a classifier; beside them a layer that nobody reads.
func choice() *Network {
	n := Begin(4, 1)
	stem := n.Add(Layer{Name: "stem", Op: ops.Stem{Cin: 3, Cout: 2, Affine: true}, In: []int{Images}})
	pool := n.Add(Layer{Name: "block.pool", Op: ops.PoolBN{C: 2, Stride: 1, Affine: true}, In: []int{stem}, Candidate: true})
	sep := n.Add(Layer{Name: "block.sep", Op: ops.Separable{C: 2, K: 3, Stride: 1, Dil: 1, Stages: 2, Affine: true}, In: []int{stem}, Candidate: true})
	n.Add(Layer{Name: "unread", Op: ops.ConvBN{Parts: 1, Cin: 2, Cout: 8}, In: []int{stem}})
	block := n.Add(Layer{In: []int{stem, pool, sep}, Pick: []int{0}}) // passes on what is picked
	sum := n.Add(Layer{Op: ops.NodeSum{}, In: []int{block, pool}})
	mean := n.Add(Layer{Op: ops.GlobalAvgPool{Parts: 1}, In: []int{sum}})
	n.Logits = n.Add(Layer{Name: "classifier", Op: ops.Linear{In: 2, Out: 5}, In: []int{mean}})
	return n
}

func TestSelectPassesOnWhatIsPicked(t *testing.T) {
	n := choice()
	for a, want := range [][][]int{
		{{Images}, {0}, {0, 1}, {2}, {3}},
		{{Images}, {0}, {1, 1}, {2}, {3}},
		{{Images}, {0}, {0}, {2, 1}, {3}, {4}},
	} {
		path, err := n.Select([]int{a})
		if err != nil {
			t.Fatal(err)
		}
		var in [][]int
		for _, l := range path.Layers {
			in = append(in, l.In)
			if l.Pick != nil || l.Op == nil {
				t.Errorf("choice %d: layer %s still picks", a, l.Name)
			}
		}
		if !reflect.DeepEqual(in, want) || path.Logits != len(want)-1 || path.Choices != 0 {
			t.Errorf("choice %d reads %v, want %v", a, in, want)
		}
	}
}

// TestLayoutOfAPath: a path's layers find the parameters of the network it was selected
// from; a network without its dead layers has a layout of its own.
func TestLayoutOfAPath(t *testing.T) {
	n := choice()
	l := NewLayout(n)
	path, err := n.Select([]int{2})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, layer := range path.Layers {
		params, norm, norms := l.Of(layer)
		if len(params) != len(layer.Op.Params()) || norms != len(layer.Op.Norms()) {
			t.Fatalf("%s has %d parameters and %d normalisations", layer.Name, len(params), norms)
		}
		for i, p := range params {
			if want := layer.Name + "." + layer.Op.Params()[i].Name; p.Name != want || p.Mem.Len != p.Shape.Size() {
				t.Errorf("parameter %s of %v lies in %+v, want %s", p.Name, p.Shape, p.Mem, want)
			}
			seen++
		}
		for k := norm; k < norm+norms; k++ {
			if !strings.HasPrefix(l.Norms[k].Name, layer.Name+".") {
				t.Errorf("normalisation %s is of %s", l.Norms[k].Name, layer.Name)
			}
		}
	}
	if seen == 0 {
		t.Error("no parameter was compared")
	}
	end := 0
	for _, p := range l.Params {
		if p.Mem.Off != end {
			t.Errorf("%s lies at %d, want %d", p.Name, p.Mem.Off, end)
		}
		end += p.Mem.Len
	}
	if end != l.ParamsLen {
		t.Errorf("%d values, want %d", l.ParamsLen, end)
	}
	own, err := path.Live()
	if err != nil {
		t.Fatal(err)
	}
	if got := NewLayout(own); got.ParamsLen >= l.ParamsLen {
		t.Errorf("a path lays out %d values, the network %d", got.ParamsLen, l.ParamsLen)
	}
}

// TestBytesOfSharedOutputs: a gradient with two readers is read once more than with one.
func TestBytesOfSharedOutputs(t *testing.T) {
	n := choice()
	moved := func(a int) int64 {
		path, err := n.Select([]int{a})
		if err != nil {
			t.Fatal(err)
		}
		m, err := path.Moved()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	const values = 4 * 4 * 2 // of the stem's output and all behind it
	// Both paths have the same operations. The first reads the stem twice, the second the
	// pooling twice: each one gradient more.
	if a, b := moved(0), moved(1); a != b {
		t.Errorf("%d and %d floats moved", a, b)
	}
	// The separable convolution's two segments, and a reader of the stem more, which the
	// sum is not any more.
	if a, c := moved(0), moved(2); c-a != 2*6*values {
		t.Errorf("a separable convolution moves %d floats more, want %d", c-a, 2*6*values)
	}
}

func TestWidestAndLargest(t *testing.T) {
	n := choice()
	a, err := n.Widest()
	if err != nil || !reflect.DeepEqual(a, []int{2}) {
		t.Errorf("widest %v %v, want the separable convolution", a, err)
	}
	most, err := n.Largest()
	if err != nil || most != 4*4*8 {
		t.Errorf("the largest output has %d values, want those of 8 channels", most)
	}
	if got := n.Masks(); got != 2 {
		t.Errorf("%d masks, want two: both of the sum's operands may be candidates", got)
	}
	for a, want := range []int{1, 2, 2} {
		path, err := n.Select([]int{a})
		if err != nil {
			t.Fatal(err)
		}
		if got := path.Masks(); got != want {
			t.Errorf("%d masks with choice %d, want %d", got, a, want)
		}
	}
}

// TestWidestWeighsChains: a candidate of two operations keeps what both keep.
func TestWidestWeighsChains(t *testing.T) {
	n := Begin(4, 1)
	stem := n.Add(Layer{Name: "stem", Op: ops.Stem{Cin: 3, Cout: 2, Affine: true}, In: []int{Images}})
	add := func(name string, op ops.Op, in int) int {
		return n.Add(Layer{Name: name, Op: op, In: []int{in}, Candidate: true})
	}
	conv := ops.ConvBN{Parts: 1, Cin: 2, Cout: 2, Affine: true}
	one := add("one", ops.Separable{C: 2, K: 3, Stride: 1, Dil: 1, Stages: 2, Affine: true}, stem)
	three := add("three.c", conv, add("three.b", conv, add("three.a", conv, stem)))
	block := n.Add(Layer{In: []int{three, one}, Pick: []int{0}})
	mean := n.Add(Layer{Op: ops.GlobalAvgPool{Parts: 1}, In: []int{block}})
	n.Logits = n.Add(Layer{Name: "classifier", Op: ops.Linear{In: 2, Out: 5}, In: []int{mean}})
	if a, err := n.Widest(); err != nil || !reflect.DeepEqual(a, []int{0}) {
		t.Errorf("widest %v %v, want the chain of three", a, err)
	}
}

func TestWrongShapesNameTheLayer(t *testing.T) {
	n := choice()
	n.Layers[2].Op = ops.Separable{C: 3, K: 3, Stride: 1, Dil: 1, Stages: 2}
	if _, err := n.Shapes(1); err == nil || !strings.Contains(err.Error(), "block.sep") {
		t.Errorf("error %v, want one that names block.sep", err)
	}
}

func TestSizeNamesTheField(t *testing.T) {
	good := Size{Geometry: Geometry{Layers: 1, Channels: 2, StemMultiplier: 1}, Classes: 2, Image: 8}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for key, edit := range map[string]func(*Size){
		"net.layers": func(z *Size) { z.Layers = 65 }, "net.channels": func(z *Size) { z.Channels = 1 }, "net.stem_multiplier": func(z *Size) { z.StemMultiplier = 9 },
		"net.classes": func(z *Size) { z.Classes = 1 }, "data.image": func(z *Size) { z.Image = 7 }, "net.aux_channels": func(z *Size) { z.Aux = true },
	} {
		z := good
		edit(&z)
		if err := z.Check(); err == nil || !strings.Contains(err.Error(), key+" is") {
			t.Errorf("%s: error %v", key, err)
		}
	}
	// An exported file says for how large images it is: a claim must not become an allocation.
	for side, ok := range map[int]bool{8: true, MaxImage: true, MaxImage + 1: false, 1 << 40: false} {
		z := good
		z.Image = side
		if err := z.Check(); ok != (err == nil) {
			t.Errorf("images of %d pixels: %v", side, err)
		}
	}
}
