package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// FS is the changes a writer makes to a file system, one method for each kind
// of system call that can fail. OS is the real one; faultfs.FS fails on request
// and remembers the order of the calls.
type FS interface {
	// Create makes a new file for writing; an existing one is fs.ErrExist.
	Create(path string, perm fs.FileMode) (File, error)
	// Append opens a regular file to append to it, and makes it where there is none. A link is not
	// followed, and is ErrNotRegular like whatever else is no file.
	Append(path string, perm fs.FileMode) (Growing, error)
	Mkdir(path string, perm fs.FileMode) error
	// Link gives a file a second name.
	Link(from, to string) error
	// Rename replaces a file, or an empty directory, at the new name.
	Rename(from, to string) error
	// Remove removes a file or an empty directory.
	Remove(path string) error
	// SyncDir makes the names in dir durable.
	SyncDir(dir string) error
}

// File is a file being written.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Growing is a file that is appended to, wherever in it is read.
type Growing interface {
	File
	io.ReaderAt
	// Truncate cuts the file to so many bytes.
	Truncate(size int64) error
}

// OS is the file system of the machine, by which every change of a run folder is made. Tests put
// another in its place.
var OS FS = osFS{}

type osFS struct{}

func (osFS) Create(path string, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err // a nil *os.File in a File would not be nil
	}
	return f, nil
}

func (osFS) Append(path string, perm fs.FileMode) (Growing, error) {
	f, err := openToAppend(path, perm)
	if err != nil {
		return nil, err // likewise
	}
	return f, nil
}

func (osFS) Mkdir(path string, perm fs.FileMode) error { return os.Mkdir(path, perm) }
func (osFS) Link(from, to string) error                { return os.Link(from, to) }
func (osFS) Rename(from, to string) error              { return os.Rename(from, to) }
func (osFS) Remove(path string) error                  { return os.Remove(path) }

func (osFS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("atomicfile: sync %s: %w", dir, err)
	}
	defer d.Close()
	// Some network and user-space file systems cannot sync a directory and say
	// so; there is nothing better to do on them.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("atomicfile: sync %s: %w", dir, err)
	}
	return nil
}
