package weights

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Saved is a checkpoint as its DONE describes it.
type Saved struct {
	Step   int
	SHA256 string // of its tensors: of model.safetensors, in hexadecimal
}

// Newest describes the newest checkpoint in dir that has an undamaged DONE and files of the sizes
// that this vouches for. They are not read. any is false where there is none.
func Newest(dir string) (s Saved, any bool) {
	all, err := list(dir)
	if err != nil {
		return s, false
	}
	for _, f := range all {
		done, err := readDone(f.path)
		if err == nil && done.Step == f.step && whole(f.path, done) == nil {
			return Saved{done.Step, done.Files[modelFile].SHA256}, true
		}
	}
	return s, false
}

// Unfit says what is wrong with the newest checkpoint in dir, as far as DONE and the sizes tell; nil is
// nothing.
func Unfit(dir string) error {
	all, err := list(dir)
	if err != nil || len(all) == 0 {
		return err
	}
	done, err := readDone(all[0].path)
	if err != nil {
		return err
	}
	return whole(all[0].path, done)
}

// whole is an error where a file of a checkpoint is not as long as it should be.
func whole(path string, done doneRecord) error {
	for _, name := range checkpointFiles {
		if err := sized(filepath.Join(path, name), done.Files[name].Size); err != nil {
			return err
		}
	}
	return nil
}

// Newer is the error of the newest checkpoint in dir where a newer oneshot has written it (ErrNewer), nil
// elsewhere. Only DONE is read.
func Newer(dir string) error {
	all, err := list(dir)
	if err != nil || len(all) == 0 {
		return nil
	}
	if _, err := readDone(all[0].path); errors.Is(err, ErrNewer) {
		return err
	}
	return nil
}

// sized is an error where a file is not as long as it should be.
func sized(path string, size int64) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() != size {
		err = &FormatError{File: path, Msg: fmt.Sprintf("has %d bytes, and DONE says %d", info.Size(), size), Kind: ErrCorrupt}
	}
	return err
}
