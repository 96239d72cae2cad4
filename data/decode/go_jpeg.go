package decode

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
)

// goJPEG decodes JPEG files with the standard library.
type goJPEG struct{}

func (goJPEG) close() {}

// adobeCMYK is an Adobe segment of version 100 that says: no colour transform.
const adobeCMYK = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"

func (goJPEG) decode(b []byte, h *jpegHeader, d *Decoder) error {
	if h.components == 4 && !h.adobe { // the library refuses what everybody takes for CMYK
		b = slices.Concat(b[:2], []byte(adobeCMYK), b[2:])
	}
	m, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		var u jpeg.UnsupportedError
		return failed(err, h.scan, errors.As(err, &u))
	}
	switch m := m.(type) {
	case *image.Gray:
		d.setGrey(m.Pix, m.Stride, h.w, h.h)
	case *image.YCbCr:
		d.setYCbCr(m)
	case *image.RGBA:
		d.setRGB(m.Rect, m.Pix, m.Stride)
	case *image.CMYK:
		pix := d.newRGB(h.w, h.h)
		for y := range h.h {
			row := m.Pix[y*m.Stride:]
			for x := range h.w {
				c := row[4*x : 4*x+4]
				mixCMYK(pix[3*(y*h.w+x):], 255-c[0], 255-c[1], 255-c[2], 255-c[3])
			}
		}
	default:
		return &Error{Msg: fmt.Sprintf("is of a kind that is not read: %T", m), Unsupported: true}
	}
	return nil
}

// mixCMYK makes RGB of CMYK as Adobe stores it, and everybody since: 255 is no ink.
func mixCMYK(rgb []uint8, c, m, y, k uint8) {
	mul := func(a uint8) uint8 { return uint8((int(a)*int(k) + 127) / 255) }
	rgb[0], rgb[1], rgb[2] = mul(c), mul(m), mul(y)
}

// inPlanes are the subsamplings that Image shows, across and down.
var inPlanes = map[image.YCbCrSubsampleRatio][2]int{
	image.YCbCrSubsampleRatio444: {1, 1},
	image.YCbCrSubsampleRatio422: {2, 1},
	image.YCbCrSubsampleRatio420: {2, 2},
	image.YCbCrSubsampleRatio440: {1, 2},
}

// setYCbCr makes the image of planes, without copying where Image can show them.
func (d *Decoder) setYCbCr(m *image.YCbCr) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	if s, ok := inPlanes[m.SubsampleRatio]; ok {
		d.img = Image{W: w, H: h, Y: m.Y, Cb: m.Cb, Cr: m.Cr, YStride: m.YStride, CStride: m.CStride, SubX: s[0], SubY: s[1]}
		return
	}
	pix, cb, cr := d.newRGB(w, h), make([]uint8, w), make([]uint8, w)
	for y := range h {
		for x := range w { // libjpeg repeats the chroma of four pixels in a row, too
			at := m.COffset(x, y)
			cb[x], cr[x] = m.Cb[at], m.Cr[at]
		}
		jfif(pix[3*y*w:][:3*w], m.Y[y*m.YStride:][:w], cb, cr)
	}
}

// newRGB makes the image RGB and returns its pixels, to be written.
func (d *Decoder) newRGB(w, h int) []uint8 {
	d.pix = grow(d.pix, 3*w*h)
	d.img = Image{W: w, H: h, Pix: d.pix}
	return d.pix
}

// newGrey makes the image grey and returns its pixels, to be written.
func (d *Decoder) newGrey(w, h int) []uint8 {
	d.pix = grow(d.pix, w*h)
	d.img = Image{W: w, H: h, Pix: d.pix, Grey: true}
	return d.pix
}

func (d *Decoder) setGrey(v []uint8, stride, w, h int) {
	pix := d.newGrey(w, h)
	for y := range h {
		copy(pix[y*w:][:w], v[y*stride:])
	}
}

// setRGB takes RGB of four bytes a pixel, and drops the fourth.
func (d *Decoder) setRGB(r image.Rectangle, v []uint8, stride int) {
	w, h := r.Dx(), r.Dy()
	pix := d.newRGB(w, h)
	for y := range h {
		row, out := v[y*stride:][:4*w], pix[3*y*w:][:3*w]
		for x := range w {
			out[3*x], out[3*x+1], out[3*x+2] = row[4*x], row[4*x+1], row[4*x+2]
		}
	}
}
