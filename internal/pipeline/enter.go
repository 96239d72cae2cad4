package pipeline

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/machine"
	"oneshot/internal/rundir"
)

// nothingToWrite refuses in a folder that cannot be written to what changes it.
func (o *opening) nothingToWrite(dir *rundir.Dir) error {
	if len(o.overridden)+len(o.redone) > 0 || len(config.Drift(*o.old, o.config)) > 0 {
		return dir.Unwritable
	}
	o.UI.Warnf("%v: what is there is only read", dir.Unwritable)
	return nil
}

// enter writes what describes the run, and has what is said kept in its folder.
func (o *opening) enter(r *Run, needs []DiskNeed) error {
	log, err := r.dir.OpenLog()
	if err == nil {
		err = o.adoptRecords(r)
	}
	if err == nil {
		err = o.describe(r)
	}
	if err == nil {
		err = r.tidy()
	}
	if err != nil {
		return err
	}
	if line := short(needs, r.Folder, freeDisk(r.Folder)); line != "" {
		o.UI.Warnf("%s", line)
	}
	o.UI.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.UI.Every = time.Duration(r.Config.Run.LogSeconds) * time.Second
	return nil
}

// describe writes config.yaml and manifest.json. What the manifest of a run that is continued says
// of its beginning stays.
func (o *opening) describe(r *Run) error {
	now := o.now.Format(time.RFC3339)
	m := rundir.Manifest{
		Schema: rundir.ManifestSchema, Program: o.Program, CPU: machine.CPUModel(), Seed: r.Config.Seed, Started: now,
		Dataset: r.described,
	}
	if o.stored {
		old, err := r.Folder.ReadManifest()
		switch {
		case errors.Is(err, fs.ErrNotExist): // stopped before it was written
		case err != nil:
			return err
		default:
			m.Started = old.Started
			m.Resumed, m.Start = append(old.Resumed, now), old.Start
		}
	}
	return r.writeConfig(m)
}

// writeConfig writes the manifest with the checksum of the configuration, and then the configuration.
// Where a process is killed in between, the manifest knows the configuration that is still there.
func (r *Run) writeConfig(m rundir.Manifest) error {
	b, err := r.Config.YAML()
	if err != nil {
		return err
	}
	m.ConfigSHA256 = fmt.Sprintf("%x", sha256.Sum256(b))
	m.ConfigBefore = ""
	path := r.Folder.File("config.yaml")
	if there, _, err := rundir.HashFile(path); err == nil && there != m.ConfigSHA256 {
		m.ConfigBefore = there
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := r.Folder.WriteManifest(m); err != nil {
		return err
	}
	return atomicfile.WriteFile(path, b, 0o644)
}
