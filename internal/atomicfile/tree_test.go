package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"oneshot/internal/atomicfile"
	"oneshot/internal/atomicfile/faultfs"
)

// A folder that was made has a name that lasts, and so have those above it.
func TestMakeDirs(t *testing.T) {
	root := t.TempDir()
	f := &faultfs.FS{}
	if err := atomicfile.MakeDirs(f, filepath.Join(root, "a", "b")); err != nil {
		t.Fatal(err)
	}
	left, err := faultfs.PowerCuts(t.TempDir(), root, f.Ops)
	if err != nil {
		t.Fatal(err)
	}
	ends := 0
	for i, r := range left {
		dst := filepath.Join(t.TempDir(), "r")
		if err := r.Write(dst); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dst, "a", "b")); r.After == len(f.Ops) {
			if ends++; err != nil {
				t.Errorf("%d, %+v: %v", i, r.Loss, err)
			}
		}
	}
	if ends == 0 {
		t.Error("no power cut at the end")
	}
	if f.Ops = nil; atomicfile.MakeDirs(f, filepath.Join(root, "a", "b")) != nil || len(f.Ops) > 0 {
		t.Errorf("made again: %v", f.Ops)
	}
	file := filepath.Join(root, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.MakeDirs(f, file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file in its place: %v", err)
	}
}

// A copy is whole or an error, whatever fails.
func TestCopyTree(t *testing.T) {
	from := t.TempDir()
	if err := os.MkdirAll(filepath.Join(from, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "a/y", "a/b/z"} {
		if err := os.WriteFile(filepath.Join(from, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("x", filepath.Join(from, "link")); err != nil {
		t.Fatal(err)
	}
	for n := 1; ; n++ {
		to := filepath.Join(t.TempDir(), "copy")
		f := &faultfs.FS{FailAt: n, Err: syscall.EIO}
		err := atomicfile.CopyTree(f, from, to)
		if f.Injected > 0 {
			if !errors.Is(err, syscall.EIO) {
				t.Errorf("call %d fails: %v", n, err)
			}
			continue
		}
		if err != nil || n < 20 {
			t.Errorf("%d calls: %v", n, err)
		}
		for name, want := range map[string]string{"x": "x", "a/y": "a/y", "a/b/z": "a/b/z", "link": "x"} {
			if b, err := os.ReadFile(filepath.Join(to, name)); string(b) != want {
				t.Errorf("%s: %q, %v", name, b, err)
			}
		}
		return
	}
}

// What a process leaves that is killed at a write has half of it, and all that came before.
func TestKills(t *testing.T) {
	dir := t.TempDir()
	f := &faultfs.FS{}
	w, err := f.Append(filepath.Join(dir, "log"), 0o644)
	if err == nil {
		_, err = w.Write([]byte("1234"))
	}
	if err == nil {
		err = errors.Join(w.Sync(), w.Truncate(3), f.Link(filepath.Join(dir, "log"), filepath.Join(dir, "copy")), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	kills, err := faultfs.Kills(t.TempDir(), dir, f.Ops)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	calls := 0
	for _, k := range kills {
		dst := filepath.Join(t.TempDir(), "k")
		if err := k.Write(dst); err != nil {
			t.Fatal(err)
		}
		log, _ := os.ReadFile(filepath.Join(dst, "log"))
		got = append(got, string(log))
		calls += k.Last - k.First + 1
	}
	// Before the file is there; at the write; at fsync and truncate; at the link; at the end.
	if want := []string{"", "12", "1234", "123", "123"}; len(got) != len(want) || calls != len(f.Ops) {
		t.Errorf("%d calls of %d: %q, want %q", calls, len(f.Ops), got, want)
	} else {
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%q, want %q", got, want)
				break
			}
		}
	}
}
