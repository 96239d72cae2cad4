package pipeline

import (
	"context"
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
	"oneshot/internal/rundir"
)

// ranks does what the verb rank does, with networks that are retrained from two seeds.
func ranks(ctx context.Context, dir string) error {
	spec := &RankSpec{Retrain: 3, Steps: 4, Seeds: 2}
	if err := spec.Check(); err != nil {
		return err
	}
	r, err := Open(ctx, still(), Request{Folder: dir, Resume: true, Needs: spec.Needs(false)})
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = r.Rank(ctx, spec)
	return err
}

// rankSweep ranks once, undisturbed, in a folder with a supernet.
func rankSweep(t *testing.T) *sweep {
	t.Helper()
	start := filepath.Join(t.TempDir(), "run")
	err := through(quick{atomicfile.OS}, func() error {
		r, err := Open(t.Context(), still(), faultRequest(start))
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = r.Train(t.Context())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &sweep{name: "rank", start: start}
	s.dir = s.copy(t)
	f := &faultfs.FS{}
	if err := through(f, func() error { return ranks(t.Context(), s.dir) }); err != nil {
		t.Fatal(err)
	}
	s.ops, s.new = f.Ops, all(t, s.dir)
	if _, why, err := CurrentRanking(rundir.Folder(s.dir)); why != "" || err != nil {
		t.Errorf("%s, %v", why, err)
	}
	for path := range s.new {
		if strings.HasPrefix(path, truthsFolder+"/") && strings.HasSuffix(path, "/") && path != truthsFolder+"/" {
			t.Errorf("%s is left of a training that is done", path)
		}
	}
	return s
}

// ranksOn has rank go on in a folder, to the same files.
func (s *sweep) ranksOn(ctx context.Context, dir string) error {
	if err := ranks(ctx, dir); err != nil {
		return fmt.Errorf("it does not go on: %w", err)
	}
	got, err := readAll(dir)
	if err != nil {
		return err
	}
	for path, b := range got {
		if have, ok := s.new[path]; noTimes(path) && (!ok || have != b) {
			return fmt.Errorf("%s differs, or is left (wanted: %v)", path, ok)
		}
	}
	if len(got) != len(s.new) {
		return fmt.Errorf("%d files, want %d", len(got), len(s.new))
	}
	return nil
}

// TestFaultRankAfterKill: killed at whatever change of a file, rank goes on to the same files.
func TestFaultRankAfterKill(t *testing.T) {
	tally := faulttest.New("rank killed, then rank")
	s := rankSweep(t)
	kills, err := faultfs.Kills(s.start, s.dir, s.ops)
	if err != nil {
		t.Fatal(err)
	}
	most := 7
	if faulttest.All() {
		most = 0
	}
	at := spread(len(kills), most)
	errs := checkKilled(t, kills, at, s.ops, func(dir string) error { return s.ranksOn(t.Context(), dir) })
	tally.Injected, tally.Survived = len(at), len(at)-count(errs)
	// A truth that is another one, without the checksum that would tell.
	dir := newRun(t)
	if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, filepath.FromSlash(truthsFile))
	first, rest, _ := strings.Cut(s.new[truthsFile], `"images":`)
	if err := errors.Join(os.WriteFile(path, []byte(first+`"images":1`+rest), 0o644), os.Remove(rundir.SumsOf(path))); err != nil {
		t.Fatal(err)
	}
	tally.Twin("another truth", s.ranksOn(t.Context(), dir) != nil)
	tally.Report(t)
}

// rankFails has call n of a rank fail, and has it go on with a disk that works again. injected is false where there
// was no such call.
func (s *sweep) rankFails(t *testing.T, wrap func(atomicfile.FS) atomicfile.FS, n int, cause error, stays bool, code int) (injected bool, err error) {
	dir := s.copy(t)
	defer os.RemoveAll(dir)
	f := &faultfs.FS{FailAt: n, Err: cause, Stays: stays, Counts: notLog}
	failed := through(wrap(f), func() error { return ranks(t.Context(), dir) })
	if f.Injected == 0 {
		return false, failed
	}
	err = s.said(failed, f, cause, code)
	switch {
	case err != nil:
	case failed == nil: // it was of no consequence
		var why string
		if _, why, err = CurrentRanking(rundir.Folder(dir)); why != "" {
			err = fmt.Errorf("it has succeeded, and its answer is none: %s", why)
		}
	case !stays && f.Failed.Kind != faultfs.Remove:
		err = tidy(dir)
	}
	if err == nil {
		err = through(quick{atomicfile.OS}, func() error { return s.ranksOn(t.Context(), dir) })
	}
	if err != nil {
		err = fmt.Errorf("%v (stays: %v) at call %d, %s: %w", cause, stays, n, strings.ReplaceAll(f.Failed.String(), dir, ""), err)
	}
	return true, err
}

// TestFaultRankErrorAtEveryChange: a disk that is full, broken or read-only at any change of a file ends rank with an
// error that says so, and when it works again the same command goes on to the same files.
func TestFaultRankErrorAtEveryChange(t *testing.T) {
	tally := faulttest.New("disk full, broken or read-only at a change of a file, rank")
	s := rankSweep(t)
	f := &faultfs.FS{Counts: notLog}
	if err := through(f, func() error { return ranks(t.Context(), s.copy(t)) }); err != nil {
		t.Fatal(err)
	}
	most := 6
	if faulttest.All() {
		most = 0
	}
	plain := func(f atomicfile.FS) atomicfile.FS { return f }
	for i, n := range spread(f.Calls, most) {
		x := injections[i%len(injections)]
		injected, err := s.rankFails(t, plain, n+1, x.cause, x.stays, x.code)
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
	at := slices.IndexFunc(f.Ops, func(o faultfs.Op) bool { return o.Kind == faultfs.Write && strings.Contains(o.Path, "rank.json") })
	for name, twin := range map[string]func(atomicfile.FS) atomicfile.FS{
		"write error dropped": func(f atomicfile.FS) atomicfile.FS { return deaf{f} },
		"temporary file left": func(f atomicfile.FS) atomicfile.FS { return untidy{f} },
	} {
		_, err := s.rankFails(t, twin, f.Ops[at].Call, syscall.ENOSPC, false, fault.ExitSpace)
		tally.Twin(name, err != nil)
	}
	tally.Report(t)
}
