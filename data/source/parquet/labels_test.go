package parquet

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pq "github.com/parquet-go/parquet-go"

	"oneshot/data/source"
)

type textRow struct {
	Image file   `parquet:"image"`
	Label string `parquet:"label,dict"`
}

func TestTextLabels(t *testing.T) {
	dir := t.TempDir()
	words := []string{"dog", "cat", "dog", "zebra"}
	var rows []textRow
	for i, w := range words {
		rows = append(rows, textRow{file{imageBytes(i), ""}, w})
	}
	write(t, filepath.Join(dir, "train.parquet"), rows[:3])
	write(t, filepath.Join(dir, "test.parquet"), rows[3:])
	in := open(t, dir, Options{}).Info()
	if !slices.Equal(in.Classes, []string{"cat", "dog", "zebra"}) || !in.Named ||
		!slices.Equal(in.Splits[0].Labels, []int32{1, 0, 1}) || !slices.Equal(in.Splits[1].Labels, []int32{2}) {
		t.Errorf("%+v", in)
	}
}

func TestNamesBeside(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "data", "train.parquet"), records(0, 10))
	for _, at := range []string{"", "data"} {
		name := filepath.Join(dir, at, "classes.txt")
		if err := os.WriteFile(name, []byte("one\ntwo\r\nthree words here\nfour\nfive\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		in := open(t, dir, Options{}).Info()
		if !in.Named || !slices.Equal(in.Classes, []string{"one", "two", "three words here", "four", "five"}) {
			t.Errorf("classes %q", in.Classes)
		}
		if err := os.WriteFile(name, []byte("one\ntwo\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "want 0 to 1") {
			t.Errorf("two names: %v", err)
		}
		for text, want := range map[string]string{"a\na\nc\nd\ne": "", "a\nb\x1b[2J\nc\nd\ne": "name 2 of a class is", "": "names no class",
			strings.Repeat("x", 1<<24) + "\n": "has 16777217 bytes"} {
			if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			s, err := Open(dir, Options{})
			if want != "" {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%.20q: %v, want %q", text, err, want)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if in := s.Info(); in.Classes[1] != "a (1)" || len(in.Notes) != 1 {
				t.Errorf("%+v", in)
			}
			s.Close()
		}
		// Names that cannot be read are no numbers.
		if err := errors.Join(os.Remove(name), os.Mkdir(name, 0o755)); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
			t.Errorf("a folder called classes.txt: %v", err)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNamesInside: names of the metadata and of text labels are checked as others are.
func TestNamesInside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.parquet")
	for _, c := range []struct{ b, want string }{{"a", "a (1)"}, {"\\u001b[2J", ""}, {"", ""}} {
		write(t, path, records(0, 10), pq.KeyValueMetadata("huggingface", strings.Replace(notes, `"b"`, `"`+strings.ReplaceAll(c.b, `\\`, `\`)+`"`, 1)))
		s, err := Open(path, Options{})
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), "name 2 of a class is") {
				t.Errorf("%q: %v", c.b, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if in := s.Info(); in.Classes[1] != c.want || len(in.Notes) != 1 {
			t.Errorf("%+v", in)
		}
		s.Close()
	}
	write(t, path, []textRow{{file{imageBytes(1), ""}, "a\nb"}})
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), `text "a\nb"`) {
		t.Errorf("a label of two lines: %v", err)
	}
}

// TestWithoutLabelOrBytes: rows without a label are left out, and a row without bytes is a fault.
func TestWithoutLabelOrBytes(t *testing.T) {
	dir := t.TempDir()
	rows := records(0, 20)
	secret := int64(-1)
	rows[3].Label, rows[11].Label = nil, &secret
	rows[5].Image.Bytes, rows[6].Image = nil, nil
	var tests []row
	for i := range 5 {
		tests = append(tests, row{&file{imageBytes(i), ""}, &secret})
	}
	for _, version := range []int{1, 2} {
		write(t, filepath.Join(dir, "train.parquet"), rows, pq.DataPageVersion(version), pq.PageBufferSize(700))
		write(t, filepath.Join(dir, "test.parquet"), tests, pq.DataPageVersion(version))
		s := open(t, dir, Options{})
		in := s.Info()
		if len(in.Splits) != 1 || len(in.Splits[0].Labels) != 18 || len(in.Splits[0].Sizes) != 18 || len(in.Notes) != 2 ||
			!strings.Contains(in.Notes[0], "train.parquet: 2 of 20 rows have no label") || !strings.Contains(in.Notes[1], "5 of 5 rows") {
			t.Fatalf("%+v", in)
		}
		row, broken := 0, 0
		for r := range 18 {
			for row == 3 || row == 11 {
				row++
			}
			b, err := s.Read(0, r, nil)
			if row == 5 || row == 6 {
				var f *source.Fault
				if !errors.As(err, &f) || f.Msg != "has no bytes in the file" || f.Member != "row "+string(rune('0'+row)) {
					t.Errorf("record %d: %v", r, err)
				}
				broken++
			} else if err != nil || !bytes.Equal(b, imageBytes(row)) || int64(in.Splits[0].Labels[r]) != labelOf(row) {
				t.Errorf("record %d: %v", r, err)
			}
			row++
		}
		if broken != 2 || row != 20 {
			t.Errorf("%d rows, %d without bytes", row, broken)
		}
	}
}

// TestColumns: what is no set of labelled images is refused, and its columns are named.
func TestColumns(t *testing.T) {
	type one struct {
		Text  string `parquet:"text"`
		Label int64  `parquet:"label"`
	}
	type two struct {
		A, B  []byte
		Label int64 `parquet:"label"`
	}
	type three struct {
		Image []byte `parquet:"image"`
		X, Y  int64
	}
	type four struct {
		Images []file `parquet:"image,list"`
		Label  int64  `parquet:"label"`
	}
	type five struct {
		Image []byte  `parquet:"image"`
		Score float64 `parquet:"label"`
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "1.parquet"), []one{{"a", 1}})
	write(t, filepath.Join(dir, "2.parquet"), []two{{[]byte("a"), []byte("b"), 1}})
	write(t, filepath.Join(dir, "3.parquet"), []three{{[]byte("a"), 1, 0}})
	write(t, filepath.Join(dir, "4.parquet"), []four{{[]file{{[]byte("a"), ""}}, 1}})
	write(t, filepath.Join(dir, "5.parquet"), []five{{[]byte("a"), 1}})
	for _, c := range []struct {
		name string
		opts Options
		want string
	}{
		{"1", Options{}, "no column of images (struct of bytes and path, or binary) is named image, img, and none is the only one; columns are text, label"},
		{"2", Options{}, "columns are A, B, label"},
		{"2", Options{Image: "C"}, "no column of images (struct of bytes and path, or binary) is named C; columns are A, B, label"},
		{"2", Options{Image: "B"}, ""},
		{"3", Options{}, "no column of labels (whole numbers or text) is named label"},
		{"3", Options{Label: "X"}, ""},
		{"4", Options{}, "columns are image.list.element.bytes"},
		{"5", Options{}, "columns are image, label"},
	} {
		path := filepath.Join(dir, c.name+".parquet")
		s, err := Open(path, c.opts)
		if err == nil {
			s.Close()
		}
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path)) {
			t.Errorf("%s %+v: %v", c.name, c.opts, err)
		}
	}
	// Files of one set must agree.
	both := t.TempDir()
	write(t, filepath.Join(both, "train.parquet"), records(0, 3), pq.KeyValueMetadata("huggingface", notes))
	write(t, filepath.Join(both, "test.parquet"), records(0, 3))
	if _, err := Open(both, Options{}); err == nil || !strings.Contains(err.Error(), "other names") {
		t.Errorf("other names: %v", err)
	}
}
