package decode

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"io"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// endPNG is the type of the last chunk and its checksum.
const endPNG = "IEND\xae\x42\x60\x82"

// still decodes what is no JPEG.
func (d *Decoder) still(b []byte, f *file) error {
	var outside uint8
	if f.Format == "gif" {
		b, outside = opaqueGIF(b)
	}
	r := bytes.NewReader(b)
	var m image.Image
	var err error
	var unsupported bool
	switch f.Format {
	case "png":
		m, err = png.Decode(r)
		var u png.UnsupportedError
		unsupported = errors.As(err, &u)
	case "webp":
		m, err = webp.Decode(r)
	case "gif":
		m, err = gif.Decode(r)
	case "bmp":
		m, err = bmp.Decode(r)
		unsupported = errors.Is(err, bmp.ErrUnsupported)
	}
	if err != nil {
		if f.Format == "png" && !bytes.Contains(b, []byte(endPNG)) {
			err = io.ErrUnexpectedEOF
		}
		return failed(err, len(b)-r.Len(), unsupported)
	}
	if p, ok := m.(*image.Paletted); ok {
		w, h := f.swapped(f.W, f.H)
		d.setPaletted(p, image.Rect(0, 0, w, h), outside)
		return nil
	}
	return d.set(m)
}

func (d *Decoder) set(m image.Image) error {
	r := m.Bounds()
	w, h := r.Dx(), r.Dy()
	switch m := m.(type) {
	case *image.Gray:
		d.setGrey(m.Pix, m.Stride, w, h)
	case *image.Gray16:
		pix := d.newGrey(w, h)
		for i := range pix {
			pix[i] = m.Pix[i/w*m.Stride+i%w*2]
		}
	case *image.RGBA: // without alpha: what has any is NRGBA
		d.setRGB(r, m.Pix, m.Stride)
	case *image.NRGBA:
		d.setRGB(r, m.Pix, m.Stride)
	case *image.RGBA64:
		d.setRGB16(r, m.Pix, m.Stride)
	case *image.NRGBA64:
		d.setRGB16(r, m.Pix, m.Stride)
	case *image.YCbCr:
		d.setWebP(m)
	case *image.NYCbCrA:
		d.setWebP(&m.YCbCr)
	default:
		return &Error{Msg: fmt.Sprintf("is of a kind that is not read: %T", m), Unsupported: true}
	}
	return nil
}

// setRGB16 takes RGB of eight bytes a pixel, the high ones first, and drops the fourth value.
func (d *Decoder) setRGB16(r image.Rectangle, v []uint8, stride int) {
	w, h := r.Dx(), r.Dy()
	pix := d.newRGB(w, h)
	for y := range h {
		row, out := v[y*stride:][:8*w], pix[3*y*w:][:3*w]
		for x := range w {
			out[3*x], out[3*x+1], out[3*x+2] = row[8*x], row[8*x+2], row[8*x+4]
		}
	}
}

// setWebP takes the planes of a lossy WebP, always 4:2:0. They are converted here: Image's planes
// have another range.
func (d *Decoder) setWebP(m *image.YCbCr) {
	d.setYCbCr(m)
	planes := d.img
	planes.convert(d.newRGB(planes.W, planes.H), true, bt601)
}

// setPaletted looks colours up, and shows the colour of index outside on the canvas around
// the image: a frame of a GIF may be smaller.
func (d *Decoder) setPaletted(m *image.Paletted, canvas image.Rectangle, outside uint8) {
	var table [256][3]uint8
	for i, c := range m.Palette {
		switch c := c.(type) {
		case color.NRGBA:
			table[i] = [3]uint8{c.R, c.G, c.B}
		case color.RGBA: // opaque, or all zero
			table[i] = [3]uint8{c.R, c.G, c.B}
		}
	}
	w := canvas.Dx()
	pix := d.newRGB(w, canvas.Dy())
	if m.Rect != canvas {
		for i := 0; i < len(pix); i += 3 {
			copy(pix[i:], table[outside][:])
		}
	}
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		row := m.Pix[m.PixOffset(m.Rect.Min.X, y):][:m.Rect.Dx()]
		out := pix[3*(y*w+m.Rect.Min.X):]
		for x, v := range row {
			copy(out[3*x:3*x+3], table[v][:])
		}
	}
}
