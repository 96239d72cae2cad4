package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"oneshot/internal/atomicfile"
)

// soon fails where f does not return: something waits for the other end of a pipe.
func soon(t *testing.T, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(10 * time.Second):
		t.Fatalf("%s blocks", what)
		return nil
	}
}

func TestReadAtMost(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	if b, err := atomicfile.ReadAtMost(path, 5); string(b) != "12345" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
	if b, err := atomicfile.ReadAtMost(path, 4); b != nil || err == nil || err.Error() != path+": larger than 4 bytes" {
		t.Errorf("%q, %v; want an error that names the file and the limit", b, err)
	}
	if _, err := atomicfile.ReadAtMost(filepath.Join(dir, "none"), 4); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// The kernel's own files say that they have no bytes, and have some.
func TestReadAtMostOfTheKernel(t *testing.T) {
	const path = "/proc/self/status"
	if _, err := os.Stat(path); err != nil {
		t.Skip("only Linux has /proc")
	}
	if b, err := atomicfile.ReadAtMost(path, 1<<20); len(b) == 0 || err != nil {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if _, err := atomicfile.ReadAtMost(path, 10); err == nil {
		t.Error("a file without a size has no limit")
	}
}

// What is no regular file is refused at once, whether it is read or appended to.
func TestOnlyRegularFiles(t *testing.T) {
	dir := t.TempDir()
	pipe, file := filepath.Join(dir, "pipe"), filepath.Join(dir, "file")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	link := func(name, to string) string {
		path := filepath.Join(dir, name)
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, path := range []string{pipe, dir, "/dev/null", link("to-pipe", "pipe")} {
		err := soon(t, "reading "+path, func() error { _, err := atomicfile.ReadAtMost(path, 100); return err })
		if !errors.Is(err, atomicfile.ErrNotRegular) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("reading %s: %v", path, err)
		}
	}
	if _, err := atomicfile.ReadAtMost(link("to-file", "file"), 100); err != nil {
		t.Errorf("a link to a file is followed when reading: %v", err)
	}
	for _, path := range []string{pipe, "/dev/null", filepath.Join(dir, "to-pipe"), filepath.Join(dir, "to-file"), link("to-none", "none")} {
		err := soon(t, "appending to "+path, func() error {
			f, err := atomicfile.OS.Append(path, 0o644)
			if err == nil {
				f.Close()
			}
			return err
		})
		if !errors.Is(err, atomicfile.ErrNotRegular) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("appending to %s: %v", path, err)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made where a link leads: %v", err)
	}
}

func TestAppend(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for range 2 {
		f, err := atomicfile.OS.Append(path, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("a line\n")); err != nil {
			t.Fatal(err)
		}
		var b [6]byte
		if _, err := f.ReadAt(b[:], 0); err != nil || string(b[:]) != "a line" {
			t.Errorf("%q, %v", b, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if b, _ := os.ReadFile(path); string(b) != "a line\na line\n" {
		t.Errorf("%q", b)
	}
}
