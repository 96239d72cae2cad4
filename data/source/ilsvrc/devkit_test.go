package ilsvrc

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"oneshot/data/source"
)

// A pipe in the place of the devkit, packed or unpacked, must not make anybody wait.
func TestDevkitIsAPipe(t *testing.T) {
	for _, name := range []string{devkitArchive, devkitFolder + "/" + metaFile} {
		root := t.TempDir()
		files := miniature(t)
		if delete(files, devkitArchive); name != devkitArchive {
			files[devkitFolder+"/"+truthFile] = "3\n"
			files[devkitFolder+"/data/x"] = ""
		}
		write(t, root, files)
		if err := syscall.Mkfifo(filepath.Join(root, name), 0o644); err != nil {
			t.Skip("no named pipes here: ", err)
		}
		done := make(chan error, 1)
		go func() { _, err := Open(root, ""); done <- err }()
		select {
		case err := <-done:
			var e *source.FileError
			if !errors.As(err, &e) || !strings.Contains(err.Error(), "not a regular file") {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s is a pipe, and opening it waits", name)
		}
	}
}

// Whatever the tar file, classes and numbers in range or an error that is the file's.
func FuzzDevkit(f *testing.F) {
	for _, mat := range []string{"meta.mat", "meta_compressed.mat"} {
		for _, truth := range []string{"3\n1\n2\n1\n", "3\r\n1\r\n", "1\n\n2", "0\n", "x"} {
			f.Add([]byte(pack(f, member{"k/", ""}, member{"k/" + truthFile, truth}, member{"k/" + metaFile, meta(f, mat)})))
		}
	}
	f.Add([]byte(pack(f, member{"k/" + truthFile, "1\n"}, member{"j/" + truthFile, "2\n"})))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := new(devkit)
		err := d.unpack(bytes.NewReader(b), "f")
		var e *source.FileError
		if err != nil {
			if !errors.As(err, &e) || !strings.HasPrefix(e.File, "f") {
				t.Fatalf("%#v", err)
			}
			return
		}
		if len(d.synsets) == 0 || len(d.wnids) != len(d.synsets) || len(d.truth) > len(b) {
			t.Fatalf("%d synsets, %d names, %d images of %d bytes", len(d.synsets), len(d.wnids), len(d.truth), len(b))
		}
		for _, id := range d.truth {
			if id < 1 {
				t.Fatalf("class %d", id)
			}
		}
	})
}
