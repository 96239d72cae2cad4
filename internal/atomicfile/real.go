package atomicfile

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
)

// RealPath is the absolute path of what the system would find at path, or make there: links are followed as far as there
// is something, and ".." leaves the folder that a link leads to.
func RealPath(path string) (string, error) {
	const separator = string(filepath.Separator)
	at, rest := path, ""
	for {
		if trimmed := strings.TrimRight(at, separator); trimmed != "" || at == "" {
			at = trimmed
		} else {
			at = separator
		}
		looked := at
		if looked == "" {
			looked = "."
		}
		real, err := filepath.EvalSymlinks(looked)
		if err == nil {
			abs, err := filepath.Abs(real)
			return filepath.Join(abs, rest), err
		}
		if !errors.Is(err, fs.ErrNotExist) || at == "" || at == separator {
			return "", err
		}
		dir, base := filepath.Split(at)
		at, rest = dir, filepath.Join(base, rest)
	}
}
