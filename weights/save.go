package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"oneshot/internal/atomicfile"
)

const (
	dirMode  = 0o755
	fileMode = 0o644
)

// SaveCheckpoint writes c, whose Step must be step, below dir, which is created
// if only its last element is missing, and then removes older checkpoints
// except the newest keep-1 intact ones. Checkpoints of later steps, which only
// a resume from an earlier one leaves behind, stay.
//
// When it returns nil the checkpoint is durable. On an error, and after a crash
// at any point, the checkpoints that were there still load (an error from the
// removal of older ones says so and leaves the new one in place). Saving equal
// content again changes nothing. Tensors with NaN or Inf are refused with a
// *NonFiniteError before anything is written.
func SaveCheckpoint(dir string, step int, c Checkpoint, keep int) error {
	return saver{atomicfile.OS}.save(dir, step, c, keep)
}

// Tidy ends a save of a checkpoint that has been loaded, where the process was killed at it: what was
// temporary goes, and so do the older checkpoints that the save would have removed.
func Tidy(dir string, step, keep int) error {
	s := saver{atomicfile.OS}
	err := s.settle(dir)
	if err == nil {
		err = s.prune(dir, step, keep)
	}
	if err != nil {
		return fmt.Errorf("weights: clean %s: %w", dir, err)
	}
	return nil
}

// saver saves through a file system that tests replace.
type saver struct{ fs atomicfile.FS }

func (s saver) save(dir string, step int, c Checkpoint, keep int) error {
	if keep < 1 {
		return fmt.Errorf("weights: keep %d checkpoints, must be at least 1", keep)
	}
	if c.Step != step {
		return fmt.Errorf("weights: checkpoint is of step %d, not %d", c.Step, step)
	}
	if err := c.check(); err != nil {
		return err
	}
	if err := s.makeDir(dir); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	if err := s.settle(dir); err != nil {
		return fmt.Errorf("weights: clean %s: %w", dir, err)
	}
	temp, final := filepath.Join(dir, tempName(step)), filepath.Join(dir, checkpointName(step))
	done, err := s.writeAll(temp, final, c)
	if err == nil {
		err = s.publish(dir, temp, step, done)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("weights: save checkpoint %d: %w", step, err), namedAs("clean up after", final, atomicfile.RemoveTree(s.fs, temp)))
	}
	if err := s.prune(dir, step, keep); err != nil {
		return fmt.Errorf("weights: checkpoint %d is saved, but removing older ones: %w", step, err)
	}
	return nil
}

// makeDir creates dir unless it exists. It creates no parents, so that a
// mistyped path is an error. While dir is empty its own name may not be durable,
// whoever made it.
func (s saver) makeDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = s.fs.Mkdir(dir, dirMode)
	}
	if err != nil {
		return err
	}
	return s.fs.SyncDir(filepath.Dir(filepath.Clean(dir)))
}

// settle puts right what a killed save left: temporary directories go, and a
// checkpoint that was set aside for one that never came returns to its place.
func (s saver) settle(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	isLeftover := func(e os.DirEntry) bool { return isTempName(e.Name()) }
	if slices.ContainsFunc(entries, isLeftover) {
		// One may be a checkpoint whose renaming never became durable.
		if err := s.fs.SyncDir(dir); err != nil {
			return err
		}
	}
	for _, e := range entries {
		if isLeftover(e) {
			if err := atomicfile.RemoveTree(s.fs, filepath.Join(dir, e.Name())); err != nil {
				return namedAs("clean", dir, err)
			}
		}
	}
	for _, e := range entries {
		step, old, ok := parseName(e.Name())
		if !ok || !old {
			continue
		}
		path, place := filepath.Join(dir, e.Name()), filepath.Join(dir, checkpointName(step))
		intact, err := isIntact(place)
		if intact {
			err = s.discard(dir, found{path, step, true})
		} else if err == nil {
			if err = atomicfile.RemoveTree(s.fs, place); err == nil {
				err = s.fs.Rename(path, place)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isIntact tells an intact checkpoint from a damaged or missing one; it fails on
// what must not be overwritten for either, such as one of a newer oneshot.
func isIntact(path string) (bool, error) {
	_, err := Load(path)
	if errors.Is(err, ErrCorrupt) {
		return false, nil
	}
	return err == nil, err
}

// writeAll fills the new directory temp, DONE last, makes it durable and
// returns the bytes of DONE. Errors name the files as they are called in final.
func (s saver) writeAll(temp, final string, c Checkpoint) ([]byte, error) {
	if err := s.fs.Mkdir(temp, dirMode); err != nil {
		return nil, namedAs("make", final, err)
	}
	record := doneRecord{SchemaVersion: schemaVersion, Step: c.Step, Files: map[string]fileDigest{}}
	write := func(name string, content func(io.Writer) error) error {
		sum := newDigest()
		err := atomicfile.CreateNamed(s.fs, filepath.Join(temp, name), filepath.Join(final, name), fileMode, func(w io.Writer) error {
			return content(io.MultiWriter(w, sum))
		})
		record.Files[name] = sum.result()
		return err
	}
	err := write(modelFile, func(w io.Writer) error { return WriteSafetensors(w, c.Tensors, nil) })
	if err != nil {
		return nil, err
	}
	err = write(stateFile, func(w io.Writer) error {
		_, err := w.Write(c.State)
		return err
	})
	if err != nil {
		return nil, err
	}
	done, err := encodeDone(record)
	if err != nil {
		return nil, err
	}
	err = atomicfile.CreateNamed(s.fs, filepath.Join(temp, doneFile), filepath.Join(final, doneFile), fileMode, func(w io.Writer) error {
		_, err := w.Write(done)
		return err
	})
	if err != nil {
		return nil, err
	}
	return done, namedAs("sync", final, s.fs.SyncDir(temp))
}

// publish gives temp its final name. A directory cannot replace a full one, so
// an intact checkpoint of the same step is first set aside under a name that
// LoadLatest knows too: at no point is there neither.
func (s saver) publish(dir, temp string, step int, done []byte) error {
	final := filepath.Join(dir, checkpointName(step))
	aside := found{final + oldSuffix, step, true}
	replaced := false
	if _, err := os.Lstat(final); err == nil {
		intact, err := isIntact(final)
		if err != nil {
			return err
		}
		if intact {
			if present, err := atomicfile.ReadAtMost(filepath.Join(final, doneFile), maxDone); err == nil && bytes.Equal(present, done) {
				// Equal checksums: nothing to replace. An earlier save may have
				// failed at its last fsync, so that is made up for.
				return errors.Join(namedAs("clean up after", final, atomicfile.RemoveTree(s.fs, temp)), s.fs.SyncDir(dir))
			}
			if err := s.fs.Rename(final, aside.path); err != nil {
				return err
			}
			replaced = true
		} else if err := s.discard(dir, found{final, step, false}); err != nil {
			return err
		}
	}
	if err := s.fs.Rename(temp, final); err != nil {
		return namedAs("replace", final, err) // what was set aside still loads; the next save moves it back
	}
	if err := s.fs.SyncDir(dir); err != nil {
		return err
	}
	if replaced {
		return s.discard(dir, aside)
	}
	return nil
}

// prune removes the checkpoints before step that are not among the newest keep
// with an intact DONE, step's own included. Damaged ones do not count, so that
// they never push out a good one.
func (s saver) prune(dir string, step, keep int) error {
	all, err := list(dir)
	if err != nil {
		return err
	}
	kept := 1
	for _, f := range all {
		if f.step >= step {
			continue
		}
		if kept >= keep {
			if err := s.discard(dir, f); err != nil {
				return err
			}
			continue
		}
		if complete(f.path) {
			kept++
		}
	}
	return nil
}

// complete reports whether DONE is intact and the files have the sizes it says:
// the cheap half of Load, enough to count by.
func complete(path string) bool {
	done, err := readDone(path)
	if err != nil {
		return false
	}
	for name, want := range done.Files {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil || info.Size() != want.Size {
			return false
		}
	}
	return true
}

// discard removes a checkpoint under a temporary name: no crash shows one that
// is half removed. The rename is made durable first, since the removals inside
// could otherwise reach the disk before it.
func (s saver) discard(dir string, f found) error {
	trash := filepath.Join(dir, trashName(f.step))
	if err := s.fs.Rename(f.path, trash); err != nil {
		return namedAs("discard", f.path, err)
	}
	if err := s.fs.SyncDir(dir); err != nil {
		return err
	}
	return namedAs("discard", f.path, atomicfile.RemoveTree(s.fs, trash))
}

// namedAs is the error of what was done under a temporary name, with the name that people know.
func namedAs(what, path string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, path, atomicfile.Cause(err))
}
