package weights

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// found is a directory entry with the name of a checkpoint.
type found struct {
	path string
	step int
	old  bool // set aside while another of the same step took its place
}

// list returns the checkpoints in dir, newest first, and of the same step the
// one that was set aside last. A missing dir is an empty one.
func list(dir string) ([]found, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var fs []found
	for _, e := range entries {
		if step, old, ok := parseName(e.Name()); ok {
			fs = append(fs, found{filepath.Join(dir, e.Name()), step, old})
		}
	}
	slices.SortFunc(fs, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.step, a.step), cmp.Compare(a.path, b.path))
	})
	return fs, nil
}

// LoadLatest returns the newest checkpoint in dir that is intact, and one error
// for each newer one that is not, naming the file and the fault. err is
// ErrNoCheckpoint where dir is missing or holds none, and wraps ErrCorrupt where
// it holds some and none is intact. What is no damage ends the search instead of
// falling back: a checkpoint of a newer oneshot (ErrNewer), whose work an older
// one would silently undo, or a missing permission.
func LoadLatest(dir string) (c Checkpoint, skipped []error, err error) {
	all, err := list(dir)
	if err != nil {
		return Checkpoint{}, nil, fmt.Errorf("weights: %w", err)
	}
	if len(all) == 0 {
		return Checkpoint{}, nil, fmt.Errorf("weights: %s: %w", dir, ErrNoCheckpoint)
	}
	for _, f := range all {
		c, err := Load(f.path)
		if err == nil {
			return c, skipped, nil
		}
		if !errors.Is(err, ErrCorrupt) {
			return Checkpoint{}, skipped, err
		}
		skipped = append(skipped, err)
	}
	return Checkpoint{}, skipped, fmt.Errorf("weights: %s: %w: none of its %d checkpoints is intact, the newest: %w", dir, ErrCorrupt, len(all), skipped[0])
}

// Load reads the checkpoint directory path. Nothing is returned unless DONE, the
// sizes and the checksums of both files agree, and all values are numbers.
func Load(path string) (Checkpoint, error) {
	done, err := readDone(path)
	if err != nil {
		return Checkpoint{}, err
	}
	if step, _, ok := parseName(filepath.Base(path)); ok && step != done.Step {
		return Checkpoint{}, &FormatError{File: filepath.Join(path, doneFile), Field: "step", Kind: ErrCorrupt,
			Msg: fmt.Sprintf("%d is not the step of the directory's name", done.Step)}
	}
	c := Checkpoint{Step: done.Step}
	err = readChecked(path, modelFile, done, func(r io.Reader, size int64, file string) error {
		f, err := readSafetensors(r, size, file)
		c.Tensors = f.Tensors
		return err
	})
	if err != nil {
		return Checkpoint{}, err
	}
	if err := CheckFinite(c.Tensors); err != nil { // which Save never writes
		return Checkpoint{}, fmt.Errorf("weights: %s: %w: %w", filepath.Join(path, modelFile), ErrCorrupt, err)
	}
	err = readChecked(path, stateFile, done, func(r io.Reader, size int64, file string) error {
		fault := &FormatError{File: file, Kind: ErrCorrupt}
		if size > maxState {
			fault.Msg = fmt.Sprintf("%d bytes are over the limit of %d", size, maxState)
			return fault
		}
		b, err := io.ReadAll(r)
		if err != nil {
			return readFault(file, 0, "", err)
		}
		if c.State = json.RawMessage(b); !json.Valid(b) {
			fault.Msg = "is not JSON"
			return fault
		}
		return nil
	})
	if err != nil {
		return Checkpoint{}, err
	}
	return c, nil
}

// readDone reads the DONE file of the checkpoint directory path.
func readDone(path string) (doneRecord, error) {
	file := filepath.Join(path, doneFile)
	f, _, err := openRegular(file)
	if err != nil {
		return doneRecord{}, damage(err, "without DONE a checkpoint is incomplete")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxDone+1))
	if err != nil {
		return doneRecord{}, damage(err, "")
	}
	return parseDone(b, file)
}

// readChecked lets read parse a file of the checkpoint and proves that the very
// bytes it saw are those that DONE vouches for.
func readChecked(path, name string, done doneRecord, read func(r io.Reader, size int64, file string) error) error {
	file := filepath.Join(path, name)
	f, size, err := openRegular(file)
	if err != nil {
		return damage(err, "")
	}
	defer f.Close()
	want := done.Files[name]
	if size != want.Size {
		return &FormatError{File: file, Offset: min(size, want.Size), Kind: ErrCorrupt,
			Msg: fmt.Sprintf("has %d bytes, DONE says %d", size, want.Size)}
	}
	sum := newDigest()
	r := io.TeeReader(io.LimitReader(f, size), sum)
	readErr := read(r, size, file)
	// A parser may stop early; the checksum is over the whole file. It is judged
	// first, for a wrong one is the cause of any other fault.
	if _, err := io.Copy(io.Discard, r); err != nil {
		return damage(fmt.Errorf("read %s: %w", file, err), "")
	}
	if got := sum.result(); got != want {
		return &FormatError{File: file, Field: "sha256", Kind: ErrCorrupt,
			Msg: fmt.Sprintf("%s over %d bytes, DONE says %s over %d", got.SHA256, got.Size, want.SHA256, want.Size)}
	}
	return readErr
}

// damage marks an I/O error as damage where the file, and not the caller's
// rights or limits, is at fault: it is missing, is no file, or cannot be read
// back by the disk.
func damage(err error, hint string) error {
	if hint != "" {
		hint = " (" + hint + ")"
	}
	for _, cause := range []error{fs.ErrNotExist, syscall.ENOTDIR, syscall.EISDIR, syscall.ELOOP, syscall.EIO} {
		if errors.Is(err, cause) {
			return fmt.Errorf("weights: %w: %w%s", ErrCorrupt, err, hint)
		}
	}
	return fmt.Errorf("weights: %w%s", err, hint)
}
