package tiny

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oneshot/data/source"
	"oneshot/data/source/index"
	"oneshot/data/source/sourcetest"
)

// miniature is two classes; each image holds its own path.
func miniature() map[string]string {
	files := map[string]string{
		"wnids.txt":                    "n02\r\nn01\r\n",
		"words.txt":                    "n01\ttench\nn02\tgoldfish, Carassius\nn03\tother\n",
		"val/val_annotations.txt":      "val_2.JPEG\tn01\t0\t32\t44\t62\nval_10.JPEG\tn02\t0\t0\t1\t1\nval_1.JPEG\tn01\t0\t0\t1\t1\n",
		"train/n01/n01_boxes.txt":      "x",
		"train/n01/images/n01_0.JPEG":  "",
		"train/n01/images/n01_10.JPEG": "",
		"train/n01/images/n01_2.JPEG":  "",
		"train/n02/images/n02_0.JPEG":  "",
		"val/images/val_1.JPEG":        "",
		"val/images/val_2.JPEG":        "",
		"val/images/val_10.JPEG":       "",
		"test/images/test_0.JPEG":      "",
	}
	for name := range files {
		if strings.HasSuffix(name, ".JPEG") {
			files[name] = filepath.Base(name)
		}
	}
	return files
}

func write(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, content := range files {
		p := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func show(t *testing.T, root string) (string, *source.Info) {
	t.Helper()
	s, err := Open(root, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b strings.Builder
	for split, p := range s.Info().Splits {
		fmt.Fprintf(&b, "[%s]", p.Name)
		for i, y := range p.Labels {
			content, err := s.Read(split, i, nil)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, " %d:%s", y, strings.TrimSuffix(string(content), ".JPEG"))
		}
	}
	return b.String(), s.Info()
}

func TestMiniature(t *testing.T) {
	root := write(t, miniature())
	got, in := show(t, root)
	if want := "[train] 0:n01_0 0:n01_10 0:n01_2 1:n02_0[val] 0:val_2 1:val_10 0:val_1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if s := strings.Join(in.Classes, " "); s != "n01 n02" {
		t.Errorf("classes %s", s)
	}
	if len(in.Faults) > 0 || strings.Join(in.Notes, ";") != "test was left out: its images have no labels" {
		t.Errorf("faults %v, notes %v", in.Faults, in.Notes)
	}
	if d := Detect(root) + Detect(filepath.Join(root, "train")); d != "Tiny ImageNet" {
		t.Errorf("detected %q", d)
	}
	sourcetest.Run(t, func() (source.Source, error) { return Open(root, "") })
	old := time.Unix(1e9, 0)
	if err := filepath.WalkDir(root, func(p string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(p, old, old))
	}); err != nil {
		t.Fatal(err)
	}
	cache := index.Cache(t.TempDir())
	sourcetest.Run(t, func() (source.Source, error) { return Open(root, cache) })
	if kept, err := filepath.Glob(filepath.Join(string(cache), "tiny-imagenet-*")); err != nil || len(kept) != 1 {
		t.Errorf("the cache holds %v, %v", kept, err)
	}
	if err := os.WriteFile(filepath.Join(root, annotationsFile), []byte("val_1.JPEG\tn02\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Open(root, cache)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if y := s.Info().Splits[1].Labels; len(y) != 1 || y[0] != 1 {
		t.Errorf("labels %v after other annotations", y)
	}
}

func TestOdd(t *testing.T) {
	files := miniature()
	files["wnids.txt"] = "n01\nn02\nn05\n"
	files["train/n09/images/n09_0.JPEG"] = "x"
	files["val/val_annotations.txt"] = "val_2.JPEG\tn01\n\nval_9.JPEG\tn02\nval_2.JPEG\tn02\nval_10.JPEG\tn77\n"
	root := write(t, files)
	if err := os.Symlink("/etc/passwd", filepath.Join(root, "train/n01/images/l.JPEG")); err != nil {
		t.Fatal(err)
	}
	got, in := show(t, root)
	if want := "[train] 0:n01_0 0:n01_10 0:n01_2 1:n02_0[val] 0:val_2"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var faults []string
	for _, f := range in.Faults {
		faults = append(faults, filepath.Base(f.File)+" "+f.Msg)
	}
	if got, want := strings.Join(faults, "\n"), `l.JPEG is no regular file
val_9.JPEG is missing, and line 3 of val/val_annotations.txt names it
val_2.JPEG is named again by line 4 of val/val_annotations.txt
val_10.JPEG has class n77 by line 5 of val/val_annotations.txt, which wnids.txt does not name
val_1.JPEG is named by no line of val/val_annotations.txt`; got != want {
		t.Errorf("faults\n%s\nwant\n%s", got, want)
	}
	if got, want := strings.Join(in.Notes, "; "), "classes without training images: 1 (n05 the first); train/n09 was left out: wnids.txt does not name it; test was left out: its images have no labels"; got != want {
		t.Errorf("notes %s\nwant %s", got, want)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, file, content, want string }{
		{"no tab", "val/val_annotations.txt", "val_1.JPEG\tn01\r\nval_2.JPEG n01\r\n", `line 2 is "val_2.JPEG n01", want the name of an image, a tab and a wnid`},
		{"a path", "val/val_annotations.txt", "../val_1.JPEG\tn01\n", `line 1 is "../val_1.JPEG\tn01"`},
		{"class a path", "wnids.txt", "n01\n../n02\n", `line 2 is "../n02", want the name of a folder`},
		{"too many classes", "wnids.txt", strings.Repeat("n\n", source.MaxClasses+1), "names more than 1048576 classes"},
		{"class twice", "wnids.txt", "n01\nn01\n", "names a class twice"},
		{"no wnids", "wnids.txt", "-", "wnids.txt: cannot be read"},
		{"no annotations", "val/val_annotations.txt", "-", "val_annotations.txt: cannot be read"},
	} {
		files := miniature()
		files[c.file] = c.content
		if c.content == "-" {
			delete(files, c.file)
		}
		_, err := Open(write(t, files), "")
		var e *source.FileError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func FuzzAnnotations(f *testing.F) {
	f.Add("val_2.JPEG\tn01\t0\t32\t44\t62\r\n\nval_10.JPEG\tn02\n")
	f.Add("val_2.JPEG n01")
	f.Fuzz(func(t *testing.T, text string) {
		lines := len(strings.Split(text, "\n"))
		all, bad := readAnnotations(text)
		if bad > lines {
			t.Fatalf("line %d of %d is wrong", bad, lines)
		}
		for _, a := range all {
			if a.line < 1 || a.line > lines || !isName(a.image) || !isName(a.wnid) {
				t.Fatalf("annotation %+v", a)
			}
		}
	})
}
