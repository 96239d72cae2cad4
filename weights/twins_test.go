package weights

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"oneshot/internal/atomicfile"
)

// saveFunc is saver.save or one of its broken twins.
type saveFunc func(fsys atomicfile.FS, dir string, step int, c Checkpoint, keep int) error

func goodSave(fsys atomicfile.FS, dir string, step int, c Checkpoint, keep int) error {
	return saver{fsys}.save(dir, step, c, keep)
}

// twins each break one promise of the save; the fault sweeps must notice.
var twins = map[string]saveFunc{
	"files not synced":          flawed(flaw{fileSync: true}),
	"directory not synced":      flawed(flaw{tempSync: true}),
	"parent not synced":         flawed(flaw{parentSync: true}),
	"no temporary directory":    flawed(flaw{noTemp: true}),
	"removed in place":          flawed(flaw{removeInPlace: true}),
	"removal not synced":        flawed(flaw{trashSync: true}),
	"replaced without aside":    flawed(flaw{noAside: true}),
	"write errors dropped":      flawed(flaw{dropErrors: true}),
	"DONE written first":        doneFirst,
	"older removed before":      pruneFirst,
	"temporary directory stays": noSettle,
}

// flaw says which calls of the save get lost or go astray below it.
type flaw struct {
	fileSync, tempSync, parentSync bool // these fsyncs do nothing
	trashSync                      bool // nor does the one after the renames of a removal
	noTemp                         bool // files are made under the final name
	removeInPlace                  bool // removal skips the temporary name
	noAside                        bool // the old checkpoint of the step is removed first
	dropErrors                     bool // writes always claim success
}

func flawed(f flaw) saveFunc {
	return func(fsys atomicfile.FS, dir string, step int, c Checkpoint, keep int) error {
		return saver{&flawedFS{FS: fsys, flaw: f}}.save(dir, step, c, keep)
	}
}

type flawedFS struct {
	atomicfile.FS
	flaw    flaw
	trashed bool // the last rename began a removal
}

func isTempPath(path string) bool { return isTempName(filepath.Base(path)) }

// place maps the temporary directory, and what is in it, to the final one.
func (f *flawedFS) place(path string) string {
	if !f.flaw.noTemp || strings.Contains(path, trashSuffix) {
		return path
	}
	return strings.Replace(strings.Replace(path, "/"+tempPrefix, "/"+namePrefix, 1), tempSuffix, "", 1)
}

func (f *flawedFS) Mkdir(path string, perm fs.FileMode) error { return f.FS.Mkdir(f.place(path), perm) }

func (f *flawedFS) Create(path string, perm fs.FileMode) (atomicfile.File, error) {
	file, err := f.FS.Create(f.place(path), perm)
	if err != nil {
		return nil, err
	}
	return flawedFile{file, f.flaw}, nil
}

func (f *flawedFS) Rename(from, to string) error {
	f.trashed = isTempPath(to)
	switch {
	case f.place(from) == to:
		return nil // made there already
	case f.flaw.removeInPlace && isTempPath(to), f.flaw.noAside && strings.HasSuffix(to, oldSuffix):
		return atomicfile.RemoveTree(f.FS, from)
	case f.flaw.noAside && strings.HasSuffix(from, oldSuffix):
		return nil
	}
	return f.FS.Rename(from, to)
}

func (f *flawedFS) SyncDir(dir string) error {
	if f.flaw.tempSync && isTempPath(dir) || f.flaw.parentSync && !isTempPath(dir) || f.flaw.trashSync && f.trashed {
		return nil
	}
	return f.FS.SyncDir(f.place(dir))
}

type flawedFile struct {
	atomicfile.File
	flaw flaw
}

func (f flawedFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	if f.flaw.dropErrors {
		return len(b), nil
	}
	return n, err
}

func (f flawedFile) Sync() error {
	if f.flaw.fileSync {
		return nil
	}
	return f.File.Sync()
}

// doneFirst is a save that vouches for files it has yet to write.
func doneFirst(fsys atomicfile.FS, dir string, step int, c Checkpoint, keep int) error {
	scratch, err := os.MkdirTemp("", "done")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	done, err := saver{atomicfile.OS}.writeAll(filepath.Join(scratch, "x"), dir, c)
	if err != nil {
		return err
	}
	s := saver{fsys}
	if err := s.makeDir(dir); err != nil {
		return err
	}
	if err := s.settle(dir); err != nil {
		return err
	}
	temp := filepath.Join(dir, tempName(step))
	if err := fsys.Mkdir(temp, dirMode); err != nil {
		return err
	}
	for _, name := range []string{doneFile, modelFile, stateFile} {
		err := atomicfile.CreateSynced(fsys, filepath.Join(temp, name), fileMode, func(w io.Writer) error {
			switch name {
			case doneFile:
				_, err := w.Write(done)
				return err
			case stateFile:
				_, err := w.Write(c.State)
				return err
			}
			return WriteSafetensors(w, c.Tensors, nil)
		})
		if err != nil {
			return err
		}
	}
	if err := fsys.SyncDir(temp); err != nil {
		return err
	}
	if err := s.publish(dir, temp, step, done); err != nil {
		return err
	}
	return s.prune(dir, step, keep)
}

// pruneFirst makes room before there is anything to take the place.
func pruneFirst(fsys atomicfile.FS, dir string, step int, c Checkpoint, keep int) error {
	if err := (saver{fsys}).prune(dir, step, keep); err != nil {
		return err
	}
	return saver{fsys}.save(dir, step, c, keep)
}

// noSettle leaves the directories of killed saves, each under its own name.
func noSettle(fsys atomicfile.FS, dir string, step int, c Checkpoint, keep int) error {
	s := saver{fsys}
	if err := s.makeDir(dir); err != nil {
		return err
	}
	temp := filepath.Join(dir, tempPrefix+strings.Repeat("x", len(dirNames(dir)))+tempSuffix)
	done, err := s.writeAll(temp, temp, c)
	if err != nil {
		return err
	}
	if err := s.publish(dir, temp, step, done); err != nil {
		return err
	}
	return s.prune(dir, step, keep)
}

func dirNames(dir string) []string {
	var ns []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		ns = append(ns, e.Name())
	}
	return ns
}
