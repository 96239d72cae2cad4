package folder

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"oneshot/data/source"
	"oneshot/data/source/index"
)

func TestLinks(t *testing.T) {
	top := t.TempDir()
	root := filepath.Join(top, "set")
	write(t, top, "set/a/1.jpg", "set/b/2.jpg", "set/b/deep/3.jpg", "outside/secret.jpg", "setting/near.jpg")
	abs := func(p string) string { return filepath.Join(top, p) }
	link(t, "../b/2.jpg", abs("set/a/relative.jpg"))
	link(t, abs("set/b/2.jpg"), abs("set/a/absolute.jpg"))
	link(t, abs("set/b/deep"), abs("set/a/folder"))
	link(t, "../b/deep", abs("set/a/folder2"))
	link(t, "../../outside/secret.jpg", abs("set/a/escape.jpg"))
	link(t, abs("setting"), abs("set/a/near"))
	link(t, "..", abs("set/a/loop"))
	link(t, ".", abs("set/b/self"))
	link(t, "circle.jpg", abs("set/b/circle.jpg"))
	link(t, "nothing.jpg", abs("set/b/broken.jpg"))
	link(t, "b", abs("set/c")) // a class that is a link
	link(t, "../outside", abs("set/d"))
	link(t, root, abs("link"))
	if err := syscall.Mkfifo(abs("set/b/pipe.jpg"), 0o644); err != nil {
		t.Fatal(err)
	}

	// A file stands where the first path leads to it, in byte order: class a has those of b.
	const want = "[] 0:set/a/1.jpg 0:set/b/2.jpg 0:set/b/deep/3.jpg\n"
	for _, at := range []string{"set", "link"} {
		got, in := show(t, abs(at), "")
		// a: 1.jpg, absolute.jpg, folder/, relative.jpg
		if got != want {
			t.Errorf("%s: got\n%s want\n%s", at, got, want)
		}
		var faults []string
		for _, f := range in.Faults {
			rel, err := filepath.Rel(abs(at), f.File)
			if err != nil {
				t.Fatal(err)
			}
			faults = append(faults, rel+" "+strings.ReplaceAll(f.Msg, top, "TOP"))
		}
		wantFaults := []string{
			"d is a link out of the folder, to TOP/outside",
			"a/escape.jpg is a link out of the folder, to TOP/outside/secret.jpg",
			"a/folder2 is the folder b/deep again, which another link led to",
			"a/loop is a link to a folder that holds it",
			"a/near is a link out of the folder, to TOP/setting",
			"a/relative.jpg is b/2.jpg again, by a link",
		}
		for _, class := range []string{"b", "c"} { // class c is b again
			msg := map[string]string{"b": "there already", "c": "b/2.jpg again"}[class]
			wantFaults = append(wantFaults,
				class+"/2.jpg is "+msg+", by a link, in another class",
				"b/broken.jpg is a link that leads nowhere",
				"b/circle.jpg is a link that leads nowhere",
				class+"/deep/3.jpg is "+strings.Replace(msg, "2", "deep/3", 1)+", by a link, in another class",
				"b/pipe.jpg is no regular file",
				"b/self is a link to a folder that holds it")
		}
		if !slices.Equal(faults, wantFaults) {
			t.Errorf("%s: faults\n%s\nwant\n%s", at, strings.Join(faults, "\n"), strings.Join(wantFaults, "\n"))
		}
	}
}

// An image is in one split, whichever way a link puts it into another.
func TestOneSplit(t *testing.T) {
	for _, c := range []struct{ at, to, file, want string }{
		{"val", "train", "val/a/1.jpg", `is train/a/1.jpg again, by a link: one image would be in the splits "train" and "val"`},
		{"val/a", "../train/a", "val/a/1.jpg", "is train/a/1.jpg again, by a link"},
		{"val/b/x.jpg", "../../train/a/1.jpg", "val/b/x.jpg", "is train/a/1.jpg again, by a link"},
	} {
		root := t.TempDir()
		write(t, root, "train/a/1.jpg", "train/b/2.jpg")
		if c.at != "val" {
			write(t, root, "val/b/3.jpg")
		}
		link(t, c.to, filepath.Join(root, c.at))
		for _, cache := range []index.Cache{"", index.Cache(t.TempDir())} {
			_, err := Open(root, cache)
			var e *source.FileError
			if !errors.As(err, &e) || e.File != filepath.Join(root, c.file) || !strings.Contains(e.Msg, c.want) || e.Hint == "" {
				t.Errorf("%s: %v", c.at, err)
			}
		}
	}
}

// A file that is put in a record's place is not read.
func TestReplaced(t *testing.T) {
	top := t.TempDir()
	root := filepath.Join(top, "set")
	write(t, top, "set/a/1.jpg", "set/a/2.jpg", "set/a/3.jpg", "set/a/4.jpg", "set/a/5.jpg", "set/a/6.jpg", "out/aa/1.jpg")
	s, err := Open(root, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := func(i int) string { return filepath.Join(root, "a", fmt.Sprint(i)+".jpg") }
	for i := 1; i <= 5; i++ {
		if err := os.Remove(at(i)); err != nil {
			t.Fatal(err)
		}
	}
	link(t, "../../out/aa/1.jpg", at(1)) // as long as the record
	if err := syscall.Mkfifo(at(2), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at(4), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, root, "a/5.jpg") // shorter
	if err := os.WriteFile(at(6), []byte("set/a/6.jpG"), 0o644); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"escapes", "no regular file", "is gone", "no regular file", "has 7 bytes, and had 11"} {
		b, err := s.Read(0, i, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("record %d: read %q with error %v, want %q", i, b, err, want)
		}
		var fault *source.Fault
		if errors.As(err, &fault) {
			t.Errorf("record %d: %v is a Fault, so that a policy may leave it out", i, err)
		}
	}
	if _, err := s.Read(0, 5, nil); err != nil { // the same size: taken as it is
		t.Error(err)
	}
}
