package prepare

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"oneshot/data"
)

// slope is a picture whose colours change slowly, so that it survives JPEG.
func slope(seed, w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetRGBA(x, y, color.RGBA{uint8(200 * x / w), uint8(200 * y / h), uint8(25 * seed), 255})
		}
	}
	return m
}

func encoded(t testing.TB, format string, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	err := error(nil)
	if format == "png" {
		err = png.Encode(&b, m)
	} else {
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// turned gives a JPEG file an EXIF orientation.
func turned(b []byte, orientation byte) []byte {
	exif := append([]byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00"), orientation, 0, 0, 0, 0, 0, 0, 0)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+len(exif)))
	return append(append(append([]byte{0xff, 0xd8}, segment...), exif...), b[2:]...)
}

func write(t testing.TB, files map[string][]byte) string {
	t.Helper()
	root := t.TempDir()
	for name, b := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// sample is a collection with every kind of image that matters here, in the order of the records.
func sample(t testing.TB) (root string, files map[string][]byte) {
	gray := image.NewGray(image.Rect(0, 0, 90, 70))
	for i := range gray.Pix {
		gray.Pix[i] = uint8(i % 90 * 2)
	}
	files = map[string][]byte{
		"train/cat/0-large.jpg": encoded(t, "jpeg", slope(1, 120, 80)),
		"train/cat/1-small.jpg": encoded(t, "jpeg", slope(2, 40, 32)),
		"train/cat/2-grey.jpg":  encoded(t, "jpeg", gray),
		"train/dog/0.png":       encoded(t, "png", slope(3, 64, 128)),
		"train/dog/1-small.png": encoded(t, "png", slope(4, 30, 20)),
		"train/dog/2-turned":    turned(encoded(t, "jpeg", slope(5, 100, 50)), 6),
		"train/dog/3-turned":    turned(encoded(t, "jpeg", slope(6, 31, 30)), 6),
		"valid/cat/a.jpg":       encoded(t, "jpeg", slope(7, 50, 60)),
		"valid/dog/a.jpg":       encoded(t, "jpeg", slope(8, 60, 50)),
	}
	return write(t, files), files
}

func open(t testing.TB, c data.Config) *data.Files {
	t.Helper()
	c.Name = data.Auto
	f, err := data.OpenFiles(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func options() Options { return Options{Size: 32, Quality: 90, ShardSize: 100} }

// contents are the files of a folder.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

// members are those of tar files one after the other, and their names in order.
func members(t testing.TB, dir string, shards ...string) (names []string, files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{}
	for _, shard := range shards {
		f, err := os.Open(filepath.Join(dir, shard))
		if err != nil {
			t.Fatal(err)
		}
		for r := tar.NewReader(f); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Mode != 0o644 || h.ModTime.Unix() != 0 || h.Uid|h.Gid != 0 || h.Uname+h.Gname != "" {
				t.Errorf("%s: header %+v", h.Name, h)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			names, files[h.Name] = append(names, h.Name), b
		}
		f.Close()
	}
	return names, files
}
