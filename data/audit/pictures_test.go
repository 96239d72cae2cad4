package audit

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"oneshot/data"
)

// picture is soft noise, different for every seed.
func picture(seed uint64, w, h int) *image.RGBA {
	r := rand.New(rand.NewPCG(seed, 1))
	var knots [5][5][3]float64
	for i := range knots {
		for j := range knots[i] {
			for c := range 3 {
				knots[i][j][c] = 255 * r.Float64()
			}
		}
	}
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v, u := 4*float64(y)/float64(h), 4*float64(x)/float64(w)
			i, j := min(int(v), 3), min(int(u), 3)
			v, u = v-float64(i), u-float64(j)
			var p [3]uint8
			for c := range 3 {
				p[c] = uint8((1-v)*((1-u)*knots[i][j][c]+u*knots[i][j+1][c]) + v*((1-u)*knots[i+1][j][c]+u*knots[i+1][j+1][c]))
			}
			m.SetRGBA(x, y, color.RGBA{p[0], p[1], p[2], 255})
		}
	}
	return m
}

func grey(m image.Image) *image.Gray {
	g := image.NewGray(m.Bounds())
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			g.Set(x, y, m.At(x, y))
		}
	}
	return g
}

func jpegOf(m image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func pngOf(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// turned gives a JPEG file an EXIF orientation.
func turned(b []byte, orientation byte) []byte {
	exif := append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00"), orientation, 0, 0, 0, 0, 0, 0, 0)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(exif)))
	return append(append(append([]byte{0xff, 0xd8}, segment...), exif...), b[2:]...)
}

// tree is a folder of files, by path.
type tree map[string][]byte

// add draws JPEG pictures of a class, one for each seed.
func (t tree) add(class string, seeds ...uint64) tree {
	for _, s := range seeds {
		t[filepath.Join(class, string(rune('a'+s%26))+".jpg")] = jpegOf(picture(s, 40+int(s), 50))
	}
	return t
}

func (t tree) write(tb testing.TB) string {
	tb.Helper()
	root := tb.TempDir()
	for name, b := range t {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			tb.Fatal(err)
		}
	}
	return root
}

func open(tb testing.TB, c data.Config) *data.Files {
	tb.Helper()
	c.Name = data.Auto
	f, err := data.OpenFiles(c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

func verify(tb testing.TB, c data.Config, o Options) *Report {
	tb.Helper()
	r, err := Verify(context.Background(), open(tb, c), o)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}
