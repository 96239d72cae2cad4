package decode_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"

	"oneshot/data/decode"
)

func Example() {
	var file bytes.Buffer
	m := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	m.Set(2, 1, color.NRGBA{R: 200, G: 100, B: 50, A: 255})
	if err := png.Encode(&file, m); err != nil {
		log.Fatal(err)
	}

	d, err := decode.New(decode.Auto)
	if err != nil {
		log.Fatal(err)
	}
	defer d.Close()
	img, err := d.Decode(file.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	rgb := img.RGB(nil)
	fmt.Println(img.W, img.H, rgb[15:])

	_, err = d.Decode([]byte("<html>Not found</html>"))
	fmt.Println(err)
	// Output:
	// 3 2 [200 100 50]
	// decode: offset 0: is no image but HTML, perhaps the page of a failed download
}
