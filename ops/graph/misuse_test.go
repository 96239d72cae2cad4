package graph

import (
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"oneshot/ops"
)

func TestParameterHasOneUse(t *testing.T) {
	for _, off := range []int{0, 5, 8} {
		g := New()
		x := g.Input("x", ops.Mem{Region: ops.Input, Len: 12}, 1, 2, 2, 3)
		state := []ops.Mem{{Region: ops.State, Len: 4}}
		y, err := g.Apply(ops.ConvBN{Parts: 1, Cin: 3, Cout: 2}, []ops.Mem{{Region: ops.Params, Len: 6}}, state, x)
		if err != nil {
			t.Fatal(err)
		}
		y, err = g.Apply(ops.ConvBN{Parts: 1, Cin: 2, Cout: 2}, []ops.Mem{{Region: ops.Params, Off: off, Len: 4}}, state, y)
		if err != nil {
			t.Fatal(err)
		}
		y, err = g.Apply(ops.GlobalAvgPool{Parts: 1}, nil, nil, y)
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.Compile(ops.NewCPU[float32](nil), y)
		if shared := off < 6; shared != (err != nil && strings.Contains(err.Error(), "conv.weight of relu_conv_bn share memory")) {
			t.Errorf("parameters at 0 to 5 and from %d: error %v", off, err)
		}
	}
}

func TestMisuse(t *testing.T) {
	n := newNet(tensor.Float64)
	b := n.backend(1)
	grad := func(l Node) error { return n.g.Grad(l) }
	apply := func(in ...Node) error { _, err := n.g.Apply(ops.NodeSum{}, nil, nil, in...); return err }
	compile := func(keep ...Node) error { _, err := n.g.Compile(b, keep...); return err }
	for _, c := range []struct {
		err  error
		want string
	}{
		{grad(Node{}), "the loss is no node"},
		{grad(n.sum), "a loss is a scalar"},
		{apply(n.sum, Node{}), "input 1 is no node"},
		{compile(n.loss, Node{}), "kept node 1 is no node"},
		{grad(n.loss), ""},
		{grad(n.loss), "differentiated twice"},
	} {
		if c.want == "" && c.err != nil || c.want != "" && (c.err == nil || !strings.Contains(c.err.Error(), c.want)) {
			t.Errorf("error %v, want %q", c.err, c.want)
		}
	}
}

func TestApplyChecksMemory(t *testing.T) {
	for _, c := range []struct {
		params, state []ops.Mem
		want          string
	}{
		{nil, []ops.Mem{{Region: ops.State, Len: 4}}, "got memory of 0 parameters, want 1"},
		{[]ops.Mem{{Region: ops.Params, Len: 5}}, []ops.Mem{{Region: ops.State, Len: 4}}, "conv.weight of shape [3 2]"},
		{[]ops.Mem{{Region: ops.Grad, Len: 6}}, []ops.Mem{{Region: ops.State, Len: 4}}, "conv.weight of shape [3 2]"},
		{[]ops.Mem{{Region: ops.Params, Len: 6}}, nil, "got 0 batch-normalisation states, want 1"},
		{[]ops.Mem{{Region: ops.Params, Len: 6}}, []ops.Mem{{Region: ops.State, Len: 2}}, "state of bn, of 2 channels"},
	} {
		g := New()
		x := g.Input("x", ops.Mem{Region: ops.Input, Len: 12}, 1, 2, 2, 3)
		if _, err := g.Apply(ops.ConvBN{Parts: 1, Cin: 3, Cout: 2}, c.params, c.state, x); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("parameters %v, states %v: error %v, want one with %q", c.params, c.state, err, c.want)
		}
	}
}

func TestLabelOutOfRange(t *testing.T) {
	n := newNet(tensor.Float64)
	b := n.backend(1)
	b.At(n.inputs[1].mem)[1] = 5
	p, err := n.g.Compile(b, n.loss)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Run(b, ops.Train, 0.1); err == nil || !strings.Contains(err.Error(), "label 5 of image 1") {
		t.Errorf("error %v, want one naming label 5 of image 1", err)
	}
}
