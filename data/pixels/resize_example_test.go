package pixels_test

import (
	"fmt"

	"oneshot/data/decode"
	"oneshot/data/pixels"
)

// An evaluation makes the shorter side 256 pixels long and looks at the middle 224x224.
func ExampleResampler_Resize() {
	img := &decode.Image{H: 533, W: 400, Pix: make([]uint8, 533*400), Grey: true}
	h, w, window := pixels.ShorterCenter(img.H, img.W, 224, 0.875)
	fmt.Println(h, w, window)

	var r pixels.Resampler // one for each goroutine
	dst := make([]uint8, 224*224*3)
	r.Resize(dst, img, pixels.Rect{Y1: img.H, X1: img.W}, h, w, window)
	// Output: 341 256 {58 16 282 240}
}
