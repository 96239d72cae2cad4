package folder

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oneshot/data/source"
	"oneshot/data/source/index"
	"oneshot/data/source/sourcetest"
)

// write makes the files, each with its own path as content, in an order of no meaning.
func write(t *testing.T, root string, paths ...string) {
	t.Helper()
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(len(paths)) {
		p := filepath.Join(root, paths[i])
		if strings.HasSuffix(paths[i], "/") {
			if err := os.MkdirAll(p, 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(paths[i]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func link(t *testing.T, to, at string) {
	t.Helper()
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

// show is a source in a few lines: a split and its records, label and content.
func show(t *testing.T, root string, cache index.Cache) (string, *source.Info) {
	t.Helper()
	s, err := Open(root, cache)
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
			fmt.Fprintf(&b, " %d:%s", y, content)
		}
		b.WriteString("\n")
	}
	return b.String(), s.Info()
}

func TestLayouts(t *testing.T) {
	for _, c := range []struct{ name, files, want, classes, notes string }{
		{"splits", "train/b/2.jpg train/b/10.jpg train/a/1.png val/b/3.jpg test/a/4",
			"[train] 0:train/a/1.png 1:train/b/10.jpg 1:train/b/2.jpg\n[val] 1:val/b/3.jpg\n[test] 0:test/a/4\n", "a b", ""},
		{"classes", "cat/1.jpg dog/2.JPEG README.md LICENSE classes.txt",
			"[] 0:cat/1.jpg 1:dog/2.JPEG\n", "cat dog", ""},
		{"other names", "Validation/a/1.jpg TRAINING/a/2.jpg",
			"[TRAINING] 0:TRAINING/a/2.jpg\n[Validation] 0:Validation/a/1.jpg\n", "a", ""},
		{"class order is of bytes, and the union", "train/b/1 train/B/2 val/_/3 val/é/4",
			"[train] 0:train/B/2 2:train/b/1\n[val] 1:val/_/3 3:val/é/4\n", "B _ b é", ""},
		{"sub-folders, in order of paths", "a/x/1.jpg a/x-1.jpg a/x.jpg a/x/y/0.jpg b/1",
			"[] 0:a/x-1.jpg 0:a/x.jpg 0:a/x/1.jpg 0:a/x/y/0.jpg 1:b/1\n", "a b", ""},
		{"litter and texts", "a/.hidden.jpg a/Thumbs.db a/._1.jpg a/1.jpg a/1.txt a/LICENSE a/licence.png b/__MACOSX/1.jpg b/2.jpg b/meta.JSON .git/x/y.jpg b/.x/1.jpg stray.jpg",
			"[] 0:a/1.jpg 0:a/licence.png 1:b/2.jpg\n", "a b",
			"files that are no images by their extension, left out: 3 (a/1.txt, a/LICENSE, b/meta.JSON); files outside class folders, left out: 1 (stray.jpg)"},
		{"a class of trains", "bus/1.jpg train/2.jpg", "[] 0:bus/1.jpg 1:train/2.jpg\n", "bus train", ""},
		{"folders beside splits", "train/a/1.jpg annotations/a.xml val.tar README.md", "[train] 0:train/a/1.jpg\n", "a", "left out beside the split folders: annotations, val.tar"},
		{"a folder around it", "set-v2/train/a/1.jpg set-v2/README.txt", "[train] 0:set-v2/train/a/1.jpg\n", "a", ""},
		{"test without labels", "train/a/1.jpg test/1.jpg test/2.jpg", "[train] 0:train/a/1.jpg\n", "a", "test was left out: it holds 2 files and no class folders"},
		{"empty splits", "train/a/1.jpg val/ test/", "[train] 0:train/a/1.jpg\n", "a", "val was left out: it is empty; test was left out: it is empty"},
		{"a split called eval", "train/a/1.jpg eval/a/2.jpg", "[train] 0:train/a/1.jpg\n[eval] 0:eval/a/2.jpg\n", "a", ""},
		{"an empty class", "train/a/1.jpg train/b/ val/b/2.jpg", "[train] 0:train/a/1.jpg\n[val] 1:val/b/2.jpg\n", "a b", "class folders without images: 1 (train/b)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, strings.Fields(c.files)...)
			got, in := show(t, root, "")
			if got != c.want {
				t.Errorf("got\n%s want\n%s", got, c.want)
			}
			if s := strings.Join(in.Classes, " "); s != c.classes || !in.Named {
				t.Errorf("classes %s, want %s", s, c.classes)
			}
			if s := strings.Join(in.Notes, "; "); s != c.notes {
				t.Errorf("notes %s, want %s", s, c.notes)
			}
			if len(in.Faults) > 0 {
				t.Errorf("faults %v", in.Faults)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ name, files, want, hint string }{
		{"flat", "1.jpg 2.jpg", "holds 2 files and no class folders", Wanted},
		{"empty", "a.txt", "holds no class folders", Wanted},
		{"flat split", "train/1.jpg val/2.jpg", "train: holds 1 files", Wanted},
		{"empty train", "train/ val/a/1.jpg", "train: holds 0 files", Wanted},
		{"flat val", "train/n01/1.jpg val/2.jpg", "val: holds 1 files and no class folders", "ILSVRC2012_devkit_t12.tar.gz"},
		{"two of a split", "train/a/1 val/a/1 valid/a/2", "holds val and valid, two folders for one split", "give one of them another name"},
		{"no images", "a/1.txt b/2.txt", "holds no images in its class folders", Wanted},
		{"no UTF-8", "a/1.jpg b\xff/2.jpg", `b\xff": is a class name that is no UTF-8`, "rename"},
		{"a line break", "a/1.jpg b\nc/2.jpg", `b\nc": is a class name`, "rename"},
		{"folders in folders", "1/2/3/4/5/6/7.jpg", "lies in folders in folders", Wanted},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			files := strings.Split(c.files, " ")
			write(t, root, files...)
			_, err := Open(root, "")
			var e *source.FileError
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.Contains(e.Hint, c.hint) {
				t.Errorf("%v, want %q", err, c.want)
			} else if !strings.HasPrefix(e.File, root) {
				t.Errorf("error names %s", e.File)
			}
		})
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), "folder_test.go"} {
		var e *source.FileError
		if _, err := Open(path, ""); !errors.As(err, &e) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestReadFaults(t *testing.T) {
	root := t.TempDir()
	write(t, root, "a/\xff\x1b[2J.jpg", "a/closed.jpg", "a/empty.jpg", "a/huge.jpg")
	for name, size := range map[string]int64{"empty": 0, "huge": index.MaxRecord + 1} {
		if err := os.Truncate(filepath.Join(root, "a", name+".jpg"), size); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(root, "a/closed.jpg"), 0); err != nil {
		t.Fatal(err)
	}
	s, err := Open(root, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i, want := range []string{"may not be read", "is empty", "has 268435457 bytes, want at most"} {
		if i == 0 && os.Getuid() == 0 {
			continue // who may read everything
		}
		_, err := s.Read(0, i, nil)
		var fault *source.Fault
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), want) {
			t.Errorf("record %d: %v, want a Fault %q", i, err, want)
		}
	}
	if b, err := s.Read(0, 3, nil); err != nil || string(b) != "a/\xff\x1b[2J.jpg" {
		t.Errorf("a name of other bytes: %q, %v", b, err)
	}
	if got := s.Where(0, 3).String(); !strings.HasSuffix(got, `/a/\xff\x1b[2J.jpg"`) {
		t.Errorf("it is shown as %s", got)
	}
}

func TestUnreadableFolder(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read every folder")
	}
	root := t.TempDir()
	write(t, root, "a/1.jpg", "b/2.jpg")
	if err := os.Chmod(filepath.Join(root, "b"), 0); err != nil {
		t.Fatal(err)
	}
	_, err := Open(root, "")
	var e *source.FileError
	if !errors.As(err, &e) || e.File != filepath.Join(root, "b") {
		t.Errorf("%v, want an error naming b", err)
	}
	if err := os.Chmod(filepath.Join(root, "b"), 0o755); err != nil { // or it cannot be removed
		t.Fatal(err)
	}
}

func TestManyClassesAndDeep(t *testing.T) {
	root := t.TempDir()
	var paths []string
	for i := range 500 {
		paths = append(paths, fmt.Sprintf("train/%04d/1", i))
	}
	deep := "train/0000/" + strings.Repeat("d/", 500) + "1"
	write(t, root, append(paths, deep)...)
	s, err := Open(root, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in := s.Info()
	if len(in.Classes) != 500 || len(in.Splits[0].Labels) != 501 || in.Splits[0].Labels[500] != 499 {
		t.Errorf("%d classes, %d records", len(in.Classes), len(in.Splits[0].Labels))
	}
	if b, err := s.Read(0, 1, nil); err != nil || string(b) != deep {
		t.Errorf("500 folders deep: %q, %v", b, err)
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct{ files, want string }{
		{"train/a/1.jpg val/a/1.jpg", "split folders of class folders"},
		{"a/x/1.PNG b/2.jpg", "class folders"},
		{"1.jpg", ""}, {"data/train.parquet", ""}, {"train/1.tar", ""}, {"a.txt", ""},
	} {
		root := t.TempDir()
		write(t, root, strings.Fields(c.files)...)
		if got := Detect(root); got != c.want {
			t.Errorf("%s: %q, want %q", c.files, got, c.want)
		}
	}
	// Files whose names say nothing are looked into.
	for content, want := range map[string]string{"\xff\xd8\xff\xe0 and more of it": "class folders", "\x89PNG\r\n\x1a\n and more": "class folders",
		"a text about the set": "", "GIF": ""} {
		root := t.TempDir()
		write(t, root, "a/0", "b/1")
		if err := os.WriteFile(filepath.Join(root, "a/1"), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := Detect(root); got != want {
			t.Errorf("%q: %q, want %q", content, got, want)
		}
	}
	if got := Detect("nothing"); got != "" {
		t.Errorf("no folder: %q", got)
	}
}

func TestSource(t *testing.T) {
	root, cache := t.TempDir(), index.Cache(t.TempDir())
	write(t, root, "train/b/2.jpg", "train/b/10.jpg", "train/a/1.png", "val/b/3.jpg", "val/x.txt", "train/a/e.jpg")
	if err := os.Truncate(filepath.Join(root, "train/a/e.jpg"), 0); err != nil {
		t.Fatal(err)
	}
	sourcetest.Run(t, func() (source.Source, error) { return Open(root, "") })
	age(t, root)
	sourcetest.Run(t, func() (source.Source, error) { return Open(root, cache) })
}

// age makes everything in root older than the granule of file times.
func age(t *testing.T, root string) {
	t.Helper()
	old := time.Unix(1e9, 0)
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.Type()&os.ModeSymlink == 0 {
			err = os.Chtimes(p, old, old)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The list is kept beside the data, used while it is true, and nothing is written to the data.
func TestIndex(t *testing.T) {
	root, cache := t.TempDir(), index.Cache(t.TempDir())
	write(t, root, "train/a/1.jpg", "train/b/2.jpg", "x.txt")
	age(t, root)
	first, in := show(t, root, cache)
	kept, err := filepath.Glob(filepath.Join(string(cache), "*"))
	if err != nil || len(kept) != 1 || !strings.HasPrefix(filepath.Base(kept[0]), "folder-") {
		t.Fatalf("the cache holds %v, %v", kept, err)
	}
	// A list that is believed says what was there: a new file whose folder's time is put back.
	write(t, root, "train/b/3.jpg")
	age(t, root)
	if again, in2 := show(t, root, cache); again != first || in2.About != in.About {
		t.Errorf("from the list\n%s want\n%s", again, first)
	}
	// With the folder's new time it is listed again.
	if err := os.Chtimes(filepath.Join(root, "train/b"), time.Unix(1e9, 0), time.Unix(1e9, 1)); err != nil {
		t.Fatal(err)
	}
	if again, _ := show(t, root, cache); again != strings.Replace(first, "2.jpg", "2.jpg 1:train/b/3.jpg", 1) {
		t.Errorf("listed again\n%s", again)
	}
	// An image rewritten in place: the error says which list to remove.
	age(t, root)
	show(t, root, cache)
	if err := os.WriteFile(filepath.Join(root, "train/a/1.jpg"), []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	s2, err := Open(root, cache)
	if err != nil {
		t.Fatal(err)
	}
	defer s2.Close()
	_, err = s2.Read(0, 0, nil)
	var changed *index.ChangedError
	if !errors.As(err, &changed) || !strings.Contains(changed.Hint(), kept[0]) {
		t.Errorf("%v, want a ChangedError whose hint names %s", err, kept[0])
	}
	if err := os.Remove(kept[0]); err != nil {
		t.Fatal(err)
	}
	show(t, root, cache)
}
