package decode

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
)

func seeds(f *testing.F) {
	g := readGolden(f)
	for _, name := range g.names {
		f.Add(g.files[name])
	}
	for _, name := range []string{"jpeg_s420.jpg", "png_rgb.png", "webp_lossy.webp"} {
		f.Add(withEXIF(name, g.files[name], exif(binary.LittleEndian, 6)))
	}
}

// check decodes and looks whether the image is what its type says. Large images are left
// out, for they take long.
func check(t *testing.T, d *Decoder, b []byte) {
	h, errH := ReadHeader(b)
	if errH == nil && h.W*h.H > 1<<18 {
		return
	}
	m, err := d.Decode(b)
	if err != nil {
		if e := (*Error)(nil); !errors.As(err, &e) || e.Offset < 0 || e.Offset > int64(len(b)) {
			t.Fatalf("%#v", err)
		}
		if strings.Contains(err.Error(), "panic") {
			t.Fatal(err)
		}
		return
	}
	if errH != nil {
		t.Fatalf("decoded in spite of %v", errH)
	}
	if m.W != h.W || m.H != h.H || m.W <= 0 || m.H <= 0 || (m.Y == nil) == (m.Pix == nil) {
		t.Fatalf("%+v, header %+v", m, h)
	}
	sum := 0
	for _, v := range m.RGB(nil) { // reads all that is claimed to be there
		sum += int(v)
	}
	if sum < 0 {
		t.Fatal(sum)
	}
}

func FuzzDecode(f *testing.F) {
	seeds(f)
	d := newDecoder(f, Go)
	f.Fuzz(func(t *testing.T, b []byte) { check(t, d, b) })
}

func FuzzDecodeTurbo(f *testing.F) {
	d := newDecoder(f, Turbo)
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) { check(t, d, b) })
}

func FuzzReadHeader(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ReadHeader(b)
		if err != nil {
			if e := (*Error)(nil); !errors.As(err, &e) || e.Offset < 0 || e.Offset > int64(len(b)) {
				t.Fatalf("%#v", err)
			}
			return
		}
		if h.W <= 0 || h.H <= 0 || h.W > MaxPixels/h.H || h.Orientation < 1 || h.Orientation > 8 {
			t.Fatalf("%+v", h)
		}
	})
}

func FuzzOrientation(f *testing.F) {
	f.Add(exif(binary.LittleEndian, 3))
	f.Add(exif(binary.BigEndian, 7))
	f.Fuzz(func(t *testing.T, b []byte) {
		if o := orientation(b); o < 1 || o > 8 {
			t.Fatal(o)
		}
	})
}
