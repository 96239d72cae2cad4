package pixels_test

import (
	"fmt"
	"math/rand/v2"

	"oneshot/data/pixels"
)

// What is drawn can be kept, looked at, and applied later.
func ExampleNewPolicy() {
	policy, err := pixels.NewPolicy("randaugment", 2, 9)
	if err != nil {
		fmt.Println(err)
		return
	}
	const h, w = 32, 32
	img := make([]uint8, h*w*3)
	var scratch pixels.Scratch
	r := rand.New(rand.NewPCG(1, 5))
	var drawn []pixels.Drawn
	for range 3 {
		drawn = policy.Draw(r, drawn[:0], h, w)
		pixels.Apply(img, h, w, drawn, &scratch)
		fmt.Printf("%v %.2f, %v %.2f\n", drawn[0].Op, drawn[0].Magnitude, drawn[1].Op, drawn[1].Magnitude)
	}
	// Output:
	// Color -0.27, AutoContrast 0.00
	// TranslateX 4.35, Solarize 178.50
	// ShearX 0.09, TranslateY -4.35
}
