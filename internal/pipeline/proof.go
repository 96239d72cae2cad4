package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/weights"
)

// What is compared here has no checksum among the results of a record: the configuration, lines of a
// search, what a training started from, and the trainings of further seeds.

// configAsWritten refuses a config.yaml that is not the one whose checksum the manifest has: keys that are
// missing would silently take the preset's values.
func configAsWritten(d rundir.Folder) error {
	path := d.File("config.yaml")
	sum, _, err := rundir.HashFile(path)
	if err != nil {
		return err
	}
	m, err := d.ReadManifest()
	if err != nil || m.ConfigSHA256 == "" || m.ConfigSHA256 == sum || m.ConfigBefore == sum {
		return nil // a manifest that cannot be read is refused where it is needed
	}
	return fault.New(fault.ExitInvalid, configBack, "%s was changed since the run wrote it (sha256 %.12s, was %.12s)", path, sum, m.ConfigSHA256)
}

// newer is the error of a record in the folder that cannot be read, or of a checkpoint or record that a newer
// version has written.
func newer(d rundir.Folder) error {
	for _, s := range Stages {
		if _, err := d.ReadRecord(s.Record); err != nil {
			return err
		}
		if s.trains() {
			if err := weights.Newer(d.File(s.Begun)); err != nil {
				return fault.WithCode(err, fault.ExitInvalid, "use the version of oneshot that made this run, or a newer one")
			}
		}
	}
	return nil
}

// otherTrainings says what of the results of several seeds, and of what the trainings started from, is not as
// their records have it; "" is nothing.
func (s Stage) otherTrainings(d rundir.Folder, c config.Config) (string, error) {
	for i, of := range everyRepeat(d, c.Retrain, c.Seed) {
		if s.Name == "retrain" {
			if _, err := startOf(of.folder, c.Retrain); err != nil {
				return err.Error(), nil
			}
		}
		rec, err := of.folder.ReadRecord(s.Record)
		if err != nil {
			return "", err
		}
		if i == 0 || rec == nil || len(rec.Outputs) == 0 {
			continue // the first is that of the run folder itself
		}
		have, err := s.results(of.folder)
		if err != nil {
			return "", err
		}
		for _, name := range slices.Sorted(maps.Keys(rec.Outputs)) {
			if have[name] != rec.Outputs[name] {
				return of.folder.File(name) + " is not the one that the stage left", nil
			}
		}
	}
	return "", nil
}

// resultName is what a result is called in messages: of a training whose newest checkpoint is damaged, with the
// damage.
func (s Stage) resultName(d rundir.Folder, name string) string {
	if s.trains() && name != archFile {
		if err := weights.Unfit(d.File(s.Begun)); err != nil {
			return fmt.Sprintf("%s (%v)", name, err)
		}
	}
	return name
}

// proveSearch compares the lines of a search with their checksums. lost says of which some are gone;
// a line that is another than was written is an error.
func proveSearch(d rundir.Folder) (lost string, err error) {
	entries, err := os.ReadDir(d.File("search"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".sums")
		if !ok {
			continue
		}
		proof, err := rundir.ProveLines(d.File("search", name+".jsonl"))
		if err != nil {
			return "", err
		}
		if proof.Lost > 0 && lost == "" {
			lost = proof.Note
		}
	}
	return lost, nil
}
