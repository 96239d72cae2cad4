package prepare

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"oneshot/data"
	"oneshot/data/decode"
	"oneshot/data/pixels"
	"oneshot/data/source"
)

// shrinker makes records small. It has the memory of one goroutine.
type shrinker struct {
	size, quality int
	resample      pixels.Resampler
	rgb           []uint8
	rgba          image.RGBA
	grey          image.Gray
}

// mostJPEG is the longest side that JPEG has a number for, in pixels (ITU T.81, B.2.2).
const mostJPEG = 65_535

// shrink appends the JPEG file that a record becomes to dst. copied says that these are the
// record's own bytes. An error is a *source.Fault there where the record cannot be JPEG.
func (s *shrinker) shrink(dst []byte, rec data.Record, there source.Place) (out []byte, copied bool, err error) {
	m, h := rec.Image, rec.Header
	small := min(m.W, m.H) <= s.size
	if small && h.Format == "jpeg" && h.Orientation == 1 && (h.Channels == 1 || h.Channels == 3) {
		return append(dst, rec.Stored...), true, nil
	}
	height, width := m.H, m.W
	if !small {
		height, width = pixels.Shorter(m.H, m.W, s.size)
	}
	if max(height, width) > mostJPEG {
		return dst, false, &source.Fault{Place: there, Msg: fmt.Sprintf("has %dx%d pixels, more to a side than the %d of a JPEG file", width, height, mostJPEG)}
	}
	if small {
		s.rgb = m.RGB(s.rgb)
	} else {
		s.rgb = grow(s.rgb, 3*height*width)
		s.resample.Resize(s.rgb, m, pixels.Rect{Y1: m.H, X1: m.W}, height, width, pixels.Rect{Y1: height, X1: width})
	}
	b := bytes.NewBuffer(dst)
	err = jpeg.Encode(b, s.picture(m, height, width), &jpeg.Options{Quality: s.quality})
	return b.Bytes(), false, err
}

// picture makes an image of s.rgb (height,width,3), grey where m is.
func (s *shrinker) picture(m *decode.Image, height, width int) image.Image {
	n := height * width
	bounds := image.Rect(0, 0, width, height)
	if m.Grey {
		s.grey = image.Gray{Pix: grow(s.grey.Pix, n), Stride: width, Rect: bounds}
		for i := range s.grey.Pix {
			s.grey.Pix[i] = s.rgb[3*i]
		}
		return &s.grey
	}
	s.rgba = image.RGBA{Pix: grow(s.rgba.Pix, 4*n), Stride: 4 * width, Rect: bounds}
	for i := range n {
		p, q := s.rgba.Pix[4*i:4*i+4], s.rgb[3*i:3*i+3]
		p[0], p[1], p[2], p[3] = q[0], q[1], q[2], 255
	}
	return &s.rgba
}

func grow(b []uint8, n int) []uint8 {
	if cap(b) < n {
		return make([]uint8, n)
	}
	return b[:n]
}
