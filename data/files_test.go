package data

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"oneshot/data/source"
)

// picture is one of many: a slope of colour with a hard-edged block, another for every n.
func picture(n, w, h int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{uint8(n*37 + x*200/w), uint8(n*91 + y*200/h), uint8(n*53 + (x+y)*3), 255}
			if (x*5/w+y*5/h+n)%4 == 0 {
				c.R, c.G = 255-c.R, c.B
			}
			m.SetRGBA(x, y, c)
		}
	}
	return m
}

// encoded is an image file: "png" or "jpg".
func encoded(t testing.TB, ext string, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if ext == "png" {
		err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, m)
	} else {
		err = jpeg.Encode(&b, m, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeFile(t testing.TB, b []byte, path ...string) string {
	t.Helper()
	p := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// classNames are those of the folders that tests write.
var classNames = []string{"ant", "bee", "cat", "dog", "elk"}

// writeClasses writes counts[c] pictures of w x h pixels, PNG and JPEG in turn, to a folder
// for each class. Pictures of other splits are others.
func writeClasses(t testing.TB, dir, split string, w, h int, counts ...int) {
	t.Helper()
	n := 1000 * len(split)
	for c, count := range counts {
		for i := range count {
			ext := []string{"png", "jpg"}[i%2]
			writeFile(t, encoded(t, ext, picture(n, w, h)), dir, split, classNames[c], fmt.Sprintf("%03d.%s", i, ext))
			n++
		}
	}
}

// opened opens a folder; edit, if not nil, changes how.
func opened(t testing.TB, dir string, edit func(*Config)) *Dataset {
	t.Helper()
	d, err := openedOr(dir, edit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func openedOr(dir string, edit func(*Config)) (*Dataset, error) {
	c := Default(Auto)
	c.Dir, c.Seed, c.Decoder = dir, 5, "go"
	if edit != nil {
		edit(&c)
	}
	return Open(c)
}

// fake is a source that a test makes up.
type fake struct {
	info source.Info
	read func(split, record int, buf []byte) ([]byte, error)
}

func (f *fake) Info() *source.Info { return &f.info }
func (f *fake) Read(split, record int, buf []byte) ([]byte, error) {
	return f.read(split, record, buf)
}
func (f *fake) Where(split, record int) source.Place {
	return source.Place{File: "fake", Offset: int64(record), Member: fmt.Sprintf("%s/%d", f.info.Splits[split].Name, record)}
}
func (f *fake) Close() error { return nil }

// newFake has splits of so many records, whose labels take turns, and no pixels yet.
func newFake(classes int, splits map[string]int) *fake {
	f := &fake{info: source.Info{Format: "fake", About: "made up", Classes: slices.Clone(classNames[:classes]), Named: true}}
	for name, n := range splits {
		s := source.Split{Name: name, Labels: make([]int32, n), Sizes: make([]int64, n)}
		for i := range n {
			s.Labels[i], s.Sizes[i] = int32(i%classes), 1
		}
		f.info.Splits = append(f.info.Splits, s)
	}
	slices.SortFunc(f.info.Splits, func(a, b source.Split) int { return cmp.Compare(a.Name, b.Name) })
	return f
}

// raw makes the records plain pixels of side x side, each of one colour that tells the
// record, and all but black.
func (f *fake) raw(side int) *fake {
	f.info.Raw = &source.Raw{Height: side, Width: side, Channels: 3}
	f.read = func(split, record int, buf []byte) ([]byte, error) {
		n := side * side * 3
		buf = slices.Grow(buf[:0], n)[:n]
		for i := 0; i < n; i += 3 {
			buf[i], buf[i+1], buf[i+2] = byte(record), byte(record>>8), byte(100+split)
		}
		return buf, nil
	}
	return f
}

// dir makes Open find the source in a folder.
func (f *fake) dir(t testing.TB) string {
	dir := t.TempDir()
	before := formats
	formats = append([]format{{"fake",
		func(path string) string {
			if path == dir {
				return "made up"
			}
			return ""
		},
		func(string, Config) (source.Source, error) { return f, nil }}}, formats...)
	t.Cleanup(func() { formats = before })
	return dir
}

// copies returns all batches of a sequence.
func copies(t testing.TB, seq func(func(*Batch) bool)) (out []Batch) {
	t.Helper()
	for b := range seq {
		if b.Err != nil {
			t.Fatal(b.Err)
		}
		out = append(out, Batch{X: slices.Clone(b.X), Y: slices.Clone(b.Y), N: b.N})
	}
	return out
}

// members are the records that a split holds, as "split/record".
func members(d *Dataset, s *split) (out []string) {
	for _, i := range s.idx {
		r := s.img.refs[i]
		out = append(out, fmt.Sprintf("%s/%d", d.src.Info().Splits[r.split].Name, r.record))
	}
	return out
}

// allMembers are those of train, search and test.
func allMembers(d *Dataset) [3][]string {
	return [3][]string{members(d, &d.Train.train), members(d, &d.Search.search), members(d, &d.Test.test)}
}
