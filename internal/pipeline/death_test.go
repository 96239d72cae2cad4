package pipeline

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"oneshot/internal/atomicfile"
	"oneshot/internal/faulttest"
)

// mortal is the file system of a process that is killed before its n-th change of names. The test calls
// what the process would do, so at that moment nothing else writes, and a copy of the folder is what a
// kill -9 would leave; what the "process" does afterwards goes into the folder that is given up.
type mortal struct {
	atomicfile.FS
	left int // changes until then; 0 is never
	die  func()
}

func (m *mortal) change() {
	if m.left--; m.left == 0 {
		m.die()
	}
}

func (m *mortal) Create(path string, perm fs.FileMode) (atomicfile.File, error) {
	m.change()
	return m.FS.Create(path, perm)
}

func (m *mortal) Append(path string, perm fs.FileMode) (atomicfile.Growing, error) {
	m.change()
	return m.FS.Append(path, perm)
}

func (m *mortal) Link(from, to string) error {
	m.change()
	return m.FS.Link(from, to)
}

func (m *mortal) Mkdir(path string, perm fs.FileMode) error {
	m.change()
	return m.FS.Mkdir(path, perm)
}

func (m *mortal) Rename(from, to string) error {
	m.change()
	return m.FS.Rename(from, to)
}

func (m *mortal) Remove(path string) error {
	m.change()
	return m.FS.Remove(path)
}

func (m *mortal) SyncDir(dir string) error {
	m.change()
	return m.FS.SyncDir(dir)
}

// dyingAfter has the process die before its n-th change; 0 is never. undo gives it its file system back.
func dyingAfter(n int, die func()) (undo func()) {
	before := atomicfile.OS
	atomicfile.OS = &mortal{before, n, die}
	return func() { atomicfile.OS = before }
}

// crashImage is a copy of a folder with the times of its files; a folder that is missing has none.
func crashImage(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(dir))
	if _, err := os.Stat(dir); err != nil {
		return to
	}
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return os.Chtimes(filepath.Join(to, rel), info.ModTime(), info.ModTime())
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// TestFaultKillInSequences is TestModel with a row in the table of faults.
func TestFaultKillInSequences(t *testing.T) {
	tally, counts := faulttest.New("kill -9 in random sequences of verbs and changes"), map[string]int{}
	checkModel(t, faulttest.Times(3, 60), 8, func(rt *rapid.T) { model(rt, t, counts, nil) })
	t.Log(counts)
	if tally.Injected = counts["killed"]; !t.Failed() {
		tally.Survived = tally.Injected
	}

	// The broken twin: a program that is killed before it goes on with other settings, and whose records
	// say that it never did.
	how := ""
	m := &modelRun{dir: newRun(t), t: t, counts: counts, first: map[string]string{}}
	m.failed = func(format string, args ...any) { how = format }
	m.act(modelStep{verb: "run"})
	m.act(modelStep{verb: "train", set: "train.steps=24", override: true})
	m.act(modelStep{verb: "search", override: true, kill: 6})
	before := how
	relabel(m.dir, "search/record.json", inSupernet, sumOfNewest(m.dir, "supernet"))
	m.look()
	tally.Twin("a record of another supernet", before == "" && how != "")
	tally.Report(t)
}
