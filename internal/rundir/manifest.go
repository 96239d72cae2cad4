package rundir

import (
	"encoding/json"

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
	ConfigSHA256 string   `json:"config_sha256"`
	Dataset      Dataset  `json:"dataset"`
	Started      string   `json:"started"`
	Resumed      []string `json:"resumed,omitempty"`
	// Start is what the retraining started from, if not from random weights.
	Start *Start `json:"init,omitempty"`
}

// Dataset is what the images of a run were.
type Dataset struct {
	Name    string   `json:"name"`
	Format  string   `json:"format,omitempty"`  // how the files are laid out
	Decoder string   `json:"decoder,omitempty"` // what decodes image files, with its version
	Source  string   `json:"source"`            // what the bytes are known to be
	SHA256  string   `json:"sha256"`
	Classes string   `json:"classes_sha256,omitempty"` // of their names, a line each
	Train   int      `json:"train"`
	Search  int      `json:"search"`
	Test    int      `json:"test"`
	Roles   string   `json:"roles,omitempty"` // which split is used for what
	Notes   []string `json:"notes,omitempty"` // what was noticed about them
}

// ManifestSchema is the version of the form that this program writes.
const ManifestSchema = 1

// ReadManifest reads manifest.json; a missing one is fs.ErrNotExist.
func (d Folder) ReadManifest() (Manifest, error) {
	var m Manifest
	path := d.File("manifest.json")
	b, err := atomicfile.ReadAtMost(path, 1<<20)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fault.New(fault.ExitInvalid, "put the file back as it was; renamed to manifest.json.damaged it is kept, and the run goes on, but nothing tells then whether the images are those that it began with",
			"%s: damaged%s: %w", path, place(err, len(b)), err)
	}
	if m.Schema > ManifestSchema {
		return m, fault.New(fault.ExitInvalid, "use the version of oneshot that made this run, or a newer one",
			"%s: schema %d is newer than this program's %d (made by version %s)", path, m.Schema, ManifestSchema, m.Version)
	}
	return m, nil
}
