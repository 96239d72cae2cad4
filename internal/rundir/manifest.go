package rundir

import (
	"encoding/json"
	"errors"
	"fmt"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// Program is a build of oneshot.
type Program struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Manifest says where a run was made. It holds times and the machine, so it is
// not among the files that are equal between two runs.
type Manifest struct {
	Schema int `json:"schema"`
	Program
	CPU  string `json:"cpu"`
	Seed uint64 `json:"seed"`
	// ConfigSHA256 is that of config.yaml as the run wrote it.
	ConfigSHA256 string `json:"config_sha256"`
	// ConfigBefore is that of the config.yaml in whose place it is written, from a change until the next
	// command: the two files cannot change at once, and a process may be killed in between.
	ConfigBefore string   `json:"config_sha256_before,omitempty"`
	Dataset      Dataset  `json:"dataset"`
	Started      string   `json:"started"`
	Resumed      []string `json:"resumed,omitempty"`
	// Start is what the retraining started from, if not from random weights.
	Start *Start `json:"init,omitempty"`
	// Check is the file's own checksum. It is of the file: a manifest in memory has none.
	Check string `json:"check,omitempty"`
}

// Dataset is what the images of a run were.
type Dataset struct {
	Name    string `json:"name"`
	Format  string `json:"format,omitempty"`  // how the files are laid out
	Decoder string `json:"decoder,omitempty"` // what decodes image files, with its version
	Source  string `json:"source"`            // what the bytes are known to be
	SHA256  string `json:"sha256"`
	Classes string `json:"classes_sha256,omitempty"` // of their names, a line each
	Train   int    `json:"train"`
	Search  int    `json:"search"`
	Test    int    `json:"test"`
	// TestBySeed says whether the seed has chosen which images are the test's; null where an earlier version began the run.
	TestBySeed *bool    `json:"test_by_seed,omitempty"`
	Roles      string   `json:"roles,omitempty"` // which split is used for what
	Notes      []string `json:"notes,omitempty"` // what was noticed about them
}

// ManifestSchema is the version of the form that this program writes.
const ManifestSchema = 1

// manifestBack is what to do about a manifest that is damaged.
const manifestBack = "put the file back as it was; renamed to manifest.json.damaged it is kept, and the run goes on, but nothing tells then whether the images are those that it began with"

// ReadManifest reads manifest.json; a missing one is fs.ErrNotExist.
func (d Folder) ReadManifest() (Manifest, error) {
	var m Manifest
	path := d.File("manifest.json")
	b, err := atomicfile.ReadAtMost(path, 1<<20)
	if err != nil {
		return m, err
	}
	if schema := schemaOf(b); schema > ManifestSchema {
		_ = json.Unmarshal(b, &m) // for the version, as far as it can be read
		return m, newer(path, schema, ManifestSchema, m.Version)
	}
	if err := strictly(b, &m); err != nil {
		return m, fault.New(fault.ExitInvalid, manifestBack, "%s: damaged%s: %w", path, place(err, len(b)), err)
	}
	if err := checked(b, m.Check); err != nil {
		return m, fault.New(fault.ExitInvalid, manifestBack, "%s: damaged: %w", path, err)
	}
	if m.Schema < 1 {
		return m, fault.New(fault.ExitInvalid, manifestBack, "%s: damaged: not the manifest of a run", path)
	}
	m.Check = ""
	return m, nil
}

// WriteManifest writes manifest.json, with its checksum.
func (d Folder) WriteManifest(m Manifest) error {
	m.Check = ""
	return d.writeChecked(m, "manifest.json")
}

// newer is the error of a file whose form this program does not know; version, if known, wrote it.
func newer(path string, schema, ours int, version string) error {
	if version != "" {
		version = fmt.Sprintf(" (made by version %.40q)", version)
	}
	return fault.New(fault.ExitInvalid, "use the version of oneshot that made this run, or a newer one",
		"%w", newerError(fmt.Sprintf("%s: schema %d is newer than this program's %d%s", path, schema, ours, version)))
}

// newerError is what newer says.
type newerError string

func (e newerError) Error() string { return string(e) }

// IsNewer says whether an error is that of a file which a newer version has written: it is no damage.
func IsNewer(err error) bool {
	var e newerError
	return errors.As(err, &e)
}
