package rundir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// Folder is the path of a run folder.
type Folder string

// File is the path of a file in the folder.
func (d Folder) File(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}

// Has reports whether the file exists.
func (d Folder) Has(parts ...string) bool {
	_, err := os.Stat(d.File(parts...))
	return err == nil
}

// Base is the name of the folder, as results give it.
func (d Folder) Base() string {
	abs, err := filepath.Abs(string(d))
	if err != nil {
		return filepath.Base(string(d))
	}
	return filepath.Base(abs)
}

// WriteJSON writes v as a file of ours, indented.
func (d Folder) WriteJSON(v any, parts ...string) error {
	b, err := Indented(v)
	if err != nil {
		return fmt.Errorf("%s: %w", d.File(parts...), err)
	}
	if err := os.MkdirAll(filepath.Dir(d.File(parts...)), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteFile(d.File(parts...), b, 0o644)
}

// maxJSON caps a file of ours; a result with 20,000 classes has 2 MB.
const maxJSON = 16 << 20

// ReadJSON reads a file of ours strictly into v; a missing one is fs.ErrNotExist.
func (d Folder) ReadJSON(v any, parts ...string) error {
	path := d.File(parts...)
	b, err := atomicfile.ReadAtMost(path, maxJSON)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fault.New(fault.ExitInvalid, "move the file away to make it again with --resume", "%s: %w", path, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.ExitInvalid, "move the file away to make it again with --resume", "%s: more text after the object", path)
	}
	return nil
}

// Indented is v as the files of a run have it.
func Indented(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}

// Update writes a file unless it has these bytes already.
func (d Folder) Update(b []byte, parts ...string) (changed bool, err error) {
	path := d.File(parts...)
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, b) {
		return false, nil
	}
	return true, atomicfile.WriteFile(path, b, 0o644)
}

// HashFile is the SHA-256 of a file, in hexadecimal, and how many bytes it has.
func HashFile(path string) (sum string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
