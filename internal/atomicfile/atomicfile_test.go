package atomicfile_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"oneshot/internal/atomicfile"
	"oneshot/internal/atomicfile/faultfs"
)

// writer is WriteTo or one of its broken twins.
type writer func(fsys atomicfile.FS, path, content string) error

func good(fsys atomicfile.FS, path, content string) error {
	return atomicfile.WriteTo(fsys, path, 0o644, func(w io.Writer) error {
		_, err := io.WriteString(w, content)
		return err
	})
}

// The twins each leave out one part of the procedure; errors and cuts say which
// of the two sweeps must notice.
var twins = map[string]struct {
	write        writer
	errors, cuts bool
}{
	"in place": {func(fsys atomicfile.FS, path, content string) error {
		if err := fsys.Remove(path); err != nil {
			return err
		}
		return rawCreate(fsys, path, content, true)
	}, true, true},
	"no fsync":                  {renameTwin(false, true, true, true), false, true},
	"no fsync of the directory": {renameTwin(true, false, true, true), false, true},
	"write error dropped":       {renameTwin(true, true, false, true), true, false},
	"temporary file left":       {renameTwin(true, true, true, false), true, false},
}

// renameTwin is a writer with some of its duties switched off.
func renameTwin(syncFile, syncDir, heedWrite, cleanUp bool) writer {
	return func(fsys atomicfile.FS, path, content string) error {
		temp := path + ".tmp"
		err := rawCreate(fsys, temp, content, syncFile)
		if !heedWrite && errors.Is(err, syscall.ENOSPC) {
			err = nil
		}
		if err == nil {
			err = fsys.Rename(temp, path)
		}
		if err != nil && cleanUp {
			return errors.Join(err, atomicfile.RemoveTree(fsys, temp))
		}
		if err != nil || !syncDir {
			return err
		}
		return fsys.SyncDir(filepath.Dir(path))
	}
}

func rawCreate(fsys atomicfile.FS, path, content string, sync bool) error {
	f, err := fsys.Create(path, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, content)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

const before, after = "old content", "the new content"

// newTarget returns a directory with one file in it.
func newTarget(t *testing.T) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, "result.json")
	if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, path
}

// sweepErrors fails every call of write in turn. It returns the number of
// injections and the first broken promise.
func sweepErrors(t *testing.T, write writer, cause error) (injections int, fault error) {
	for n := 1; ; n++ {
		dir, path := newTarget(t)
		f := &faultfs.FS{FailAt: n, Err: cause}
		err := write(f, path, after)
		if f.Injected == 0 {
			return injections, errors.Join(fault, err)
		}
		injections++
		got, readErr := os.ReadFile(path)
		last := f.Calls == n && faultOnSyncDir(f, n)
		switch {
		case fault != nil:
		case !errors.Is(err, cause):
			fault = fmt.Errorf("call %d failed, the error is %v", n, err)
		case readErr != nil:
			fault = fmt.Errorf("call %d failed: %w", n, readErr)
		case string(got) != before && !(last && string(got) == after):
			fault = fmt.Errorf("call %d failed, the file holds %q", n, got)
		case entries(t, dir) != 1:
			fault = fmt.Errorf("call %d failed, a temporary file stayed", n)
		}
	}
}

// faultOnSyncDir reports whether all that the writer had to do before call n,
// which failed, was done: the rename is the last operation that took effect.
func faultOnSyncDir(f *faultfs.FS, n int) bool {
	return n > 1 && len(f.Ops) == n-1 && f.Ops[n-2].Kind == faultfs.Rename
}

// sweepPowerCuts cuts the power after every call, with every combination of
// what had been written back.
func sweepPowerCuts(t *testing.T, write writer) (outcomes int, fault error) {
	base, _ := newTarget(t)
	dir, path := newTarget(t)
	f := &faultfs.FS{}
	if err := write(f, path, after); err != nil {
		t.Fatal(err)
	}
	remains, err := faultfs.PowerCuts(base, dir, f.Ops)
	if err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	for i, r := range remains {
		dst := filepath.Join(scratch, fmt.Sprint(i))
		if err := r.Write(dst); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dst, "result.json"))
		whole := err == nil && (string(got) == before && r.After < len(f.Ops) || string(got) == after)
		if !whole && fault == nil {
			fault = fmt.Errorf("power cut after %d of %v, %+v: %q, %v", r.After, f.Ops, r.Loss, got, err)
		}
	}
	return len(remains), fault
}

func entries(t *testing.T, dir string) int {
	t.Helper()
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return len(es)
}

func TestWriteSurvivesEveryError(t *testing.T) {
	for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
		n, fault := sweepErrors(t, good, cause)
		if fault != nil {
			t.Errorf("%v: %v", cause, fault)
		}
		if n < 6 { // create, write, fsync, close, rename, fsync of the directory
			t.Errorf("%v: only %d injections", cause, n)
		}
		t.Logf("%v: %d injections", cause, n)
	}
}

func TestWriteSurvivesPowerCuts(t *testing.T) {
	n, fault := sweepPowerCuts(t, good)
	if fault != nil {
		t.Error(fault)
	}
	if n < 5 { // the old alone, beside an empty file, beside a full one; the new one before the end and at it
		t.Errorf("only %d outcomes of power cuts", n)
	}
	t.Logf("%d outcomes of power cuts", n)
}

func TestSweepsCatchBrokenTwins(t *testing.T) {
	for name, twin := range twins {
		_, fault := sweepErrors(t, twin.write, syscall.ENOSPC)
		if (fault != nil) != twin.errors {
			t.Errorf("%s: the sweep of errors finds %v", name, fault)
		}
		_, fault = sweepPowerCuts(t, twin.write)
		if (fault != nil) != twin.cuts {
			t.Errorf("%s: the sweep of power cuts finds %v", name, fault)
		}
	}
}

func TestWriteOrder(t *testing.T) {
	_, path := newTarget(t)
	f := &faultfs.FS{}
	if err := good(f, path, after); err != nil {
		t.Fatal(err)
	}
	want := []faultfs.Kind{faultfs.Create, faultfs.Write, faultfs.Sync, faultfs.Close, faultfs.Rename, faultfs.SyncDir}
	var got []faultfs.Kind
	for _, op := range f.Ops {
		got = append(got, op.Kind)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("calls %v, want %v", got, want)
	}
}

func TestWriteFailingCallback(t *testing.T) {
	dir, path := newTarget(t)
	// fs.ErrExist from the callback must not look like a taken temporary name.
	for _, cause := range []error{errors.New("encoder failed"), fs.ErrExist} {
		err := atomicfile.Write(path, 0o644, func(w io.Writer) error {
			io.WriteString(w, "half")
			return cause
		})
		if !errors.Is(err, cause) {
			t.Errorf("error %v does not wrap %v", err, cause)
		}
	}
	if got, _ := os.ReadFile(path); string(got) != before || entries(t, dir) != 1 {
		t.Errorf("%q with %d entries", got, entries(t, dir))
	}
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"", dir + "/", filepath.Join(dir, "missing", "file"), dir} {
		if err := atomicfile.WriteFile(path, nil, 0o644); err == nil {
			t.Errorf("%q: no error", path)
		}
	}
	if n := entries(t, dir); n != 0 {
		t.Errorf("%d entries left", n)
	}
}

func TestCreateSyncedKeepsWhatIsThere(t *testing.T) {
	_, path := newTarget(t)
	err := atomicfile.CreateSynced(atomicfile.OS, path, 0o644, func(w io.Writer) error { return nil })
	if got, _ := os.ReadFile(path); !errors.Is(err, fs.ErrExist) || string(got) != before {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWriteMode(t *testing.T) {
	_, path := newTarget(t)
	if err := atomicfile.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 || info.Size() != 0 {
		t.Errorf("%v %v", info, err)
	}
}

func TestWriteConcurrently(t *testing.T) {
	dir, path := newTarget(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := atomicfile.WriteFile(path, fmt.Appendf(nil, "%d%d%d", i, i, i), 0o644); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	got, _ := os.ReadFile(path)
	if len(got) != 3 || got[0] != got[1] || got[1] != got[2] || entries(t, dir) != 1 {
		t.Errorf("%q with %d entries", got, entries(t, dir))
	}
}

func TestRemoveTemps(t *testing.T) {
	dir, path := newTarget(t)
	f := &faultfs.FS{FailAt: 3, Die: true}
	if err := good(f, path, after); !errors.Is(err, faultfs.ErrDead) {
		t.Fatal(err)
	}
	if n := entries(t, dir); n != 2 {
		t.Fatalf("%d entries after the death of a writer", n)
	}
	keep := []string{".tmp-1-2", ".a.tmp-1", ".a.tmp-x-1", "a.tmp-1-2", ".a.tmp-1-", ".config"}
	for _, name := range keep {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := atomicfile.RemoveTemps(dir); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if n := entries(t, dir); n != 1+len(keep) {
		t.Errorf("%d entries left", n)
	}
	if _, err := atomicfile.RemoveTemps(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestErrorsNameTheFile: whatever call fails, the error names the file that was asked for, and no temporary one.
func TestErrorsNameTheFile(t *testing.T) {
	for n := 1; ; n++ {
		_, path := newTarget(t)
		f := &faultfs.FS{FailAt: n, Err: &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}}
		err := good(f, path, after)
		if f.Injected == 0 {
			if n < 5 {
				t.Errorf("%d calls are too few", n-1)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), ".tmp-") || strings.Count(err.Error(), path) > 1 {
			t.Errorf("call %d: %v", n, err)
		}
		f = &faultfs.FS{FailAt: n, Err: syscall.ENOSPC, Stays: true} // the removal of what was written fails too
		if err := good(f, path, after); !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), ".tmp-") {
			t.Errorf("call %d and what follows: %v", n, err)
		}
	}
}

// TestWriteWrapsOnce: whoever writes may wrap the error of the disk; it names the file, not the temporary one.
func TestWriteWrapsOnce(t *testing.T) {
	_, path := newTarget(t)
	f := &faultfs.FS{FailAt: 2, Err: syscall.ENOSPC}
	err := atomicfile.WriteTo(f, path, 0o644, func(w io.Writer) error {
		_, err := w.Write(make([]byte, 1<<20))
		return fmt.Errorf("copy x: %w", err)
	})
	var named *fs.PathError
	if f.Injected != 1 || !errors.As(err, &named) || named.Path != path || !errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), ".tmp-") {
		t.Errorf("%v", err)
	}
}

// TestWriteCheckedKeepsTheOldFile: what a check refuses does not take the place of what was there, and nothing is left of it.
func TestWriteCheckedKeepsTheOldFile(t *testing.T) {
	dir, path := newTarget(t)
	refused := errors.New("refused")
	read := ""
	write := func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }
	err := atomicfile.WriteChecked(path, 0o644, write, func(temp string) error {
		b, err := os.ReadFile(temp)
		read = string(b)
		return errors.Join(err, refused)
	})
	b, _ := os.ReadFile(path)
	entries, _ := os.ReadDir(dir)
	if !errors.Is(err, refused) || read != "new" || string(b) == "new" || len(entries) != 1 {
		t.Errorf("%v: read %q, there is %q, %d entries", err, read, b, len(entries))
	}
	if err := atomicfile.WriteChecked(path, 0o644, write, func(string) error { return nil }); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "new" {
		t.Errorf("%q", b)
	}
}

// TestRealPath: links are followed as far as there is something, as the system does.
func TestRealPath(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(base, "run", "export"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("run", "export"), filepath.Join(base, "link")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(base)
	for path, want := range map[string]string{
		"": "", ".": "", "run": "run", "link": "run/export", "link/": "run/export", "link/new/deep": "run/export/new/deep",
		"link/../config.yaml": "run/config.yaml", "new/../x": "x", "./new": "new", "run/../link/a": "run/export/a",
	} {
		for _, given := range []string{path, base + "/" + path} {
			if got, err := atomicfile.RealPath(given); err != nil || got != filepath.Join(base, want) {
				t.Errorf("%q: %q, %v, want %q", given, got, err, filepath.Join(base, want))
			}
		}
	}
}
