package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// ErrNotRegular says that a path names a folder, a pipe, a device or a socket.
var ErrNotRegular = errors.New("not a regular file")

// SizeError says that a file is larger than any that is meant.
type SizeError struct {
	Path  string
	Limit int64 // in bytes
}

func (e *SizeError) Error() string { return fmt.Sprintf("%s: larger than %d bytes", e.Path, e.Limit) }

// OpenRegular opens a regular file for reading and returns its size in bytes. What is none is an
// ErrNotRegular at once: opening a pipe would wait for a writer, and a device may never end.
// Links are followed.
func OpenRegular(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// ReadAtMost reads a regular file of at most limit bytes; a larger one is a *SizeError. See OpenRegular.
func ReadAtMost(path string, limit int64) ([]byte, error) {
	f, size, err := OpenRegular(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	large := &SizeError{path, limit}
	if size > limit {
		return nil, large
	}
	// The size is only what the file had: it may grow, and the kernel's own files have none.
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, large
	}
	return b, nil
}

// openToAppend is FS.Append. Whoever made a folder with a link in it would say which file elsewhere
// is written to.
func openToAppend(path string, perm os.FileMode) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, perm)
	if errors.Is(err, syscall.ELOOP) {
		return nil, fmt.Errorf("%s: %w: it is a link", path, ErrNotRegular)
	}
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s: %w", path, ErrNotRegular)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
