package pipeline

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/atomicfile"
	"oneshot/internal/atomicfile/faultfs"
	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
	"oneshot/internal/rundir"
)

// kills kills the process of a sweep at calls of the file system: at all of them, or at a few of those
// that leave something of their own, 0 for all. It returns the number of calls and the errors. Every folder
// must be honest; of those that only differ in what is of no consequence, one goes on.
func (s *sweep) kills(t *testing.T, resumed int) (injected int, errs []error) {
	t.Helper()
	kills, err := faultfs.Kills(s.start, s.dir, s.ops)
	if err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	goesOn := map[int]bool{}
	for _, i := range spread(len(kills), resumed) {
		goesOn[i] = true
	}
	var at []int
	for i, k := range kills {
		if goesOn[i] || faulttest.All() {
			at = append(at, i)
			injected += k.Last - k.First + 1
		}
	}
	t.Logf("%s: %d calls, %d folders, of which %d are looked at and %d go on", s.name, len(s.ops), len(kills), len(at), len(goesOn))
	through(quick{atomicfile.OS}, func() error {
		errs = each(len(at), func(i int) error {
			k := kills[at[i]]
			dir := filepath.Join(scratch, fmt.Sprint(i), "run")
			defer os.RemoveAll(filepath.Dir(dir))
			err := os.Mkdir(filepath.Dir(dir), 0o755)
			if err == nil {
				err = k.Write(dir)
			}
			if err == nil {
				err = s.honest(dir)
			}
			if err == nil && goesOn[at[i]] {
				err = s.goesOn(t.Context(), dir, at[i])
			}
			if err != nil {
				return fmt.Errorf("%s: killed at calls %d..%d, of which the last is %s: %w", s.name, k.First, k.Last, strings.ReplaceAll(s.ops[k.Last-1].String(), s.dir, ""), err)
			}
			return nil
		})
		return nil
	})
	return injected, errs
}

// goesOn goes on with the request or, every third time and where there is something to go back to, with
// the one before it.
func (s *sweep) goesOn(ctx context.Context, dir string, i int) error {
	if s.back == nil || i%3 != 2 {
		return s.resumes(ctx, dir)
	}
	if err := ends(ctx, s.back(dir), s.old); err != nil {
		return fmt.Errorf("back: %w", err)
	}
	return s.fresh(dir)
}

// sweeps are a run from its beginning, and requests that make something else of a finished one: it is done
// anew, and it goes on. Where all faults are asked for, seeds are trained anew, others
// are retrained beside the winner and trained anew, a run is taken back in the
// middle, and another one starts its retraining from the supernet.
func sweeps(t *testing.T) []*sweep {
	t.Helper()
	whole := base(t)
	plain := func(sets ...string) func(string) Request {
		return func(dir string) Request { return faultRequest(dir, sets...) }
	}
	first := []*sweep{
		newSweep(t, "a run", "", func(dir string) Request {
			q := faultRequest(dir)
			q.Override, q.Redoes = false, nil
			return q
		}, nil),
		newSweep(t, "done anew", whole, plain("train.lr=0.01"), plain()),
		newSweep(t, "goes on", whole, plain("train.steps=8"), plain()),
	}
	if !faulttest.All() {
		return first
	}
	middle := newRun(t)
	if err := os.CopyFS(middle, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	stopped(t, faultRequest(middle, "train.lr=0.01"), 1)
	return append(first,
		newSweep(t, "seeds anew", base(t, "retrain.seeds=2"), plain("retrain.seeds=2", "retrain.lr=0.01"), plain("retrain.seeds=2")),
		newSweep(t, "top", whole, plain("retrain.top=3"), nil),
		newSweep(t, "top anew", base(t, "retrain.top=3"), plain("retrain.top=3", "retrain.lr=0.01"), plain("retrain.top=3")),
		newSweep(t, "taken back", middle, plain(), nil),
		newSweep(t, "inherited", "", plain("retrain.init=inherited"), nil))
}

// TestFaultKilledAtEveryChange: whenever a process is killed, the folder is honest and the same command
// goes on to the same bytes.
func TestFaultKilledAtEveryChange(t *testing.T) {
	tally := faulttest.New("killed at a change of a file, whole run")
	resumed := 2
	if faulttest.All() {
		resumed = 0
	}
	all := sweeps(t)
	for _, s := range all {
		n, errs := s.kills(t, resumed)
		tally.Injected, tally.Survived = tally.Injected+n, tally.Survived+n-count(errs)
		complain(t, errs)
	}
	for name, twin := range killTwins {
		tally.Twin(name, all[twin.of].catches(t, twin.fs))
	}
	tally.Report(t)
}

func count(errs []error) (n int) {
	for _, err := range errs {
		if err != nil {
			n++
		}
	}
	return n
}

// catches says whether a sweep with another file system, on which the same run works as long as nobody
// kills it, finds a fault.
func (s *sweep) catches(t *testing.T, wrap func(atomicfile.FS) atomicfile.FS) bool {
	t.Helper()
	twin := *s
	twin.dir = s.copy(t)
	f := &faultfs.FS{}
	if err := through(wrap(f), func() error { return ends(t.Context(), s.ask(twin.dir), s.new) }); err != nil {
		t.Fatalf("the twin does not work: %v", err)
	}
	twin.ops = f.Ops
	kills, err := faultfs.Kills(s.start, twin.dir, twin.ops)
	if err != nil {
		t.Fatal(err)
	}
	found := func(check func(dir string) error) bool {
		return slices.ContainsFunc(kills, func(k faultfs.Kill) bool {
			dir := newRun(t)
			if err := k.Write(dir); err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			return check(dir) != nil
		})
	}
	return found(twin.honest) || found(func(dir string) error {
		return through(quick{atomicfile.OS}, func() error { return s.resumes(t.Context(), dir) })
	})
}

// TestKillIsADeath: what faultfs.Kills computes is what a process leaves that dies there.
func TestKillIsADeath(t *testing.T) {
	s := newSweep(t, "a run", "", func(dir string) Request { return faultRequest(dir) }, nil)
	kills, err := faultfs.Kills(s.start, s.dir, s.ops)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range spread(len(kills), 5) {
		k, dir, want := kills[i], s.copy(t), newRun(t)
		f := &faultfs.FS{FailAt: s.ops[k.Last-1].Call, Die: true}
		if err := through(f, func() error { return do(t.Context(), s.ask(dir)) }); err == nil && f.Injected == 0 {
			t.Fatal("it did not die")
		}
		if err := k.Write(want); err != nil {
			t.Fatal(err)
		}
		got, expected := withoutNames(all(t, dir)), withoutNames(all(t, want))
		if !maps.Equal(got, expected) {
			for p, b := range expected {
				if have, ok := got[p]; have != b || !ok {
					t.Errorf("call %d, %v: %s is not as computed", k.Last, s.ops[k.Last-1], p)
				}
			}
			t.Errorf("call %d: %d files, computed are %d", k.Last, len(got), len(expected))
		}
	}
}

// withoutNames gives temporary files names without numbers, and leaves out what names times.
func withoutNames(files map[string]string) map[string]string {
	out := map[string]string{}
	for p, b := range files {
		if noTimes(p) {
			name, _, _ := strings.Cut(p, ".tmp-")
			out[name] += b
		}
	}
	return out
}

// TestFaultTwoWritesOfTheConfiguration: config.yaml and the manifest are two files; between them a run that
// is continued knows its own hand, and still finds that of somebody else.
func TestFaultTwoWritesOfTheConfiguration(t *testing.T) {
	tally := faulttest.New("killed between manifest.json and config.yaml")
	whole := base(t)
	dir := newRun(t)
	if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
		t.Fatal(err)
	}
	f := &faultfs.FS{}
	if err := through(f, func() error {
		r, err := Open(t.Context(), still(), faultRequest(dir, "run.checkpoint_steps=3"))
		if err == nil {
			r.Close()
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	kills, err := faultfs.Kills(whole, dir, f.Ops)
	if err != nil {
		t.Fatal(err)
	}
	plain := func(dir string) error {
		q := faultRequest(dir)
		q.Override, q.Redoes, q.Config.Preset, q.Config.Sets = false, nil, "", nil
		r, err := Open(t.Context(), still(), q)
		if err == nil {
			r.Close()
		}
		return err
	}
	for _, k := range kills {
		left := newRun(t)
		if err := k.Write(left); err != nil {
			t.Fatal(err)
		}
		tally.Injected += k.Last - k.First + 1
		if err := plain(left); err != nil {
			t.Errorf("killed at calls %d..%d: %v", k.First, k.Last, err)
			continue
		}
		tally.Survived += k.Last - k.First + 1
	}
	edited := rundir.Folder(dir).File("config.yaml")
	b, err := os.ReadFile(edited)
	if err == nil {
		err = os.WriteFile(edited, append(b, "# by hand\n"...), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	tally.Twin("edited by hand", fault.Classify(plain(dir)).Code == fault.ExitInvalid)
	tally.Report(t)
}
