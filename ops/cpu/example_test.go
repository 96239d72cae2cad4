package cpu_test

import (
	"fmt"

	"oneshot/ops/cpu"
)

// The end of a classifier on two threads: two images of three features go through a
// ReLU and a linear layer to the loss, and the gradients come back.
func Example() {
	p := cpu.NewPool(2)
	defer p.Close()
	e := cpu.NewEngine[float32](p)

	const images, features, classes = 2, 3, 2
	layer := cpu.Linear[float32]{
		N: images, In: features, Out: classes, F: cpu.ReLU,
		X: cpu.Act[float32]{X: []float32{
			1, 2, -3,
			-1, 0, 4,
		}},
		W: []float32{ // (features,classes)
			1, 0,
			0, 1,
			1, 1,
		},
		Bias: []float32{0, -2},
		Y:    make([]float32, images*classes),
		DW:   make([]float32, features*classes), DBias: make([]float32, classes), DX: make([]float32, images*features),
	}
	e.LinearForward(&layer)
	fmt.Println("logits", layer.Y)

	dlogits := make([]float32, len(layer.Y))
	loss := e.SoftmaxXent(images, classes, layer.Y, []int32{0, 0}, 0, dlogits)
	fmt.Printf("loss %.3f\n", loss)

	e.LinearBackward(&layer, dlogits)
	fmt.Printf("gradient of the bias %.2f\n", layer.DBias)
	fmt.Printf("gradient of the features %.2f\n", layer.DX) // none where the ReLU is 0
	// Output:
	// logits [1 0 4 2]
	// loss 0.220
	// gradient of the bias [-0.19 0.19]
	// gradient of the features [-0.13 0.13 0.00 0.00 0.00 0.00]
}
