package decode

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// enough is how many bytes of a file hold its image: the rest may be missing.
func enough(name string, b []byte) int {
	switch {
	case name == "gif_animated.gif":
		return len(b)/2 - 2 // the first of two frames
	case strings.HasPrefix(name, "gif"), strings.HasPrefix(name, "webp_lossless"):
		return len(b) - 1 // a trailer, and a byte of padding
	case name == "jpeg_trailing.jpg":
		return bytes.LastIndex(b, []byte("\xff\xd9")) + 2
	}
	return len(b)
}

// readable calls f for the files that are read.
func readable(t *testing.T, f func(name string, b []byte)) {
	g := readGolden(t)
	n := 0
	for _, name := range g.names {
		if _, _, want := g.pixels(name); want != nil {
			n++
			f(name, g.files[name])
		}
	}
	if n < 50 {
		t.Fatalf("only %d files", n)
	}
}

func TestTruncatedAnywhereIsAnError(t *testing.T) {
	for _, decoder := range []string{Go, Turbo} {
		t.Run(decoder, func(t *testing.T) {
			d := newDecoder(t, decoder)
			readable(t, func(name string, b []byte) {
				for n := range enough(name, b) {
					_, err := d.Decode(b[:n])
					if e := (*Error)(nil); !errors.As(err, &e) {
						t.Errorf("%s is decoded from %d of %d bytes: %v", name, n, len(b), err)
						break
					} else if e.Offset < 0 || e.Offset > int64(n) {
						t.Errorf("%s, %d bytes: offset %d", name, n, e.Offset)
					}
				}
			})
		})
	}
}

// A file that was cut and closed again has an end marker, but too little before it. A
// progressive one may have all of its first scans: nothing says then that there were more.
func TestCutAndClosedIsAnError(t *testing.T) {
	for _, decoder := range []string{Go, Turbo} {
		t.Run(decoder, func(t *testing.T) {
			d := newDecoder(t, decoder)
			readable(t, func(name string, b []byte) {
				if !strings.HasPrefix(name, "jpeg_s4") && !strings.HasPrefix(name, "jpeg_grey") && !strings.HasPrefix(name, "jpeg_cmyk") {
					return
				}
				f, err := readFile(b)
				if err != nil {
					t.Fatal(err)
				}
				whole := 0
				for n := f.jpeg.scan + 20; n < len(b)-3; n++ {
					if _, err := d.Decode(append(bytes.Clone(b[:n]), 0xff, mEOI)); err == nil {
						whole++
					}
				}
				if strings.HasSuffix(name, "progressive.jpg") {
					whole -= 40
				}
				if whole > 0 {
					t.Errorf("%s: decoded when cut in %d places of %d", name, whole, len(b)-f.jpeg.scan)
				}
			})
		})
	}
}

func TestDecodersRefuseTheSameFiles(t *testing.T) {
	turbo, std := newDecoder(t, Turbo), newDecoder(t, Go)
	rng := rand.New(rand.NewPCG(7, 11))
	refused, differ, n := 0, 0, 0
	readable(t, func(name string, b []byte) {
		if !strings.HasPrefix(name, "jpeg") {
			return
		}
		f, err := readFile(b)
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			bad := bytes.Clone(b)
			at := f.jpeg.scan + 2 + rng.IntN(len(bad)-f.jpeg.scan-2)
			for range 1 + rng.IntN(3) {
				bad[min(at+rng.IntN(4), len(bad)-1)] = uint8(rng.UintN(256))
			}
			_, errT := turbo.Decode(bad)
			_, errG := std.Decode(bad)
			n++
			if errT != nil {
				refused++
			}
			if (errT == nil) != (errG == nil) {
				differ++
			}
		}
	})
	if refused < n/20 || refused > n-n/20 {
		t.Errorf("%d of %d damaged files are refused, which tests little", refused, n)
	}
	if differ > n/50 {
		t.Errorf("the decoders differ about %d of %d damaged files", differ, n)
	}
	t.Logf("of %d damaged files turbo refuses %d, and the decoders differ about %d", n, refused, differ)
}

// Bytes between the last scan and the end marker hide the library's second warning.
func TestHarmlessWarningHidesNone(t *testing.T) {
	g := readGolden(t)
	for _, decoder := range []string{Go, Turbo} {
		d := newDecoder(t, decoder)
		b := g.files["jpeg_restart.jpg"]
		first := bytes.Index(b, []byte("\xff\xd0"))
		second := bytes.Index(b, []byte("\xff\xd1"))
		if first < 0 || second < 0 {
			t.Fatal("no restart markers")
		}
		extra := append(append(bytes.Clone(b[:first]), 1, 2, 3), b[first:]...)
		bad := append(append(bytes.Clone(extra[:first+7]), 0x12), extra[second+3:]...)
		if _, err := d.Decode(bad); err == nil {
			t.Errorf("%s: a restart interval of a byte is no error behind extraneous bytes", decoder)
		}
	}
}

func TestMessages(t *testing.T) {
	g := readGolden(t)
	patched := func(name string, at int, v ...byte) []byte {
		b := bytes.Clone(g.files[name])
		copy(b[at:], v)
		return b
	}
	scans := g.files["jpeg_grey_progressive.jpg"]
	last := bytes.LastIndex(scans, []byte("\xff\xda"))
	scans = slices.Concat(scans[:last], bytes.Repeat(scans[last:len(scans)-2], maxScans), scans[len(scans)-2:])
	sof := bytes.Index(g.files["jpeg_s420.jpg"], []byte("\xff\xc0"))
	for _, c := range []struct {
		name        string
		b           []byte
		want        string
		unsupported bool
	}{
		{"empty", nil, "is empty", false},
		{"garbage", []byte{0, 1, 2, 3, 4, 5, 6, 7, 8}, "is no image: starts with 00 01 02 03 04 05 06 07", false},
		{"one byte", []byte{7}, "is no image: starts with 07", false},
		{"zeros", make([]byte, 5000), "its 5000 bytes are all zero", false},
		{"HTML", []byte("\n <!DOCTYPE html><html>404"), "HTML, perhaps the page of a failed download", false},
		{"text", []byte("not found: 404"), `is no image but text: starts with "not found: 404"`, false},
		{"LFS", []byte("version https://git-lfs.github.com/spec/v1\noid"), "git lfs pull", true},
		{"TIFF", g.files["tiff.tif"], "is TIFF, which is not read; convert it to PNG", true},
		{"JPEG 2000", g.files["jpeg2000.jp2"], "is JPEG 2000, which", true},
		{"icon", g.files["ico.ico"], "is an icon", true},
		{"PPM", g.files["ppm.ppm"], "is PPM", true},
		{"AVIF", []byte("\x00\x00\x00\x1cftypavif"), "is AVIF", true},
		{"SVG", []byte("<?xml version='1.0'?><svg>"), "is SVG", true},
		{"arithmetic", g.files["jpeg_arithmetic.jpg"], "arithmetic coding", true},
		{"12 bits", g.files["jpeg_12bit.jpg"], "12 bits a value, where 8 are read", true},
		{"lossless", patched("jpeg_s420.jpg", sof+1, 0xc3), "lossless", true},
		{"two components", []byte("\xff\xd8\xff\xc0\x00\x0e\x08\x00\x08\x00\x08\x02\x01\x11\x00\x02\x11\x00"), "2 components", true},
		{"sampling", patched("jpeg_s420.jpg", sof+11, 0x05), "sampling factor", false},
		{"scans", scans, "more than 500 scans", true},
		{"animated", g.files["webp_animated.webp"], "animated WebP", true},
		{"cut JPEG", g.files["jpeg_s420.jpg"][:700], "is truncated: its 700 bytes end within its image data", false},
		{"cut PNG", g.files["png_rgb.png"][:300], "is truncated", false},
		{"cut header", g.files["jpeg_s420.jpg"][:100], "is truncated: its 100 bytes end within", false},
		{"large JPEG", patched("jpeg_s420.jpg", sof+5, 0xff, 0xff, 0xff, 0xff), "claims 65535x65535 pixels, more than the 67 million that are decoded", true},
		{"large PNG", patched("png_rgb.png", 16, 0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50), "claims 50000x50000 pixels, more than", true},
		{"JPEG that cannot be", patched("jpeg_s420.jpg", sof+5, 0x1f, 0xff, 0x1f, 0xff), "claims 8191x8191 pixels, which its", false},
		{"PNG that cannot be", patched("png_rgb.png", 16, 0, 0, 0x1f, 0xff, 0, 0, 0x1f, 0xff), "claims 8191x8191 pixels, which its", false},
		{"GIF that cannot be", patched("gif_plain.gif", 6, 0xff, 0x1f, 0xff, 0x1f), "claims 8191x8191 pixels, which its", false},
		{"BMP that cannot be", patched("bmp_rgb.bmp", 18, 0xff, 0x1f, 0, 0, 0xff, 0x1f, 0, 0), "claims 8191x8191 pixels, which its", false},
		{"no rows", patched("jpeg_s420.jpg", sof+5, 0, 0), "claims 27x0 pixels", false},
		{"no columns", patched("png_rgb.png", 16, 0, 0, 0, 0), "claims 0x21 pixels", false},
		{"PNG colour", patched("png_rgb.png", 25, 7), "no such colour type", false},
		{"PNG checksum", patched("png_rgb.png", 60, 0xaa, 0xaa), "is damaged", false},
		{"RLE", patched("bmp_palette.bmp", 30, 1), "compressed BMP", true},
		{"OS/2", patched("bmp_rgb.bmp", 14, 12), "header of 12 bytes", true},
	} {
		for _, decoder := range []string{Go, Turbo} {
			t.Run(c.name+" "+decoder, func(t *testing.T) {
				_, err := newDecoder(t, decoder).Decode(c.b)
				e := (*Error)(nil)
				if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || e.Unsupported != c.unsupported {
					t.Errorf("%#v\nis %q, want %q, unsupported %v", e, fmt.Sprint(err), c.want, c.unsupported)
				}
			})
		}
	}
}

// Deflate's and JPEG's best are within what a file may claim.
func TestBlankImagesAreRead(t *testing.T) {
	d := newDecoder(t, Go)
	for name, b := range blanks(t) {
		m, err := d.Decode(b)
		if err != nil {
			t.Errorf("%s of %d bytes: %v", name, len(b), err)
		} else if m.W != 1500 || m.H != 1000 {
			t.Errorf("%s: %dx%d", name, m.W, m.H)
		}
	}
}

// blanks are files of one colour, as small as files get.
func blanks(t *testing.T) map[string][]byte {
	r := image.Rect(0, 0, 1500, 1000)
	files := map[string][]byte{}
	for name, encode := range map[string]func(*bytes.Buffer) error{
		"JPEG": func(w *bytes.Buffer) error { return jpeg.Encode(w, image.NewGray(r), &jpeg.Options{Quality: 1}) },
		"PNG": func(w *bytes.Buffer) error {
			return (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(w, image.NewNRGBA(r))
		},
		"GIF": func(w *bytes.Buffer) error {
			return gif.Encode(w, image.NewPaletted(r, color.Palette{color.White, color.Black}), nil)
		},
	} {
		var w bytes.Buffer
		if err := encode(&w); err != nil {
			t.Fatal(err)
		}
		files[name] = w.Bytes()
	}
	return files
}
