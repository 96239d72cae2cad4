package rundir

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/gofrs/flock"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// Dir is a run folder that this process holds.
type Dir struct {
	Folder
	lock    *flock.Flock
	log     atomicfile.Growing
	created []string // made by this process: the folder, then those above it
	locked  bool     // LOCK was created by this process
	// Unwritable says why nothing can be written to a folder that was opened only to be read; nil
	// where it is held.
	Unwritable error
	logged     bool // log.jsonl was created by this process
}

// DefaultPath is runs/YYYYMMDD-HHMMSS-preset, with a number behind it when
// that is taken.
func DefaultPath(now time.Time, preset string) string {
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

// Open creates or opens the folder, takes its lock, and proves that files
// can be written and renamed in it. Unless reuse is set, it must be empty. A folder that is reused and
// that nobody may write to is not held: see Unwritable.
func Open(path string, reuse bool, now time.Time) (*Dir, error) {
	d := &Dir{Folder: Folder(path)}
	for at := path; ; at = filepath.Dir(at) {
		if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
			break
		}
		d.created = append(d.created, at)
	}
	if err := d.MakeDir(); err != nil {
		return nil, unusable(path, err)
	}
	ok, err := d.tryLock()
	if reuse && readOnly(err) {
		d.lock, d.Unwritable = nil, unusable(path, err)
		return d, nil
	}
	if err != nil {
		d.Abandon()
		return nil, unusable(path, err)
	}
	if !ok {
		return nil, fault.New(fault.ExitLocked, "wait for it, stop it, or choose another folder with --out",
			"run folder %s is in use by %s", path, d.owner())
	}
	if err := d.prepare(reuse, now); reuse && readOnly(err) {
		d.Unwritable = err
	} else if err != nil {
		d.Abandon()
		return nil, err
	}
	return d, nil
}

// readOnly says whether an error is that nothing may be written.
func readOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

// tryLock takes the lock unless another process has it. A LOCK that was removed
// between opening and locking it holds nothing, so that is tried again.
func (d *Dir) tryLock() (bool, error) {
	path := d.File("LOCK")
	for range 10 {
		d.locked = !d.Has("LOCK")
		d.lock = flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW))
		ok, err := d.lock.TryLock()
		if errors.Is(err, syscall.ELOOP) { // the owner would be written over whatever it names
			err = fmt.Errorf("%s: %w: it is a link", path, atomicfile.ErrNotRegular)
		}
		if !ok || err != nil {
			d.locked = false
			return false, err
		}
		mine, err := d.lock.Stat()
		if err == nil && !mine.Mode().IsRegular() {
			err = fmt.Errorf("%s: %w", path, atomicfile.ErrNotRegular)
		}
		if err != nil {
			d.lock.Unlock()
			d.locked = false
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

func (d *Dir) prepare(reuse bool, now time.Time) error {
	entries, err := os.ReadDir(string(d.Folder))
	if err != nil {
		return unusable(string(d.Folder), err)
	}
	for _, e := range entries {
		if e.Name() != "LOCK" && !reuse {
			hint := "choose another folder with --out; --resume begins a run beside what is there"
			if d.Has("config.yaml") {
				hint = "continue it with --resume, or choose another folder with --out"
			}
			return fault.Usage(hint, "run folder %s is not empty", string(d.Folder))
		}
	}
	if err := d.probe(); err != nil {
		return unusable(string(d.Folder), err)
	}
	err = filepath.WalkDir(string(d.Folder), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			_, err = atomicfile.RemoveTemps(path)
		}
		return err
	})
	if err != nil {
		return unusable(string(d.Folder), err)
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

func (d *Dir) setOwner(now time.Time) error {
	host, _ := os.Hostname()
	b, err := json.Marshal(lockOwner{os.Getpid(), host, now.Format(time.RFC3339)})
	if err != nil {
		return err
	}
	// In place: a rename would leave the lock on a file that is gone.
	f, err := atomicfile.OS.Append(d.File("LOCK"), 0o644)
	if err != nil {
		return unusable(string(d.Folder), err)
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.Write(append(b, '\n'))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return unusable(string(d.Folder), err)
	}
	return nil
}

// maxOwner caps LOCK; ours has about 100 bytes.
const maxOwner = 4096

func (d *Dir) owner() string {
	b, err := atomicfile.ReadAtMost(d.File("LOCK"), maxOwner)
	if err != nil {
		b = nil
	}
	return ownerOf(b)
}

// ownerOf says whom the content of LOCK names. It may be being written, or be no content of ours.
func ownerOf(b []byte) string {
	var o lockOwner
	if json.Unmarshal(b, &o) != nil || o.PID < 1 || strings.ContainsFunc(o.Host+o.Since, unicode.IsControl) {
		return "another process"
	}
	return fmt.Sprintf("process %d on %s since %s", o.PID, o.Host, o.Since)
}

// probe writes, syncs and renames a file, so that a folder that cannot hold a
// checkpoint is found before the training, not after.
func (d *Dir) probe() error {
	path := d.File(".probe")
	if err := atomicfile.WriteFile(path, []byte("probe\n"), 0o644); err != nil {
		return err
	}
	return atomicfile.OS.Remove(path)
}

// OpenLog opens log.jsonl, in which is kept what is said from now on.
func (d *Dir) OpenLog() (io.Writer, error) {
	d.logged = !d.Has("log.jsonl")
	log, err := atomicfile.OS.Append(d.File("log.jsonl"), 0o644)
	if err != nil {
		d.logged = false
		return nil, err
	}
	d.log = log
	// Nothing reads the log back, so damage in it stops nothing; only a torn
	// last line is closed, so that ours do not continue it.
	var last [1]byte
	if info, err := os.Stat(d.File("log.jsonl")); err == nil && info.Size() > 0 {
		if _, err := log.ReadAt(last[:], info.Size()-1); err == nil && last[0] != '\n' {
			log.Write([]byte("\n"))
		}
	}
	return log, nil
}

// Close releases the lock; the LOCK file stays, as removing it would race with
// the next owner.
func (d *Dir) Close() {
	if d.log != nil {
		d.log.Sync()
		d.log.Close()
	}
	if d.lock != nil {
		d.lock.Unlock()
	}
}

// Abandon gives up a folder in which nothing was started: what this process
// created is removed again.
func (d *Dir) Abandon() {
	if d.log != nil {
		d.log.Close()
	}
	if d.logged {
		atomicfile.OS.Remove(d.File("log.jsonl"))
	}
	if d.locked {
		d.TakeStop() // it was for us, and would be all that is left in the folder
		atomicfile.OS.Remove(d.File("LOCK"))
	}
	for _, dir := range d.created { // as far as nobody else has put something there
		atomicfile.OS.Remove(dir)
	}
	if d.lock != nil {
		d.lock.Unlock()
	}
}
