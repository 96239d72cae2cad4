package pipeline

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// Folders of a run with exports of other weights than its retraining ends with. Each has its record beside its files; that
// of inherited weights has a folder for each architecture, named by its hash.
const (
	inheritedFolder = "export-inherited"
	rawFolder       = "export-raw"
	otherRecord     = "record.json"
)

// inSettings are the keys that decide about inherited weights beside the supernet.
var inSettings = []string{"seed", "data.", "net.", "score.recal_images", "score.recal_batch", "score.images"}

// otherResults are the checksums of the files of an export that is not the run's.
func otherResults(d rundir.Folder) (map[string]string, error) {
	names := []string{"model.safetensors", "arch.json"}
	for _, f := range formFiles {
		names = append(names, f)
	}
	return d.Hashes(names...)
}

// inheritedInputs is what inherited weights are made of, but for the architecture.
func inheritedInputs(c config.Config, images rundir.Dataset, d rundir.Folder) map[string]string {
	s := Stage{Keys: inSettings}
	of := c.Values(func(key string) bool { return s.decides(key) && !slices.Contains(unrecorded, key) })
	for name, sum := range map[string]string{inImages: images.SHA256, inClasses: images.Classes, inSupernet: trained("train", d)} {
		if sum != "" {
			of[name] = sum
		}
	}
	return of
}

// isOther says whether a folder is one of those in a run folder that exports of other weights are written to.
func isOther(dir string) bool {
	return filepath.Base(dir) == rawFolder || filepath.Base(filepath.Dir(dir)) == inheritedFolder
}

// otherAsLeft refuses a file of such a folder that its record does not name.
func otherAsLeft(d rundir.Folder, name string) error {
	err := d.AsLeft(otherRecord, name)
	if fault.Classify(err).Code != fault.ExitInvalid {
		return err
	}
	return fault.Wrap(fault.ExitInvalid, err, "`oneshot export` with the same --weights and --subnet writes it again")
}

// OtherExports says of the exports of other weights that a run folder has what is not of what is there now, a text each.
func OtherExports(d rundir.Folder) (notes []string, err error) {
	folders := []string{rawFolder}
	entries, _ := os.ReadDir(d.File(inheritedFolder)) // none where there is no such folder
	for _, e := range entries {
		folders = append(folders, filepath.Join(inheritedFolder, e.Name()))
	}
	var c config.Config
	for _, f := range folders {
		of := rundir.Folder(d.File(f))
		rec, err := of.ReadRecord(otherRecord)
		if err != nil {
			return nil, err
		}
		if rec == nil {
			if of.Has("model.safetensors") {
				notes = append(notes, f+" has no record: its export was stopped")
			}
			continue
		}
		if c.Data.Name == "" {
			if c, err = loadStored(d); err != nil {
				return nil, err
			}
		}
		m, err := d.ReadManifest()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		now := inheritedInputs(c, m.Dataset, d)
		if f == rawFolder {
			if now, err = inputs("export", c, m.Dataset, d); err != nil {
				return nil, err
			}
		}
		if names := rundir.Differences(rec.Inputs, now); len(names) > 0 {
			notes = append(notes, f+" was exported from something else than is there now:"+strings.ReplaceAll(changes(*rec, now, names), "\n ", ""))
			continue
		}
		have, err := otherResults(of)
		if err != nil {
			return nil, err
		}
		if !maps.Equal(have, rec.Outputs) {
			notes = append(notes, f+" has other files than its export has left")
		}
	}
	return notes, nil
}
