package graph_test

import (
	"fmt"

	"oneshot/ops"
	"oneshot/ops/graph"
)

// A linear classifier of two values and two classes: build its graph, differentiate,
// compile, and take two steps of descent, of which the second has a lower loss.
func Example() {
	// A graph names memory and holds none. Whoever builds it decides where inputs and
	// parameters lie.
	const batch, values, classes = 2, 2, 2
	x := ops.Mem{Region: ops.Input, Len: batch * values}
	labels := ops.Mem{Region: ops.Input, Off: x.Len, Len: batch}
	weight := ops.Mem{Region: ops.Params, Len: values * classes}
	bias := ops.Mem{Region: ops.Params, Off: weight.Len, Len: classes}

	g := graph.New()
	logits, err := g.Apply(ops.Linear{In: values, Out: classes}, []ops.Mem{weight, bias}, nil, g.Input("x", x, batch, 1, 1, values))
	if err != nil {
		fmt.Println(err)
		return
	}
	loss, err := g.Apply(ops.SoftmaxXent{}, nil, nil, logits, g.Input("labels", labels, batch))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := g.Grad(loss); err != nil {
		fmt.Println(err)
		return
	}

	params, grads := make([]float32, weight.Len+bias.Len), make([]float32, weight.Len+bias.Len)
	b := ops.NewCPU[float32](nil)
	defer b.Close()
	b.Bind(ops.Params, params)
	b.Bind(ops.Grad, grads) // each gradient at its parameter's offset
	b.Bind(ops.Input, []float32{
		1, 0, // the first row of x, of class 0
		0, 1, // the second, of class 1
		0, 1,
	})
	prog, err := g.Compile(b, loss)
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		if err := prog.Run(b, ops.Train, 0); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("loss %.3f, gradients %.2f\n", b.At(prog.Kept[0]), grads)
		for i := range params {
			params[i] -= 4 * grads[i]
		}
	}
	// Output:
	// loss [0.693], gradients [-0.25 0.25 0.25 -0.25 0.00 0.00]
	// loss [0.127], gradients [-0.06 0.06 0.06 -0.06 0.00 0.00]
}
