package rundir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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

// Arg is the path as a word of a command line that people may copy.
func (d Folder) Arg() string { return fault.ShellWord(string(d)) }

// Has reports whether the file exists.
func (d Folder) Has(parts ...string) bool {
	_, err := os.Stat(d.File(parts...))
	return err == nil
}

// IsRun says whether the folder is a run's.
func (d Folder) IsRun() bool { return IsRun(os.DirFS(string(d))) }

// IsRun says whether a folder is a run's: it has a configuration and something else that a run begins with, or what a
// stage leaves. Others have a config.yaml or a LOCK too.
func IsRun(folder fs.FS) bool {
	has := func(name string) bool { _, err := fs.Stat(folder, name); return err == nil }
	if slices.ContainsFunc([]string{"supernet/record.json", "search/record.json", "retrain/record.json"}, has) {
		return true
	}
	return has("config.yaml") && slices.ContainsFunc([]string{"manifest.json", "LOCK", "log.jsonl", "metrics.jsonl"}, has)
}

// FreeName is a name that nothing in the folder has: this one, or the first of name-2, name-3 and so on.
func (d Folder) FreeName(name string) string {
	free := name
	for i := 2; d.Has(free); i++ {
		free = fmt.Sprintf("%s-%d", name, i)
	}
	return free
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
	return d.write(b, err, parts...)
}

// HoldsJSON says whether a file is byte for byte what WriteJSON writes of v.
func (d Folder) HoldsJSON(v any, parts ...string) bool {
	want, err := Indented(v)
	if err != nil {
		return false
	}
	have, err := atomicfile.ReadAtMost(d.File(parts...), maxJSON)
	return err == nil && bytes.Equal(have, want)
}

// writeChecked is WriteJSON of an object that ends with its own checksum.
func (d Folder) writeChecked(v any, parts ...string) error {
	b, err := withCheck(v)
	return d.write(b, err, parts...)
}

// write writes what was made of an object, unless that failed.
func (d Folder) write(b []byte, err error, parts ...string) error {
	if err != nil {
		return fmt.Errorf("%s: %w", d.File(parts...), err)
	}
	if err := atomicfile.MakeDirs(atomicfile.OS, filepath.Dir(d.File(parts...))); err != nil {
		return err
	}
	return atomicfile.WriteFile(d.File(parts...), b, 0o644)
}

// MakeDir makes a folder in the folder, and the folder itself, where they are missing. The names last.
func (d Folder) MakeDir(parts ...string) error {
	return atomicfile.MakeDirs(atomicfile.OS, d.File(parts...))
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
	if err := strictly(b, v); err != nil {
		return fault.New(fault.ExitInvalid, d.Remedy(parts...), "%s: damaged, or of another version%s: %w", path, place(err, len(b)), err)
	}
	return nil
}

// place says at which of n bytes JSON is wrong, as far as err tells.
func place(err error, n int) string {
	var syntax *json.SyntaxError
	var value *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf(", at byte %d", syntax.Offset)
	case errors.As(err, &value):
		return fmt.Sprintf(", at byte %d", value.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Sprintf(", at byte %d", n)
	}
	return ""
}

// Remedy is what to do about a file of ours that is damaged. Only a file that is made again
// from others may be done without, and then it is kept under another name.
func (d Folder) Remedy(parts ...string) string {
	name := parts[len(parts)-1]
	again := func(command string) string {
		return "put the file back as it was; renamed to " + name + ".damaged it is kept, and `oneshot " + command + "` makes it again"
	}
	switch strings.Join(parts, "/") {
	case "search/best.json":
		return "`oneshot search --out " + d.Arg() + "` writes it again from samples.jsonl"
	case "export/model.safetensors", "export/arch.json":
		return "`oneshot export --out " + d.Arg() + "` writes it again from the last checkpoint"
	case "result.json":
		return again("run --resume --out " + d.Arg())
	case SeenFile:
		return again("run --resume --out " + d.Arg())
	case "retrain/seeds.json":
		return again("retrain --out " + d.Arg())
	case "retrain/init.json":
		return "put the file back as it was; manifest.json of the run has the same under \"init\""
	}
	return "put the file back as it was"
}

// Indented is v as the files of a run have it.
func Indented(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}

// Update writes a file unless it has these bytes already.
func (d Folder) Update(b []byte, parts ...string) (changed bool, err error) {
	path := d.File(parts...)
	if have, err := atomicfile.ReadAtMost(path, int64(len(b))); err == nil && bytes.Equal(have, b) {
		return false, nil
	}
	return true, atomicfile.WriteFile(path, b, 0o644)
}

// HashFile is the SHA-256 of a file, in hexadecimal, and how many bytes it has.
func HashFile(path string) (sum string, size int64, err error) {
	f, _, err := atomicfile.OpenRegular(path)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}
