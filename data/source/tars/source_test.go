package tars

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"oneshot/data/source"
	"oneshot/data/source/folder"
	"oneshot/data/source/index"
	"oneshot/data/source/sourcetest"
)

// age makes files older than the granule of file times, so that their list is kept.
func age(t *testing.T, root string) {
	t.Helper()
	old := time.Unix(1e9, 0)
	if err := filepath.WalkDir(root, func(p string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(p, old, old))
	}); err != nil {
		t.Fatal(err)
	}
}

func TestSource(t *testing.T) {
	root, cache := t.TempDir(), index.Cache(t.TempDir())
	files(t, root, map[string]string{"x.tar": "a.jpg=AAAA a.cls=0 b.jpg=EMPTY b.cls=1", "photos.tar": "b/1.jpg a/2.jpg a/1.jpg"})
	for _, name := range []string{"x.tar", "photos.tar"} {
		p := filepath.Join(root, name)
		sourcetest.Run(t, func() (source.Source, error) { return Open(p, "") })
		age(t, root)
		sourcetest.Run(t, func() (source.Source, error) { return Open(p, cache) })
	}
	if kept, err := filepath.Glob(filepath.Join(string(cache), "*")); err != nil || len(kept) != 2 {
		t.Errorf("the cache holds %v, %v", kept, err)
	}
	// The names of classes that come later are noticed.
	if err := os.WriteFile(filepath.Join(root, "classes.txt"), []byte("cat\ndog\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := Open(filepath.Join(root, "x.tar"), cache)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := strings.Join(s.Info().Classes, " "); got != "cat dog" {
		t.Errorf("classes %s", got)
	}
}

// A source of many archives reads all of them with few open.
func TestFewOpen(t *testing.T) {
	root := t.TempDir()
	list := map[string]string{}
	for i := range 30 {
		list[fmt.Sprintf("s-%03d.tar", i)] = fmt.Sprintf("a.jpg=A%d a.cls=0 b.jpg=B%d b.cls=1", i, i)
	}
	files(t, root, list)
	sh, err := find(root)
	if err != nil {
		t.Fatal(err)
	}
	sourcetest.Run(t, func() (source.Source, error) {
		l, err := scan(root, sh)
		if err != nil {
			return nil, err
		}
		return newSource(l, root, 3)
	})
}

// Of an error there is no source.
func TestNoSource(t *testing.T) {
	l := &index.Listing{Files: []string{"a.tar"}}
	if s, err := NewSource(l, "."); s != nil || err == nil {
		t.Errorf("source %v, %v", s, err)
	}
}

// Tar files that come into a split folder that was empty are noticed.
func TestEmptySplitFolder(t *testing.T) {
	root, cache := t.TempDir(), index.Cache(t.TempDir())
	files(t, root, map[string]string{"train/0.tar": "a.jpg=A a.cls=0"})
	if err := os.Mkdir(filepath.Join(root, "val"), 0o755); err != nil {
		t.Fatal(err)
	}
	age(t, root)
	for _, want := range []int{1, 2} {
		s, err := Open(root, cache)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(s.Info().Splits); got != want {
			t.Errorf("%d splits, want %d", got, want)
		}
		s.Close()
		files(t, root, map[string]string{"val/0.tar": "b.jpg=B b.cls=0"})
	}
}

// A tar file is not read twice, by a link or in another split.
func TestLinkedTwice(t *testing.T) {
	for _, at := range []string{"train/1.tar", "val/0.tar"} {
		root := t.TempDir()
		files(t, root, map[string]string{"train/0.tar": "a.jpg=A a.cls=0", "val/x.txt": ""})
		if err := os.Symlink(filepath.Join(root, "train/0.tar"), filepath.Join(root, at)); err != nil {
			t.Fatal(err)
		}
		_, err := Open(root, "")
		var e *source.FileError
		if !errors.As(err, &e) || e.File != filepath.Join(root, at) || !strings.Contains(e.Msg, "train/0.tar again") {
			t.Errorf("%s: %v", at, err)
		}
	}
}

func TestChanged(t *testing.T) {
	root := t.TempDir()
	files(t, root, map[string]string{"x.tar": "a.jpg=A a.cls=0"})
	p := filepath.Join(root, "x.tar")
	for name, change := range map[string]func() error{
		"another time": func() error { return os.Chtimes(p, time.Unix(1, 0), time.Unix(1, 0)) },
		"is gone":      func() error { return os.Remove(p) },
	} {
		s, err := Open(p, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		_, err = s.Read(0, 0, nil)
		var changed *index.ChangedError
		if !errors.As(err, &changed) || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want a ChangedError %q", err, name)
		}
		s.Close()
		files(t, root, map[string]string{"x.tar": "a.jpg=A a.cls=0"})
	}
	// Cut while it is open.
	s, err := Open(p, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Read(0, 0, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(p, 512); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(0, 0, nil); err == nil || !strings.Contains(err.Error(), "ends before the record does") {
		t.Error(err)
	}
}

// The photographs that the project is tried on.
func TestPhotographs(t *testing.T) {
	const path = "../../../../shared/data/clothing-small.tar"
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no photographs: %v", err)
	}
	sourcetest.Run(t, func() (source.Source, error) { return Open(path, "") })
	s, err := Open(path, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in := s.Info()
	if len(in.Splits) != 2 || in.Splits[0].Name != "train" || in.Splits[1].Name != "val" || len(in.Classes) < 2 || len(in.Faults) > 0 {
		t.Errorf("%d splits, classes %v, faults %v", len(in.Splits), in.Classes, in.Faults)
	}
	b, err := s.Read(0, 0, nil)
	if err != nil || !bytes.HasPrefix(b, []byte("\xff\xd8\xff")) {
		t.Errorf("%v: no JPEG at %v", err, s.Where(0, 0))
	}
}

// A tar file of class folders, in any order of its members, is the source that the unpacked folder is.
func TestSameAsFolder(t *testing.T) {
	root := t.TempDir()
	names := strings.Fields(`set/train/b/10.jpg set/train/b/2.jpg set/train/a/x/1.jpg set/train/a/x-1.jpg set/train/a/x.jpg
		set/val/é/1 set/val/a/1.PNG set/train/a/notes.txt set/README.md set/.hidden/z/1.jpg set/train/.a/1.jpg`)
	unpacked := map[string]string{}
	for _, n := range names {
		unpacked["unpacked/"+n] = n
	}
	files(t, root, unpacked)
	want, err := folder.Open(filepath.Join(root, "unpacked"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer want.Close()
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		files(t, root, map[string]string{"set.tar": strings.Join(names, " ")})
		got, err := Open(filepath.Join(root, "set.tar"), "")
		if err != nil {
			t.Fatal(err)
		}
		g, w := got.Info(), want.Info()
		if !slices.Equal(g.Classes, w.Classes) || !slices.Equal(g.Notes, w.Notes) || !reflect.DeepEqual(g.Splits, w.Splits) {
			t.Errorf("seed %d: got\n%+v\nwant\n%+v", seed, *g, *w)
		}
		for split, s := range w.Splits {
			for i := range s.Labels {
				a, errA := got.Read(split, i, nil)
				b, errB := want.Read(split, i, nil)
				if errA != nil || errB != nil || !bytes.Equal(a, b) {
					t.Errorf("seed %d: split %d, record %d: %q (%v), want %q (%v)", seed, split, i, a, errA, b, errB)
				}
			}
		}
		got.Close()
	}
}
