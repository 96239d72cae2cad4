package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/png"
)

// Picture is a small image with a caption.
type Picture struct {
	Side    int
	RGB     []byte // (Side,Side,3)
	Caption []string
	Alt     string
}

// Pictures are some of them under one title.
type Pictures struct {
	Title, Note string
	All         []Picture
}

// URL is called by the template: the picture as PNG in the page itself.
func (p Picture) URL() (template.URL, error) {
	if p.Side < 1 || len(p.RGB) != p.Side*p.Side*3 {
		return "", fmt.Errorf("a picture of %d bytes is not %d pixels wide and high", len(p.RGB), p.Side)
	}
	m := image.NewNRGBA(image.Rect(0, 0, p.Side, p.Side))
	for i := range p.Side * p.Side {
		m.SetNRGBA(i%p.Side, i/p.Side, color.NRGBA{p.RGB[3*i], p.RGB[3*i+1], p.RGB[3*i+2], 255})
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, m); err != nil {
		return "", err
	}
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())), nil
}
