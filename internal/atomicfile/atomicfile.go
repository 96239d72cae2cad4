// Package atomicfile replaces files so that a reader, a crash or a power cut
// meets the old content or the new one, never something between.
//
// The order of system calls is the whole of it: write a temporary file in the
// same directory, fsync it, rename it over the target, fsync the directory.
// Without the first fsync a power cut can leave the new name with no content;
// without the second, the old name. A failed fsync is final: the kernel may
// have dropped the pages already, so it is never tried again on the same file.
//
// Contract: on error the target holds what it held before, except when only
// the last step (the fsync of the directory) failed; then it is already the new
// content, of which a power cut may take back the name. The temporary file is
// removed on every error the process survives. What kill -9 leaves behind is
// named so that RemoveTemps finds it. Errors wrap the cause, so that
// errors.Is(err, syscall.ENOSPC) works.
//
//	err := atomicfile.WriteFile("run/result.json", data, 0o644)
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
)

const (
	tempMark    = ".tmp-"   // a temporary file is .NAME.tmp-PID-COUNT
	bufferBytes = 256 << 10 // one write call per buffer; larger gave no more speed
	maxAttempts = 1000      // names tried before giving up on a directory full of leftovers
)

// tempCount makes temporary names unique within the process.
var tempCount atomic.Uint64

// WriteFile replaces path by data. The mode is perm less the umask, also when
// path existed with another one. A symbolic link at path is replaced, not followed.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	return Write(path, perm, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Write replaces path by what write puts into its argument, which is buffered.
// An error of write leaves path as it was and is returned wrapped.
func Write(path string, perm fs.FileMode, write func(io.Writer) error) error {
	return WriteTo(OS, path, perm, write)
}

// WriteTo is Write on the file system fsys.
func WriteTo(fsys FS, path string, perm fs.FileMode, write func(io.Writer) error) error {
	return replace(fsys, path, perm, write, nil)
}

// WriteChecked is Write of a file that check reads, by the temporary name that it has until then, before it takes its
// place. An error of check leaves path as it was.
func WriteChecked(path string, perm fs.FileMode, write func(io.Writer) error, check func(temp string) error) error {
	return replace(OS, path, perm, write, check)
}

func replace(fsys FS, path string, perm fs.FileMode, write func(io.Writer) error, check func(temp string) error) error {
	temp, err := createTemp(fsys, path, perm, write)
	if err != nil {
		return err
	}
	if check != nil {
		err = check(temp)
	}
	if err == nil {
		if err = fsys.Rename(temp, path); err != nil {
			err = fmt.Errorf("atomicfile: replace %s: %w", path, Cause(err))
		}
	}
	if err != nil {
		return errors.Join(err, left(path, fsys.Remove(temp)))
	}
	return fsys.SyncDir(filepath.Dir(path))
}

// Cause is an error of the system without the paths that it names.
func Cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// left is the error of a temporary file of name that could not be removed.
func left(name string, err error) error {
	if err = ignoreMissing(err); err == nil {
		return nil
	}
	return fmt.Errorf("atomicfile: clean up after %s: %w", name, Cause(err))
}

// named is a file whose errors name it as its writer does.
type named struct {
	File
	name string
}

func (f named) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	return n, f.rename("write", err)
}

func (f named) Sync() error  { return f.rename("sync", f.File.Sync()) }
func (f named) Close() error { return f.rename("close", f.File.Close()) }

func (f named) rename(op string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: f.name, Err: Cause(err)}
}

// createTemp writes a durable temporary file beside path and returns its name, also with an error.
func createTemp(fsys FS, path string, perm fs.FileMode, write func(io.Writer) error) (string, error) {
	dir, base := filepath.Split(path)
	if base == "" {
		return "", fmt.Errorf("atomicfile: %q names no file", path)
	}
	for range maxAttempts {
		temp := dir + "." + base + tempMark + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatUint(tempCount.Add(1), 10)
		err := CreateNamed(fsys, temp, path, perm, write)
		if errors.Is(err, errExists) {
			continue // left by a killed process that had our number
		}
		return temp, err
	}
	return "", fmt.Errorf("atomicfile: %d leftover temporary files of %s", maxAttempts, path)
}

// errExists tells the failure of the exclusive create from an ErrExist that
// the write callback may return.
var errExists = errors.New("file exists")

// CreateSynced creates path, which must not exist, and returns when its
// content has reached the disk. The name has not: that takes SyncDir on the
// directory. It removes path on error. It is the building block for directories
// that become visible by a rename of their own.
func CreateSynced(fsys FS, path string, perm fs.FileMode, write func(io.Writer) error) error {
	return CreateNamed(fsys, path, path, perm, write)
}

// CreateNamed is CreateSynced of a file that will have another name; errors have that one.
func CreateNamed(fsys FS, path, name string, perm fs.FileMode, write func(io.Writer) error) error {
	made, err := fsys.Create(path, perm)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("atomicfile: create %s: %w: %w", name, Cause(err), errExists)
	}
	if err != nil {
		return fmt.Errorf("atomicfile: create %s: %w", name, Cause(err))
	}
	f := named{made, name}
	b := bufio.NewWriterSize(f, bufferBytes)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	// Closed on every path; its error matters, for some file systems report a
	// lost write only here.
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		return nil
	}
	if of, ok := err.(*fs.PathError); ok && of.Path == name { // says already what was done to what
		err = fmt.Errorf("atomicfile: %w", err)
	} else {
		err = fmt.Errorf("atomicfile: write %s: %w", name, err)
	}
	return errors.Join(err, left(name, fsys.Remove(path)))
}

// RemoveTemps removes the temporary files that killed writers left in dir and
// returns their number. Only the process that holds dir's lock may call it: it
// cannot tell a leftover from the file of a living writer.
func RemoveTemps(dir string) (int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, fmt.Errorf("atomicfile: %w", err)
	}
	n := 0
	for _, e := range entries {
		if !e.Type().IsRegular() || !isTemp(e.Name()) {
			continue
		}
		if err := ignoreMissing(OS.Remove(filepath.Join(dir, e.Name()))); err != nil { // whoever writes without the lock was quicker
			return n, fmt.Errorf("atomicfile: %w", err)
		}
		n++
	}
	return n, nil
}

// isTemp recognises .NAME.tmp-PID-COUNT and nothing else, so that a user's
// file that merely looks temporary stays.
func isTemp(name string) bool {
	at := strings.LastIndex(name, tempMark)
	if at < 2 || name[0] != '.' {
		return false
	}
	pid, count, ok := strings.Cut(name[at+len(tempMark):], "-")
	return ok && isDigits(pid) && isDigits(count)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
