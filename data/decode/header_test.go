package decode

import "testing"

func TestReadHeader(t *testing.T) {
	g := readGolden(t)
	for name, want := range map[string]Header{
		"jpeg_s420.jpg":             {Format: "jpeg", Channels: 3, Bits: 8},
		"jpeg_grey_progressive.jpg": {Format: "jpeg", Channels: 1, Bits: 8},
		"jpeg_cmyk.jpg":             {Format: "jpeg", Channels: 4, Bits: 8},
		"png_rgb.png":               {Format: "png", Channels: 3, Bits: 8},
		"png_rgba16.png":            {Format: "png", Channels: 4, Bits: 16},
		"png_grey16.png":            {Format: "png", Channels: 1, Bits: 16},
		"png_grey_alpha.png":        {Format: "png", Channels: 2, Bits: 8},
		"png_1bit.png":              {Format: "png", Channels: 1, Bits: 1},
		"png_palette.png":           {Format: "png", Channels: 3, Bits: 8},
		"webp_lossy.webp":           {Format: "webp", Channels: 3, Bits: 8},
		"webp_lossless.webp":        {Format: "webp", Channels: 3, Bits: 8},
		"webp_lossy_alpha.webp":     {Format: "webp", Channels: 4, Bits: 8},
		"webp_lossless_alpha.webp":  {Format: "webp", Channels: 4, Bits: 8},
		"gif_small_frame.gif":       {Format: "gif", Channels: 3, Bits: 8},
		"bmp_rgb.bmp":               {Format: "bmp", Channels: 3, Bits: 8},
	} {
		want.W, want.H, want.Orientation = 27, 21, 1
		if h, err := ReadHeader(g.files[name]); err != nil || h != want {
			t.Errorf("%s: %+v, %v, want %+v", name, h, err, want)
		}
	}
}

// What is read has the size that the header says, and what the header refuses Decode refuses.
func TestHeaderAgreesWithDecode(t *testing.T) {
	g := readGolden(t)
	d := newDecoder(t, Go)
	for _, name := range g.names {
		h, errH := ReadHeader(g.files[name])
		m, err := d.Decode(g.files[name])
		switch {
		case errH != nil:
			if err == nil || err.Error() != errH.Error() {
				t.Errorf("%s: %v, header %v", name, err, errH)
			}
		case err == nil && (m.W != h.W || m.H != h.H):
			t.Errorf("%s: %dx%d, header %+v", name, m.W, m.H, h)
		}
	}
}
