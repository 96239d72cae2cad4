package rundir

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// Record is what a stage of a run was computed from and what it left. It lies beside the
// results, in a file of its own, so that these have the same bytes with and without it.
type Record struct {
	Schema int    `json:"schema"`
	Stage  string `json:"stage"`
	// Inputs are names with values: settings, and SHA-256 checksums of images, weights and files.
	Inputs map[string]string `json:"inputs"`
	// Steps are those of a training.
	Steps int `json:"steps,omitempty"`
	// Chosen says that the architecture among the inputs is the one that the search has found.
	Chosen bool `json:"chosen,omitempty"`
	// Arithmetic is what has computed: a device, its number format and its instruction set; more
	// than one where a stage went on elsewhere.
	Arithmetic []string `json:"arithmetic,omitempty"`
	// Changes are settings with which a training went on that had begun with others, a text each.
	Changes []string `json:"changes,omitempty"`
	// Outputs are the SHA-256 checksums of the stage's results by their path below the folder; none
	// until it is done.
	Outputs map[string]string `json:"outputs,omitempty"`
}

// RecordSchema is the version of the form that this program writes.
const RecordSchema = 1

// recordBack is what to do about a record that is damaged: one that is gone is written again from
// what is there, as for a folder of an earlier version.
const recordBack = "put the file back as it was; under another name it is kept, and the next verb writes it from what is there, whatever that was made of"

// ReadRecord reads the record of a stage at a path below the folder; none is nil.
func (d Folder) ReadRecord(path string) (*Record, error) {
	var r Record
	b, err := atomicfile.ReadAtMost(d.File(path), maxJSON)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fault.New(fault.ExitInvalid, recordBack, "%s: %w", d.File(path), err)
	}
	switch {
	case r.Schema > RecordSchema:
		return nil, fault.New(fault.ExitInvalid, "use the version of oneshot that made this run, or a newer one",
			"%s: schema %d is newer than this program's %d", d.File(path), r.Schema, RecordSchema)
	case r.Schema < 1 || r.Stage == "" || r.Inputs == nil:
		return nil, fault.New(fault.ExitInvalid, recordBack, "%s: not the record of a stage", d.File(path))
	}
	for name := range r.Outputs { // they are read to be compared
		if !filepath.IsLocal(name) {
			return nil, fault.New(fault.ExitInvalid, recordBack, "%s: %.80q is no path below the folder", d.File(path), name)
		}
	}
	return &r, nil
}

// WriteRecord writes one. Its folder is made where it is missing, with a name that lasts.
func (d Folder) WriteRecord(path string, r Record) error {
	dir := filepath.Dir(d.File(path))
	if err := atomicfile.OS.Mkdir(dir, 0o755); err == nil {
		if err := atomicfile.OS.SyncDir(filepath.Dir(dir)); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	r.Schema = RecordSchema
	return d.WriteJSON(r, path)
}

// KeepRecord writes a record unless the same one is there.
func (d Folder) KeepRecord(path string, r Record) error {
	r.Schema = RecordSchema
	have, err := d.ReadRecord(path)
	if err != nil || have != nil && reflect.DeepEqual(*have, r) {
		return err // a damaged one, or that of a newer version, is not written over
	}
	return d.WriteRecord(path, r)
}

// Hashes are the checksums of files below the folder, by their paths; what is missing has none.
func (d Folder) Hashes(paths ...string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range paths {
		sum, _, err := HashFile(d.File(p))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[p] = sum
	}
	return out, nil
}

// Differences names what has two values in two lists of inputs, in the order of the names. What
// only one of them has is none: another version of the program recorded other names.
func Differences(was, now map[string]string) (names []string) {
	for name, v := range was {
		if w, ok := now[name]; ok && w != v {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
