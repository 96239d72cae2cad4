package pipeline

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"oneshot/internal/atomicfile"
	"oneshot/internal/atomicfile/faultfs"
	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
)

// injections are what file systems answer.
var injections = []struct {
	cause error
	stays bool
	code  int // the exit code; 0 is any that is no success
}{
	{syscall.ENOSPC, false, fault.ExitSpace},
	{syscall.EIO, false, 0},
	{syscall.ENOSPC, true, fault.ExitSpace},
	{syscall.EDQUOT, false, fault.ExitSpace},
	{syscall.EROFS, true, 0},
	{syscall.EFBIG, false, fault.ExitSpace},
}

// fails has call n of a sweep fail, and goes on with a disk that works again. injected is false where
// there was no such call.
func (s *sweep) fails(t *testing.T, wrap func(atomicfile.FS) atomicfile.FS, n int, cause error, stays bool, code int) (injected bool, err error) {
	dir := s.copy(t)
	defer os.RemoveAll(dir)
	f := &faultfs.FS{FailAt: n, Err: cause, Stays: stays, Counts: notLog}
	failed := through(wrap(f), func() error { return do(t.Context(), s.ask(dir)) })
	if f.Injected == 0 {
		return false, failed
	}
	err = s.said(failed, f, cause, code)
	if err == nil && failed == nil {
		return true, s.fresh(dir) // it was of no consequence
	}
	if err == nil && !stays && f.Failed.Kind != faultfs.Remove {
		err = tidy(dir)
	}
	if err == nil {
		err = s.honest(dir)
	}
	if err == nil {
		err = through(quick{atomicfile.OS}, func() error { return s.resumes(t.Context(), dir) })
	}
	if err != nil {
		err = fmt.Errorf("%s: %v (stays: %v) at call %d, %s: %w", s.name, cause, stays, n, strings.ReplaceAll(f.Failed.String(), dir, ""), err)
	}
	return true, err
}

// said wants an error to name its cause and the file, and to have the exit code of the cause.
func (s *sweep) said(failed error, f *faultfs.FS, cause error, code int) error {
	if failed == nil {
		return nil
	}
	got := fault.Classify(failed)
	path, _, _ := strings.Cut(f.Failed.Path, ".del.tmp") // of a checkpoint that makes room for others
	name, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(path), "."), ".tmp")
	if f.Injected > 1 { // the first may have been of no consequence
		name = filepath.Dir(s.dir)[:len(filepath.Dir(s.dir))-len(filepath.Base(filepath.Dir(s.dir)))]
	}
	switch {
	case !errors.Is(failed, cause):
		return fmt.Errorf("the error is another one: %w", failed)
	case !strings.Contains(failed.Error(), name):
		return fmt.Errorf("the error does not name %s: %w", name, failed)
	case code != 0 && got.Code != code, got.Code == fault.ExitOK:
		return fmt.Errorf("exit code %d, want %d: %w", got.Code, code, failed)
	case code == fault.ExitSpace && got.Hint == "":
		return fmt.Errorf("no hint: %w", failed)
	}
	return nil
}

// tidy wants that no temporary file is left by a process that could still remove it. A checkpoint whose removal
// has begun is the next save's to remove.
func tidy(dir string) error {
	have, err := readAll(dir)
	for path := range have {
		if strings.Contains(path, ".tmp") && !strings.Contains(path, ".del.tmp") {
			return fmt.Errorf("%s is left", path)
		}
	}
	return err
}

// failsAll has one call after the other fail, or at most so many, 0 for all, and counts them.
func (s *sweep) failsAll(t *testing.T, tally *faulttest.Tally, most int) {
	t.Helper()
	count := &faultfs.FS{Counts: notLog}
	if err := through(count, func() error { return do(t.Context(), s.ask(s.copy(t))) }); err != nil {
		t.Fatal(err)
	}
	calls := count.Calls
	if !faulttest.All() {
		most = 2
	}
	at := spread(calls, most)
	t.Logf("%s: %d of %d calls fail", s.name, len(at), calls)
	plain := func(f atomicfile.FS) atomicfile.FS { return f }
	for i, n := range at {
		x := injections[i%len(injections)]
		injected, err := s.fails(t, plain, n+1, x.cause, x.stays, x.code)
		if !injected {
			t.Errorf("no call %d: %v", n+1, err)
			continue
		}
		tally.Injected++
		if err != nil {
			t.Error(err)
		} else {
			tally.Survived++
		}
	}
}

// failsManifest has the disk be full as manifest.json is written, and returns what is wrong then.
func (s *sweep) failsManifest(t *testing.T, wrap func(atomicfile.FS) atomicfile.FS) error {
	t.Helper()
	f := &faultfs.FS{Counts: notLog}
	if err := through(f, func() error { return do(t.Context(), s.ask(s.copy(t))) }); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(f.Ops, func(o faultfs.Op) bool { return o.Kind == faultfs.Write && strings.Contains(o.Path, "manifest.json") })
	_, err := s.fails(t, wrap, f.Ops[at].Call, syscall.ENOSPC, false, fault.ExitSpace)
	return err
}

// TestFaultErrorAtEveryChange: a disk that is full, broken or read-only at any change of a file ends the
// run with an error that says so, and when it works again the same command goes on to the same bytes.
func TestFaultErrorAtEveryChange(t *testing.T) {
	tally := faulttest.New("disk full, broken or read-only at a change of a file")
	ask := func(sets ...string) func(string) Request {
		return func(dir string) Request { return faultRequest(dir, sets...) }
	}
	s := newSweep(t, "a run", "", ask(), nil)
	s.failsAll(t, tally, 0)
	if whole := s.dir; faulttest.All() {
		newSweep(t, "done anew", whole, ask("retrain.lr=0.01"), nil).failsAll(t, tally, 70)
		newSweep(t, "goes on", whole, ask("train.steps=8"), nil).failsAll(t, tally, 70)
	}
	for name, twin := range map[string]func(atomicfile.FS) atomicfile.FS{
		"write error dropped": func(f atomicfile.FS) atomicfile.FS { return deaf{f} },
		"temporary file left": func(f atomicfile.FS) atomicfile.FS { return untidy{f} },
	} {
		tally.Twin(name, s.failsManifest(t, twin) != nil)
	}
	tally.Report(t)
}
