package engine_test

import (
	"context"
	"fmt"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/ops/graph"
	"oneshot/supernet/engine"
	"oneshot/supernet/engine/host"
)

// Train a network of one linear layer on the processor. The engine is given arrays,
// a way to compile the network, and for every step its numbers.
func Example() {
	const channels, classes = 3, 2 // images of one pixel
	params := make([]float32, (channels+1)*classes)
	model := engine.Model{Values: engine.Values{Params: params}, Side: 1, Classes: classes, Widest: channels}
	spec := engine.TrainSpec{
		Graph: engine.Spec{Batch: 2, Train: true, DecayAll: true}, Batch: 2, Fixed: true,
		Optimizer: ops.SGD{Momentum: 0.9}, Slots: engine.Slots{make([]float32, len(params))},
	}

	var e engine.Engine = host.New(1) // one thread
	defer e.Close()
	t, err := e.Train(model, spec)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	g, err := t.Compile(engine.Path{Name: "linear", Compile: linear})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := &data.Batch{N: 2, X: []float32{1, 0, 0, 0, 0, 1}, Y: []int32{0, 1}}
	for i := range 3 {
		if err := t.Issue(context.Background(), g, engine.Step{Number: i, LR: 2, Batch: b}); err != nil {
			fmt.Println(err)
			return
		}
		o, err := t.Finish()
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("loss %.3f, %d of %d right\n", o.Loss, o.Right, spec.Batch)
	}
	// Output:
	// loss 0.693, 1 of 2 right
	// loss 0.313, 2 of 2 right
	// loss 0.084, 2 of 2 right
}

// linear compiles the network: its graph, and where inputs, results and gradients lie.
func linear(b ops.Backend, s engine.Spec) (*engine.Graph, error) {
	const channels, classes = 3, 2
	weight := ops.Mem{Region: ops.Params, Len: channels * classes}
	bias := ops.Mem{Region: ops.Params, Off: weight.Len, Len: classes}
	all := ops.Mem{Region: ops.Params, Len: weight.Len + bias.Len}
	out := &engine.Graph{Batch: s.Batch, Image: channels, Decayed: []ops.Mem{all}}
	out.Grads = []ops.Mem{{Region: ops.Grad, Len: all.Len}}

	g := graph.New()
	x := g.Input("images", out.Images(), s.Batch, 1, 1, channels)
	logits, err := g.Apply(ops.Linear{In: channels, Out: classes}, []ops.Mem{weight, bias}, nil, x)
	if err != nil {
		return nil, err
	}
	loss, err := g.Apply(ops.SoftmaxXent{}, nil, nil, logits, g.Input("labels", out.Labels(), s.Batch))
	if err != nil {
		return nil, err
	}
	if err := g.Grad(loss); err != nil {
		return nil, err
	}
	if out.Prog, err = g.Compile(b, logits, loss); err != nil {
		return nil, err
	}
	out.Logits, out.Loss = out.Prog.Kept[0], out.Prog.Kept[1]
	return out, nil
}
