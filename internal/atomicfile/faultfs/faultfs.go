// Package faultfs is the file system on which the tests of atomic writers run:
// it fails or dies at a chosen call, remembers every call that took effect, and
// shows what the death of the process or a power cut may leave on the disk.
//
//	f := &faultfs.FS{FailAt: 3, Err: syscall.ENOSPC}
//	err := atomicfile.WriteTo(f, path, 0o644, write)
//	if f.Injected == 0 { the writer made fewer than three calls }
package faultfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"oneshot/internal/atomicfile"
)

// Kind is one kind of call.
type Kind string

// The kinds of calls that change a file system.
const (
	Create   Kind = "create"
	Append   Kind = "append" // opens; what is appended is Write
	Write    Kind = "write"
	Truncate Kind = "truncate"
	Sync     Kind = "fsync"
	Close    Kind = "close"
	Mkdir    Kind = "mkdir"
	Link     Kind = "link"
	Rename   Kind = "rename"
	Remove   Kind = "unlink"
	SyncDir  Kind = "fsync-dir"
)

// Op is a call that took effect.
type Op struct {
	Kind Kind
	Path string
	To   string // of Rename and Link
	Data []byte // of Write
	Size int64  // of Truncate
	Call int    // its number, see FS.Calls
}

func (o Op) String() string {
	if o.To != "" {
		return fmt.Sprintf("%s %s %s", o.Kind, o.Path, o.To)
	}
	return fmt.Sprintf("%s %s", o.Kind, o.Path)
}

// ErrDead is what calls return after the simulated death of the process.
var ErrDead = errors.New("faultfs: the process is dead")

// disk is the real file system, whatever takes its place as atomicfile.OS.
var disk = atomicfile.OS

// FS passes calls on to the real file system. The zero value injects nothing.
// Its fields are read when the goroutines that use it are done.
type FS struct {
	FailAt int   // the call, counted from 1, that fails; 0 for none
	Err    error // what it returns; a write then stores half of its bytes first
	Stays  bool  // all calls after it fail likewise, but for Close
	Die    bool  // no later call takes effect, as after kill -9
	// Counts says which paths the calls are counted of, and fail; nil is all.
	Counts func(path string) bool

	Ops      []Op // what took effect, in order
	Calls    int  // calls made, failed ones included
	Injected int  // calls that failed by request
	Failed   Op   // the first of them
	lock     sync.Mutex
}

// call counts a call and returns the error it must fail with.
func (f *FS) call(op Op) error {
	if f.Die && f.Injected > 0 {
		return ErrDead
	}
	if f.Counts != nil && !f.Counts(op.Path) {
		return nil
	}
	f.Calls++
	if f.FailAt == 0 || f.Calls < f.FailAt || f.Calls > f.FailAt && (!f.Stays || op.Kind == Close) {
		return nil
	}
	if f.Injected++; f.Injected == 1 {
		f.Failed = op
	}
	if f.Die {
		return ErrDead
	}
	return f.Err
}

// do makes a call unless it must fail, and remembers it if it succeeded.
func (f *FS) do(op Op, real func() error) error {
	f.lock.Lock()
	defer f.lock.Unlock()
	if err := f.call(op); err != nil {
		return &fs.PathError{Op: string(op.Kind), Path: op.Path, Err: err}
	}
	if err := real(); err != nil {
		return err
	}
	op.Call = f.Calls
	f.Ops = append(f.Ops, op)
	return nil
}

func (f *FS) Create(path string, perm fs.FileMode) (atomicfile.File, error) {
	var real atomicfile.File
	err := f.do(Op{Kind: Create, Path: path}, func() (err error) {
		real, err = disk.Create(path, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &file{f, real, path}, nil
}

func (f *FS) Append(path string, perm fs.FileMode) (atomicfile.Growing, error) {
	var real atomicfile.Growing
	err := f.do(Op{Kind: Append, Path: path}, func() (err error) {
		real, err = disk.Append(path, perm)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &growing{file{f, real, path}, real}, nil
}

func (f *FS) Mkdir(path string, perm fs.FileMode) error {
	return f.do(Op{Kind: Mkdir, Path: path}, func() error { return disk.Mkdir(path, perm) })
}

func (f *FS) Link(from, to string) error {
	return f.do(Op{Kind: Link, Path: from, To: to}, func() error { return disk.Link(from, to) })
}

func (f *FS) Rename(from, to string) error {
	return f.do(Op{Kind: Rename, Path: from, To: to}, func() error { return disk.Rename(from, to) })
}

func (f *FS) Remove(path string) error {
	return f.do(Op{Kind: Remove, Path: path}, func() error { return disk.Remove(path) })
}

// SyncDir only looks whether dir exists. Like File.Sync it does not reach the
// disk: power cuts are simulated, and tests are quick.
func (f *FS) SyncDir(dir string) error {
	return f.do(Op{Kind: SyncDir, Path: dir}, func() error {
		_, err := os.Stat(dir)
		return err
	})
}

type file struct {
	fs   *FS
	real atomicfile.File
	path string
}

func (w *file) Write(b []byte) (int, error) {
	w.fs.lock.Lock()
	defer w.fs.lock.Unlock()
	wasDead := w.fs.Die && w.fs.Injected > 0
	fault := w.fs.call(Op{Kind: Write, Path: w.path})
	if fault != nil {
		b = b[:len(b)/2]
		fault = &fs.PathError{Op: string(Write), Path: w.path, Err: fault}
	}
	if wasDead {
		return 0, fault
	}
	n, err := w.real.Write(b)
	w.fs.Ops = append(w.fs.Ops, Op{Kind: Write, Path: w.path, Data: append([]byte(nil), b[:n]...), Call: w.fs.Calls})
	return n, errors.Join(fault, err)
}

// Sync is remembered and not passed on.
func (w *file) Sync() error {
	return w.fs.do(Op{Kind: Sync, Path: w.path}, func() error { return nil })
}

// Close closes the file even when it must fail, as close(2) does.
func (w *file) Close() error {
	err := w.real.Close()
	return errors.Join(err, w.fs.do(Op{Kind: Close, Path: w.path}, func() error { return nil }))
}

type growing struct {
	file
	all atomicfile.Growing
}

func (w *growing) ReadAt(b []byte, at int64) (int, error) { return w.all.ReadAt(b, at) }

func (w *growing) Truncate(size int64) error {
	return w.fs.do(Op{Kind: Truncate, Path: w.path, Size: size}, func() error { return w.all.Truncate(size) })
}
