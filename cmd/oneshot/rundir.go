package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// runDir is an open run folder, locked by this process:
//
//	config.yaml     resolved configuration, re-runnable
//	manifest.json   versions, machine, seed, checksum of the data
//	LOCK            flock; names the process that holds it
//	log.jsonl       what was said, with times
//	metrics.jsonl   one object per step, no times: equal after a resume
//	supernet/       checkpoints of the supernet
//	search/         samples.jsonl, rechecks.jsonl, baseline-*.jsonl, times.jsonl,
//	                best.json, tree.json, report.html
//	retrain/        arch.json, checkpoints of the final network
//	export/         model.safetensors, arch.json
//	result.json     the summary; written last, once
type runDir struct {
	path    string
	lock    *flock.Flock
	log     *jsonl
	created bool // the folder, by this process
	locked  bool // LOCK was created by this process
}

// file is the path of a file in the folder.
func (d *runDir) file(parts ...string) string {
	return filepath.Join(append([]string{d.path}, parts...)...)
}

// has reports whether the file exists.
func (d *runDir) has(parts ...string) bool {
	_, err := os.Stat(d.file(parts...))
	return err == nil
}

// defaultRunDir is runs/YYYYMMDD-HHMMSS-preset, with a number behind it when
// that is taken.
func defaultRunDir(now time.Time, preset string) string {
	if preset == "" {
		preset = "custom"
	}
	base := filepath.Join("runs", now.Format("20060102-150405")+"-"+preset)
	path := base
	for i := 2; i < 100; i++ {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			break
		}
		path = base + "-" + strconv.Itoa(i)
	}
	return path
}

// openRunDir creates or opens the folder, takes its lock, and proves that files
// can be written and renamed in it. Unless reuse is set, it must be empty.
func openRunDir(path string, reuse bool, now time.Time) (*runDir, error) {
	d := &runDir{path: path}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		d.created = true
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, unusable(path, err)
	}
	ok, err := d.tryLock()
	if err != nil {
		d.abandon()
		return nil, unusable(path, err)
	}
	if !ok {
		return nil, fault.New(fault.ExitLocked, "wait for it, stop it, or choose another folder with --out",
			"run folder %s is in use by %s", path, d.owner())
	}
	if err := d.prepare(reuse, now); err != nil {
		d.abandon()
		return nil, err
	}
	return d, nil
}

// tryLock takes the lock unless another process has it. A LOCK that was removed
// between opening and locking it holds nothing, so that is tried again.
func (d *runDir) tryLock() (bool, error) {
	path := d.file("LOCK")
	for range 10 {
		d.locked = !d.has("LOCK")
		d.lock = flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR))
		if ok, err := d.lock.TryLock(); !ok || err != nil {
			d.locked = false
			return false, err
		}
		mine, err := d.lock.Stat()
		if err != nil {
			return false, err
		}
		if there, err := os.Stat(path); err == nil && os.SameFile(mine, there) {
			return true, nil
		}
		d.lock.Unlock()
	}
	return false, fmt.Errorf("%s keeps changing", path)
}

func unusable(path string, err error) error {
	return fault.WithCode(fmt.Errorf("cannot use run folder %s: %w", path, err), fault.ExitUsage,
		"choose a writable folder with --out")
}

func (d *runDir) prepare(reuse bool, now time.Time) error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return unusable(d.path, err)
	}
	for _, e := range entries {
		if e.Name() != "LOCK" && !reuse {
			return fault.Usage("continue it with --resume, or choose another folder with --out",
				"run folder %s is not empty", d.path)
		}
	}
	if err := d.probe(); err != nil {
		return unusable(d.path, err)
	}
	for _, sub := range []string{".", "search", "retrain", "export"} {
		if _, err := atomicfile.RemoveTemps(d.file(sub)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return unusable(d.path, err)
		}
	}
	return d.setOwner(now)
}

// lockOwner is the content of LOCK. The lock itself is the kernel's, so a file
// left by a killed process holds nothing.
type lockOwner struct {
	PID   int    `json:"pid"`
	Host  string `json:"host"`
	Since string `json:"since"`
}

func (d *runDir) setOwner(now time.Time) error {
	host, _ := os.Hostname()
	b, err := json.Marshal(lockOwner{os.Getpid(), host, now.Format(time.RFC3339)})
	if err != nil {
		return err
	}
	// In place: a rename would leave the lock on a file that is gone.
	if err := os.WriteFile(d.file("LOCK"), append(b, '\n'), 0o644); err != nil {
		return unusable(d.path, err)
	}
	return nil
}

func (d *runDir) owner() string {
	var o lockOwner
	b, err := atomicfile.ReadAtMost(d.file("LOCK"), 4096)
	if err != nil || json.Unmarshal(b, &o) != nil || o.PID == 0 {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s since %s", o.PID, o.Host, o.Since)
}

// probe writes, syncs and renames a file, so that a folder that cannot hold a
// checkpoint is found before the training, not after.
func (d *runDir) probe() error {
	path := d.file(".probe")
	if err := atomicfile.WriteFile(path, []byte("probe\n"), 0o644); err != nil {
		return err
	}
	return os.Remove(path)
}

// openLog starts log.jsonl; what u says is kept there from now on.
func (d *runDir) openLog(u *ui) error {
	path := d.file("log.jsonl")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	d.log = &jsonl{f, path}
	u.log = slog.New(slog.NewJSONHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug}))
	// Nothing reads the log back, so damage in it stops nothing; only a torn
	// last line is closed, so that ours do not continue it.
	var last [1]byte
	if end, err := f.Seek(0, io.SeekEnd); err == nil && end > 0 {
		if _, err := f.ReadAt(last[:], end-1); err == nil && last[0] != '\n' {
			f.Write([]byte("\n"))
		}
	}
	return nil
}

// close releases the lock; the LOCK file stays, as removing it would race with
// the next owner.
func (d *runDir) close() {
	if d.log != nil {
		d.log.sync()
		d.log.close()
	}
	d.lock.Unlock()
}

// abandon gives up a folder in which nothing was started: what this process
// created is removed again.
func (d *runDir) abandon() {
	if d.locked {
		os.Remove(d.file("LOCK"))
	}
	if d.created {
		os.Remove(d.path)
	}
	if d.lock != nil {
		d.lock.Unlock()
	}
}

// manifest says where a run was made. It holds times and the machine, so it is
// not among the files that are equal between two runs.
type manifest struct {
	Schema   int    `json:"schema"`
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	CPU      string `json:"cpu"`
	Seed     uint64 `json:"seed"`
	// ConfigSHA256 is that of config.yaml as the run wrote it.
	ConfigSHA256 string          `json:"config_sha256"`
	Dataset      manifestDataset `json:"dataset"`
	Started      string          `json:"started"`
	Resumed      []string        `json:"resumed,omitempty"`
}

type manifestDataset struct {
	Name   string `json:"name"`
	Source string `json:"source"` // what the bytes are known to be
	SHA256 string `json:"sha256"`
	Train  int    `json:"train"`
	Search int    `json:"search"`
	Test   int    `json:"test"`
}

const manifestSchema = 1

func (d *runDir) readManifest() (manifest, error) {
	var m manifest
	path := d.file("manifest.json")
	b, err := atomicfile.ReadAtMost(path, 1<<20)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fault.New(fault.ExitInvalid, "", "%s: %w", path, err)
	}
	if m.Schema > manifestSchema {
		return m, fault.New(fault.ExitInvalid, "use the version of oneshot that made this run, or a newer one",
			"%s: schema %d is newer than this program's %d (made by version %s)", path, m.Schema, manifestSchema, m.Version)
	}
	return m, nil
}

func (d *runDir) writeJSON(v any, parts ...string) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", d.file(parts...), err)
	}
	if err := os.MkdirAll(filepath.Dir(d.file(parts...)), 0o755); err != nil {
		return err
	}
	return atomicfile.WriteFile(d.file(parts...), append(b, '\n'), 0o644)
}

// readJSON reads a file of ours strictly into v; a missing one is fs.ErrNotExist.
func (d *runDir) readJSON(v any, parts ...string) error {
	path := d.file(parts...)
	b, err := atomicfile.ReadAtMost(path, 1<<20)
	if err != nil {
		return err
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fault.New(fault.ExitInvalid, "delete the file to make it again with --resume", "%s: %w", path, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fault.New(fault.ExitInvalid, "delete the file to make it again with --resume", "%s: more text after the object", path)
	}
	return nil
}
