package weights

import (
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
		if err == nil && done.Step == f.step && sized(f.path, done) {
			return Saved{done.Step, done.Files[modelFile].SHA256}, true
		}
	}
	return s, false
}

// sized says whether the files of a checkpoint are as long as they should be.
func sized(path string, done doneRecord) bool {
	for name, f := range done.Files {
		if info, err := os.Stat(filepath.Join(path, name)); err != nil || info.Size() != f.Size {
			return false
		}
	}
	return true
}
