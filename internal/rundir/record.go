package rundir

import (
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

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
	// Metrics are the SHA-256 checksums of the stage's lines of metrics.jsonl up to the steps of the last
	// checkpoints, by step.
	Metrics map[string]string `json:"metrics,omitempty"`
	// Loss and Replaced are those of Trained when a training was complete. metrics.jsonl has no checksum,
	// so what a result says of a training is kept here.
	Loss     *float64 `json:"loss,omitempty"`
	Replaced int      `json:"replaced,omitempty"`
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
	// Start is what a retraining started from, if not from random weights; init.json has the same.
	Start *Start `json:"init,omitempty"`
	// Check is the file's own checksum. It is of the file: a record in memory has none.
	Check string `json:"check,omitempty"`
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
	if schema := schemaOf(b); schema > RecordSchema {
		return nil, newer(d.File(path), schema, RecordSchema, "")
	}
	if err := strictly(b, &r); err != nil {
		return nil, fault.New(fault.ExitInvalid, recordBack, "%s: damaged%s: %w", d.File(path), place(err, len(b)), err)
	}
	if err := checked(b, r.Check); err != nil {
		return nil, fault.New(fault.ExitInvalid, recordBack, "%s: damaged: %w", d.File(path), err)
	}
	r.Check = ""
	if r.Schema < 1 || r.Stage == "" || r.Inputs == nil {
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
	r.Schema, r.Check = RecordSchema, ""
	return d.writeChecked(r, path)
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

// AsLeft is an error where a file below the folder is not the one that the stage of a record has left
// there. Without a record, or until the stage is complete, nothing is known of it.
func (d Folder) AsLeft(record, path string) error {
	rec, err := d.ReadRecord(record)
	if err != nil || rec == nil || rec.Outputs[path] == "" {
		return err
	}
	sum, _, err := HashFile(d.File(path))
	if err != nil || sum == rec.Outputs[path] {
		return err
	}
	return fault.New(fault.ExitInvalid, d.Remedy(strings.Split(path, "/")...), "%s: not the file that the run wrote: sha256 %.12s, and %s has %.12s",
		d.File(path), sum, record, rec.Outputs[path])
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
