package decode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
)

// exif is an EXIF block of two entries, the second of them the orientation.
func exif(order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}, o int) []byte {
	b := []byte("II*\x00")
	if order.Uint16([]byte{0, 1}) == 1 {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, e := range [2][2]uint16{{256, 40}, {274, uint16(o)}} {
		b = order.AppendUint16(b, e[0])
		b = order.AppendUint16(b, 3) // a short
		b = order.AppendUint32(b, 1)
		b = order.AppendUint16(b, e[1])
		b = append(b, 0, 0)
	}
	return append(b, 0, 0, 0, 0)
}

// withEXIF puts a block into an image file.
func withEXIF(name string, b, block []byte) []byte {
	switch {
	case strings.HasSuffix(name, ".jpg"):
		s := binary.BigEndian.AppendUint16([]byte("\xff\xe1"), uint16(8+len(block)))
		s = append(append(s, "Exif\x00\x00"...), block...)
		return append(append(bytes.Clone(b[:2]), s...), b[2:]...)
	case strings.HasSuffix(name, ".png"):
		chunk := append([]byte("eXIf"), block...)
		s := binary.BigEndian.AppendUint32(nil, uint32(len(block)))
		s = binary.BigEndian.AppendUint32(append(s, chunk...), crc32.ChecksumIEEE(chunk))
		return append(append(bytes.Clone(b[:33]), s...), b[33:]...)
	case strings.HasSuffix(name, ".webp"):
		b = bytes.Clone(b)
		b = append(b, "EXIF"...)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(block))), block...)
		binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
		return b
	}
	panic(name)
}

// shown turns pixels as TIFF 6.0 says what the stored first row and first column are.
func shown(rgb []uint8, w, h, o int) (out []uint8, ow, oh int) {
	row := [9]string{"", "top", "top", "bottom", "bottom", "left", "right", "right", "left"}[o]
	column := [9]string{"", "left", "right", "right", "left", "top", "top", "bottom", "bottom"}[o]
	ow, oh = w, h
	if o >= 5 {
		ow, oh = h, w
	}
	out = make([]uint8, len(rgb))
	for y := range h {
		for x := range w {
			var ox, oy int
			for _, e := range []struct {
				side string
				n    int
			}{{row, y}, {column, x}} {
				switch e.side {
				case "top":
					oy = e.n
				case "bottom":
					oy = oh - 1 - e.n
				case "left":
					ox = e.n
				case "right":
					ox = ow - 1 - e.n
				}
			}
			copy(out[3*(oy*ow+ox):], rgb[3*(y*w+x):][:3])
		}
	}
	return out, ow, oh
}

func TestOrientation(t *testing.T) {
	g := readGolden(t)
	// Not the tiniest: chroma that is repeated across is interpolated down.
	names := []string{"jpeg_s444.jpg", "jpeg_s422.jpg", "jpeg_s420.jpg", "jpeg_s440.jpg", "jpeg_s411.jpg", "jpeg_s420_16x16.jpg", "jpeg_s422_16x16.jpg",
		"jpeg_s440_16x16.jpg", "jpeg_s420_17x32.jpg", "jpeg_s422_17x32.jpg", "jpeg_s440_17x32.jpg",
		"jpeg_grey.jpg", "jpeg_cmyk.jpg", "jpeg_rgb_adobe.jpg", "png_rgb.png", "png_grey.png", "webp_lossy.webp", "webp_lossless_alpha.webp"}
	for _, decoder := range []string{Go, Turbo} {
		d := newDecoder(t, decoder)
		for _, name := range names {
			b := g.files[name]
			m, err := d.Decode(b)
			if err != nil {
				t.Fatal(name, err)
			}
			plain, w, h := m.RGB(nil), m.W, m.H
			for o := 1; o <= 8; o++ {
				turned := withEXIF(name, b, exif(binary.LittleEndian, o))
				m, err := d.Decode(turned)
				if err != nil {
					t.Fatal(name, o, err)
				}
				want, ow, oh := shown(plain, w, h, o)
				at := fmt.Sprintf("%s %s %d", decoder, name, o)
				if m.W != ow || m.H != oh {
					t.Fatalf("%s: %dx%d, want %dx%d", at, m.W, m.H, ow, oh)
				}
				head, err := ReadHeader(turned)
				if err != nil || head.W != ow || head.H != oh || head.Orientation != o {
					t.Errorf("%s: header %+v, %v", at, head, err)
				}
				inPlanes := strings.HasPrefix(name, "jpeg_s4") && name != "jpeg_s411.jpg"
				if o == 1 && inPlanes != (m.Y != nil) {
					t.Errorf("%s: in planes %v", at, m.Y != nil)
				}
				if w%2+h%2 == 0 && inPlanes && m.Y == nil {
					t.Errorf("%s: an image of even size does not stay in planes", at)
				}
				most := 0
				for i, v := range m.RGB(nil) {
					most = max(most, int(v)-int(want[i]), int(want[i])-int(v))
				}
				// Interpolated chroma is rounded in another order: a level, times 1.8.
				tol := 0
				if inPlanes && (m.SubX == 2 || m.SubY == 2) {
					tol = 3
				}
				if most > tol {
					t.Errorf("%s: off by %d", at, most)
				}
			}
		}
	}
}

func TestOrientationOfBlocks(t *testing.T) {
	good := exif(binary.BigEndian, 6)
	patched := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	for _, c := range []struct {
		name string
		b    []byte
		want int
	}{
		{"big-endian", good, 6},
		{"little-endian", exif(binary.LittleEndian, 8), 8},
		{"0", exif(binary.BigEndian, 0), 1},
		{"9", exif(binary.BigEndian, 9), 1},
		{"absent", nil, 1},
		{"cut in the entry", good[:30], 1},
		{"without its end", good[:34], 6},
		{"no TIFF", patched(0, 'X'), 1},
		{"directory beyond the end", patched(4, 0xff, 0xff, 0xff, 0xff), 1},
		{"directory at the end", patched(7, byte(len(good)-1)), 1},
		{"more entries than bytes", patched(8, 0xff, 0xff), 6},
		{"no entries", patched(8, 0, 0), 1},
		{"of another type", patched(25, 4), 1},
		{"two values", patched(29, 2), 1},
	} {
		if o := orientation(c.b); o != c.want {
			t.Errorf("%s: %d, want %d", c.name, o, c.want)
		}
	}
}

// A broken block is no reason to lose an image.
func TestBrokenEXIFIsIgnored(t *testing.T) {
	g := readGolden(t)
	d := newDecoder(t, Auto)
	for _, name := range []string{"jpeg_s420.jpg", "png_rgb.png", "webp_lossy.webp"} {
		for _, block := range [][]byte{nil, {0}, []byte("MM\x00*\xff\xff\xff\xff"), bytes.Repeat([]byte{0xff}, 300)} {
			if m, err := d.Decode(withEXIF(name, g.files[name], block)); err != nil || m.W != 27 {
				t.Errorf("%s with block %x: %v", name, block, err)
			}
		}
	}
}
