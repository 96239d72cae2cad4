package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/data/decode"
)

var update = flag.Bool("update", false, "write the golden files")

// good has two classes, a training and a validation split, and nothing wrong.
func good() tree {
	return tree{}.add("train/cat", 1, 2, 3).add("train/dog", 4, 5, 6).add("val/cat", 7).add("val/dog", 8)
}

// kinds lists findings: "bad-records 2 [cat dog]".
func kinds(all []Finding) string {
	var out []string
	for _, f := range all {
		s := fmt.Sprintf("%s %d", f.Kind, f.Count)
		if f.Split != "" {
			s += " " + f.Split
		}
		if len(f.Classes) > 0 {
			s += fmt.Sprint(" ", f.Classes)
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

func TestVerify(t *testing.T) {
	photo := jpegOf(picture(30, 200, 150))
	for name, c := range map[string]struct {
		change             func(tree)
		config             data.Config
		problems, warnings string
		text               []string // parts of the text for people
	}{
		"nothing": {change: func(tree) {}, text: []string{"decoded  all 8", "8 JPEG\n", "nothing is wrong"}},
		"truncated": {
			change:   func(f tree) { f["train/cat/b.jpg"] = photo[:len(photo)/2]; f["val/dog/x.jpg"] = []byte("text") },
			problems: "bad-records 2",
			text: []string{"decoded  7 of 9", "bad      train/cat/b.jpg: offset " + fmt.Sprint(len(photo)/2) + ": is truncated",
				"val/dog/x.jpg: is no image"},
		},
		"tolerated": {
			change: func(f tree) { f["train/cat/b.jpg"] = nil }, config: data.Config{OnBadSample: "skip:1"},
			warnings: "bad-records 1", text: []string{"train/cat/b.jpg: is empty"},
		},
		"one too many": {
			change: func(f tree) { f["train/cat/b.jpg"], f["train/cat/c.jpg"] = nil, nil }, config: data.Config{OnBadSample: "skip:1"},
			problems: "bad-records 2",
		},
		"no validation images": {
			change:   func(f tree) { delete(f, "val/dog/i.jpg") },
			warnings: "class-missing-in-split 1 val [dog]", text: []string{"no images of class dog in val"},
		},
		"no training images": {
			change: func(f tree) {
				f["val/fox/a.jpg"], f["val/owl/a.jpg"] = jpegOf(picture(40, 9, 9)), jpegOf(picture(41, 9, 9))
			},
			problems: "class-without-training-images 2 train [fox owl]",
			text:     []string{"problem  no training images of 2 classes: fox, owl"},
		},
		"only bad training images": {
			change: func(f tree) {
				for _, n := range []string{"b", "c", "d"} {
					f["train/cat/"+n+".jpg"] = []byte("no")
				}
			},
			config:   data.Config{OnBadSample: "skip:9"},
			problems: "class-without-training-images 1 train [cat]", warnings: "bad-records 3",
		},
		"uneven": {
			change: func(f tree) {
				for i := range 27 {
					f[fmt.Sprintf("train/cat/%d.jpg", i)] = jpegOf(picture(uint64(100+i), 8, 8))
				}
			},
			warnings: "classes-uneven 2 train [cat dog]", text: []string{"cat has 30 training images, dog has 3"},
		},
		"twins": {
			change: func(f tree) {
				f["train/cat/x.jpg"], f["train/cat/y.jpg"] = photo, photo                                           // within
				f["train/dog/x.jpg"], f["val/cat/x.jpg"] = jpegOf(picture(31, 99, 99)), jpegOf(picture(31, 99, 99)) // across, two classes
			},
			warnings: "duplicates-across-splits 1; duplicates-with-different-classes 1; duplicates-within-split 1 train",
			text:     []string{"train/dog/x.jpg = val/cat/x.jpg", "train/cat/x.jpg = train/cat/y.jpg"},
		},
		"kinds": {
			change: func(f tree) {
				f["train/cat/grey.jpg"] = jpegOf(grey(picture(32, 70, 60)))
				f["train/cat/is-a-png.jpg"] = pngOf(picture(33, 90, 30))
				f["train/cat/turned.jpg"] = turned(jpegOf(picture(34, 300, 20)), 6)
			},
			text: []string{"10 JPEG, 1 PNG, 1 grey, 1 turned by EXIF", "width 20 to 90", "height 30 to 300"},
		},
		"splits of no role": {
			change: func(f tree) {
				for name, b := range f {
					f[strings.Replace(name, "train/", "test/", 1)] = b
				}
				maps.DeleteFunc(f, func(name string, _ []byte) bool { return strings.HasPrefix(name, "train/") })
			},
			problems: "splits-without-roles 1", text: []string{"decoded  all 8", "problem  no split is called train; there are: val, test"},
		},
		"unfit": {
			change: func(f tree) {
				clear(f)
				f["cat/a.jpg"], f["dog/a.jpg"] = jpegOf(picture(1, 9, 9)), jpegOf(picture(2, 9, 9))
			},
			problems: "unfit 1",
		},
	} {
		t.Run(name, func(t *testing.T) {
			files := good()
			c.change(files)
			// The seed holds an image out for the search that no case breaks: it is the only one.
			c.config.Dir, c.config.Seed = files.write(t), 4
			r := verify(t, c.config, Options{})
			if got := kinds(r.Problems); got != c.problems {
				t.Errorf("problems: %s, want %s", got, c.problems)
			}
			if got := kinds(r.Warnings); got != c.warnings {
				t.Errorf("warnings: %s, want %s", got, c.warnings)
			}
			if r.OK != (c.problems == "") {
				t.Errorf("OK is %v", r.OK)
			}
			if c.problems == "" && (r.SHA256 == "" || !strings.Contains(r.Provenance, r.SHA256[:12])) {
				t.Errorf("no checksum: %q, %q", r.SHA256, r.Provenance)
			}
			var b bytes.Buffer
			r.Text(&b)
			text := strings.ReplaceAll(b.String(), c.config.Dir, "ROOT")
			for _, want := range c.text {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in:\n%s", want, text)
				}
			}
		})
	}
}

// The checksum is what a run says, of photographs and of small images of one size.
func TestIdentity(t *testing.T) {
	small := tree{}
	for i := range 8 {
		small[fmt.Sprintf("%d/%d.png", i%2, i)] = pngOf(picture(uint64(i), 32, 32))
	}
	for _, files := range []tree{good(), small} {
		c := data.Config{Name: data.Auto, Dir: files.write(t)}
		d, err := data.Open(c)
		if err != nil {
			t.Fatal(err)
		}
		if r := verify(t, c, Options{}); r.SHA256 != d.SHA256 || r.Provenance != d.Provenance || r.Roles != d.Roles {
			t.Errorf("%s, %s, %s; want %s, %s, %s", r.SHA256, r.Provenance, r.Roles, d.SHA256, d.Provenance, d.Roles)
		}
		d.Close()
	}
}

// Hundreds of classes are not listed one by one.
func TestManyClasses(t *testing.T) {
	c := Collection{}
	s := Split{Name: "train"}
	for i := range mostClasses + 1 {
		c.Classes, s.ByClass = append(c.Classes, fmt.Sprint("class", i)), append(s.ByClass, 7+i)
	}
	c.Splits = []Split{s}
	var b bytes.Buffer
	c.table(&b)
	if want := "                 train\n         least       7\n         most       47\n         all      1107\n"; b.String() != want {
		t.Errorf("%s, want\n%s", &b, want)
	}
}

// The report of a run that was stopped would be wrong, so there is none.
func TestVerifyStopped(t *testing.T) {
	cause := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(context.Background())
	f := open(t, data.Config{Dir: good().write(t)})
	o := Options{Workers: 1, Progress: func(done, all int) {
		if done == 3 {
			cancel(cause)
		}
	}}
	if r, err := Verify(ctx, f, o); r != nil || !errors.Is(err, cause) {
		t.Errorf("%v, %v", r, err)
	}
}

func TestAnyNumberOfWorkers(t *testing.T) {
	files := good()
	for i := range 40 {
		m := picture(uint64(i%15), 80, 70)
		files[fmt.Sprintf("train/cat/%d", i)] = jpegOf(m)
		files[fmt.Sprintf("val/dog/%d", i)] = pngOf(m)
		if i%7 == 0 {
			files[fmt.Sprintf("val/cat/%d", i)] = []byte("no image")
		}
	}
	dir := files.write(t)
	one, eight := verify(t, data.Config{Dir: dir}, Options{Workers: 1}), verify(t, data.Config{Dir: dir}, Options{Workers: 8})
	if !reflect.DeepEqual(one, eight) {
		t.Errorf("1 worker: %+v\n8 workers: %+v", one, eight)
	}
	// 15 pictures as JPEG, most of them 3 times, and the same 15 as PNG, whose pixels differ.
	if d := one.Duplicates; d.Pictures != 30 || d.Records != 80 || d.Within != 30 || d.Across != 0 || len(one.Bad) != 6 {
		t.Errorf("%d bad records, duplicates %+v", len(one.Bad), d)
	}
}

// A picture that was saved again without loss is the same picture.
func TestTwinsInOtherFormats(t *testing.T) {
	for _, decoder := range []string{decode.Auto, decode.Go} {
		for _, original := range [][]byte{jpegOf(picture(3, 211, 163)), jpegOf(grey(picture(3, 211, 163))), turned(jpegOf(picture(3, 211, 163)), 3)} {
			d, err := decode.New(decoder)
			if err != nil {
				t.Fatal(err)
			}
			m, err := d.Decode(original)
			if err != nil {
				t.Fatal(err)
			}
			again := picture(0, m.W, m.H)
			for i, v := range m.RGB(nil) {
				again.Pix[i/3*4+i%3] = v
			}
			d.Close()
			files := good()
			files["train/cat/one.jpg"], files["val/cat/two.png"] = original, pngOf(again)
			again.Pix[4*211*100] ^= 1 // a pixel of no band
			files["val/cat/three.png"] = pngOf(again)
			r := verify(t, data.Config{Dir: files.write(t), Decoder: decoder}, Options{})
			if g := r.Duplicates.Groups; len(g) != 1 || g[0].Count != 2 || !g[0].Across || filepath.Base(g[0].Records[1].File) != "two.png" {
				t.Errorf("%s: %+v", decoder, r.Duplicates)
			}
		}
	}
}

// Rows that are converted alone are those of the whole image.
func TestFingerprintRows(t *testing.T) {
	r := func(n int) []uint8 {
		b := make([]uint8, n)
		for i := range b {
			b[i] = uint8(i * i * 7 >> 3)
		}
		return b
	}
	seen := 0
	for _, size := range [][2]int{{33, 5}, {34, 64}, {35, 7}, {64, 65}, {97, 31}} {
		h, w := size[0], size[1]
		images := []decode.Image{{H: h, W: w, Pix: r(3 * h * w)}, {H: h, W: w, Pix: r(h * w), Grey: true}}
		for _, sub := range [][2]int{{1, 1}, {1, 2}, {2, 1}, {2, 2}} {
			ch, cw := (h+sub[0]-1)/sub[0], (w+sub[1]-1)/sub[1]
			images = append(images, decode.Image{H: h, W: w, Y: r(h * (w + 3)), YStride: w + 3,
				Cb: r(ch * (cw + 1)), Cr: r(ch*(cw+1) + 9)[9:], CStride: cw + 1, SubY: sub[0], SubX: sub[1]})
		}
		for i, m := range images {
			whole := m.RGB(nil)
			for y := 0; y+bandRows <= h; y += 2 {
				seen++
				var s hasher
				if rows := s.appendRows(nil, &m, y, bandRows); !bytes.Equal(rows, whole[3*w*y:][:3*w*bandRows]) {
					t.Errorf("image %d of %dx%d: row %d differs", i, h, w, y)
				}
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d rows", seen)
	}
}

// The names of JSON are part of the interface.
func TestJSONSchema(t *testing.T) {
	files := good()
	files["train/cat/x.jpg"] = []byte("no")
	files["train/cat/y.jpg"] = files["val/cat/h.jpg"]
	dir := files.write(t)
	s, err := Survey(context.Background(), open(t, data.Config{Dir: dir}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"verify": verify(t, data.Config{Dir: dir}, Options{}), "stats": s} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var any any
		if err := json.Unmarshal(b, &any); err != nil {
			t.Fatal(err)
		}
		paths := map[string]bool{}
		schema("", any, paths)
		got := strings.Join(slices.Sorted(maps.Keys(paths)), "\n") + "\n"
		golden := filepath.Join("testdata", name+".schema")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || got != string(want) {
			t.Errorf("%s (%v) has:\n%swant:\n%s", name, err, got, want)
		}
	}
}

// schema lists the paths of a JSON value and their types.
func schema(path string, v any, into map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			schema(path+"."+k, e, into)
		}
	case []any:
		for _, e := range v {
			schema(path+"[]", e, into)
		}
		if len(v) == 0 {
			into[path+"[]"] = true
		}
	default:
		into[fmt.Sprintf("%s %T", path, v)] = true
	}
}
