package decode

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// jpegOf is a JPEG's header as need wants it.
func jpegOf(components, subX, subY int) jpegHeader {
	h := jpegHeader{components: components}
	for i := range components {
		h.sampling[i] = [2]int{1, 1}
	}
	h.sampling[0] = [2]int{subX, subY}
	if components == 4 {
		h.sampling[3] = h.sampling[0]
	}
	return h
}

func TestNeedPerPixel(t *testing.T) {
	progressive := func(h jpegHeader) jpegHeader { h.progressive = true; return h }
	partial := func(h jpegHeader) jpegHeader { h.partial = true; return h }
	rgb := func(h jpegHeader) jpegHeader { h.rgb = true; return h }
	for _, c := range []struct {
		name string
		f    file
		want float64 // bytes a pixel
	}{
		{"4:4:4", file{jpeg: jpegOf(3, 1, 1)}, 3},
		{"4:2:0", file{jpeg: jpegOf(3, 2, 2)}, 1.5},
		{"4:1:1", file{jpeg: jpegOf(3, 4, 1)}, 1.5 + 3},
		{"4:2:0 turned", file{Header: Header{Orientation: 6}, jpeg: jpegOf(3, 2, 2)}, 3},
		{"4:1:1 turned", file{Header: Header{Orientation: 6}, jpeg: jpegOf(3, 4, 1)}, 1.5 + 6},
		{"RGB", file{jpeg: rgb(jpegOf(3, 1, 1))}, 3 + 4 + 3},
		{"grey", file{jpeg: jpegOf(1, 1, 1)}, 2},
		{"CMYK", file{jpeg: jpegOf(4, 1, 1)}, 4 + 4 + 3},
		{"partial 4:2:0", file{jpeg: partial(jpegOf(3, 2, 2))}, 1.5 * 3},
		{"progressive 4:4:4", file{jpeg: progressive(jpegOf(3, 1, 1))}, 15},
		{"progressive 4:2:0", file{jpeg: progressive(jpegOf(3, 2, 2))}, 7.5},
		{"progressive CMYK", file{jpeg: progressive(jpegOf(4, 1, 1))}, 20 + 4 + 3},
		{"PNG grey", file{Header: Header{Format: "png"}, png: pngHeader{bits: 8}}, 1 + 3},
		{"PNG grey and tRNS", file{Header: Header{Format: "png"}, png: pngHeader{bits: 8, transparent: true}}, 4 + 3},
		{"PNG RGB", file{Header: Header{Format: "png"}, png: pngHeader{colour: 2, bits: 8}}, 4 + 3},
		{"PNG palette", file{Header: Header{Format: "png"}, png: pngHeader{colour: 3, bits: 8}}, 1 + 3},
		{"PNG RGBA16", file{Header: Header{Format: "png"}, png: pngHeader{colour: 6, bits: 16}}, 8 + 3},
		{"PNG RGBA16 interlaced", file{Header: Header{Format: "png"}, png: pngHeader{colour: 6, bits: 16, interlaced: true}}, 16 + 3},
		{"PNG turned", file{Header: Header{Format: "png", Orientation: 3}, png: pngHeader{colour: 2, bits: 8}}, 4 + 6},
		{"WebP", file{Header: Header{Format: "webp", Channels: 3}}, 2 + 3},
		{"WebP lossless", file{Header: Header{Format: "webp", Channels: 3}, lossless: true}, 9 + 3},
		{"WebP with alpha", file{Header: Header{Format: "webp", Channels: 4}}, 12 + 3},
		{"GIF", file{Header: Header{Format: "gif"}}, 4},
		{"BMP", file{Header: Header{Format: "bmp"}}, 7},
	} {
		const w, h = 1600, 800
		c.f.W, c.f.H, c.f.jpeg.w, c.f.jpeg.h = w, h, w, h
		if c.f.Format == "" {
			c.f.Format = "jpeg"
		}
		if v := float64(c.f.need(nil)) / (w * h); !(v >= c.want && v < c.want+0.01) {
			t.Errorf("%s: %.3f bytes a pixel, want %.2f", c.name, v, c.want)
		}
	}
}

// What cannot be told from the number of pixels: rows of padding and of a single line.
func TestNeedOfOddSizes(t *testing.T) {
	line := file{Header: Header{Format: "png", W: 1 << 20, H: 1, Channels: 4, Bits: 16}, png: pngHeader{colour: 6, bits: 16}}
	if v, want := line.need(nil), int64(1<<20)*(8+3+16); v < want || v > want+100 {
		t.Errorf("a PNG of one row: %d, want %d", v, want)
	}
	thin := file{Header: Header{Format: "jpeg", W: 1, H: 60000}, jpeg: jpegOf(3, 2, 2)}
	thin.jpeg.w, thin.jpeg.h = 1, 60000
	if v, want := thin.need(nil), int64(60000*(16+4*2/2+4)); v < want || v > want*11/10 {
		t.Errorf("a JPEG of one column: %d, want %d", v, want)
	}
	odd := file{Header: Header{Format: "jpeg", W: 1001, H: 1001, Orientation: 2}, jpeg: jpegOf(3, 2, 2)}
	odd.jpeg.w, odd.jpeg.h = 1001, 1001
	if v, want := odd.need(nil), int64(1001*1001*15/2); v < want {
		t.Errorf("a JPEG mirrored at an odd size, as RGB: %d, want %d", v, want)
	}
}

// Headers are read as what they are.
func TestHeadersSayWhatDecodingNeeds(t *testing.T) {
	g := readGolden(t)
	for name, is := range map[string]func(f *file) bool{
		"jpeg_s420.jpg":             func(f *file) bool { return !f.jpeg.progressive && !f.jpeg.partial && !f.jpeg.rgb },
		"jpeg_grey_progressive.jpg": func(f *file) bool { return f.jpeg.progressive && !f.jpeg.partial },
		"png_rgba16.png":            func(f *file) bool { return f.png.valueBytes() == 8 && !f.png.interlaced },
		"png_1bit.png":              func(f *file) bool { return f.png.valueBytes() == 1 },
		"webp_lossy.webp":           func(f *file) bool { return !f.lossless },
		"webp_lossless.webp":        func(f *file) bool { return f.lossless },
	} {
		f, err := readFile(g.files[name])
		if err != nil {
			t.Fatal(err)
		}
		if !is(f) {
			t.Errorf("%s: %+v", name, f)
		}
	}
	const size, three = "\x00\x08\x00\x08\x03", "\x01\x11\x00\x02\x11\x00\x03\x11\x00"
	const adobe = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
	const all, one = "\xff\xda\x00\x0c\x03", "\xff\xda\x00\x08\x01"
	for _, c := range []struct {
		segments                  string
		rgb, progressive, partial bool
	}{
		{"\xff\xc0\x00\x11\x08" + size + three + all, false, false, false},
		{"\xff\xc0\x00\x11\x08" + size + three + one, false, false, true},
		{"\xff\xc2\x00\x11\x08" + size + three + all, false, true, false},
		{adobe + "\x00\xff\xc0\x00\x11\x08" + size + three + all, true, false, false},
		{adobe + "\x01\xff\xc0\x00\x11\x08" + size + three + all, false, false, false},
		{"\xff\xc0\x00\x11\x08" + size + "R\x11\x00G\x11\x00B\x11\x00" + all, true, false, false},
	} {
		f, err := readFile([]byte("\xff\xd8" + c.segments))
		if err != nil {
			t.Fatal(err)
		}
		if h := f.jpeg; h.rgb != c.rgb || h.progressive != c.progressive || h.partial != c.partial {
			t.Errorf("%q: %+v", c.segments, h)
		}
	}
	png := g.files["png_1bit.png"]
	key := slices.Concat(png[:28], []byte{1}, png[29:33], []byte("\x00\x00\x00\x02tRNS\x00\x00\x00\x00\x00\x00"), png[33:])
	if f, err := readFile(key); err != nil || !f.png.transparent || !f.png.interlaced {
		t.Errorf("an interlaced PNG with a transparent value: %+v, %v", f, err)
	}
}

func TestImageThatNeedsTooMuch(t *testing.T) {
	b := manyScans(t, 10)
	sof := bytes.Index(b, []byte("\xff\xc2"))
	cmyk := slices.Concat(b[:sof], []byte("\xff\xc2\x00\x14\x08\x1f\xfe\x1f\xfe\x04\x01\x11\x00\x02\x11\x00\x03\x11\x00\x04\x11\x00"), b[sof+13:])
	cmyk = slices.Concat(cmyk, make([]byte, 1<<19))
	_, err := ReadHeader(cmyk)
	const want = "claims 8190x8190 pixels, and decoding takes 1.8 GB, more than the 1.6 that one image may take"
	if e, ok := err.(*Error); !ok || !strings.Contains(err.Error(), want) || !e.Unsupported {
		t.Errorf("%v, want %q", err, want)
	}
	if _, err := ReadHeader(b); err != nil {
		t.Errorf("grey: %v", err)
	}
}

// A decoder keeps no large buffer, whatever became of the image.
func TestLargeBuffersAreDropped(t *testing.T) {
	d := newDecoder(t, Go)
	large, small := make([]uint8, maxKept+1), make([]uint8, maxKept)
	d.pix, d.turn[1], d.planes[0], d.cmyk = large, large, large, large
	d.planes[1] = small
	d.drop()
	if d.pix != nil || d.turn[1] != nil || d.planes[0] != nil || d.cmyk != nil || d.planes[1] == nil {
		t.Error("kept a large buffer, or dropped a small one")
	}
	m, err := d.Decode(readGolden(t).files["jpeg_s420.jpg"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Decode([]byte("none")); err == nil || m.Y != nil {
		t.Errorf("an image of %d values lives on after an error: %v", len(m.Y), err)
	}
}
