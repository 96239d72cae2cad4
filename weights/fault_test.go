package weights

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
)

// A scenario is a state of the directory and a save into it.
type scenario struct {
	prepare    func(t testing.TB, dir string)
	prev       Checkpoint // what loads before the save; none where State is nil
	next       Checkpoint
	keep       int
	makesNoDir bool // the directory itself is still to be made
}

var scenarios = map[string]scenario{
	"first": {
		next: sampleCheckpoint(1, 1), keep: 1, makesNoDir: true,
	},
	"second": {
		prepare: func(t testing.TB, dir string) { quickSave(t, dir, sampleCheckpoint(1, 1), 1) },
		prev:    sampleCheckpoint(1, 1), next: sampleCheckpoint(2, 2), keep: 1,
	},
	"replace": {
		prepare: func(t testing.TB, dir string) { quickSave(t, dir, sampleCheckpoint(1, 1), 1) },
		prev:    sampleCheckpoint(1, 1), next: sampleCheckpoint(1, 2), keep: 1,
	},
	"again": {
		prepare: func(t testing.TB, dir string) { quickSave(t, dir, sampleCheckpoint(1, 1), 1) },
		prev:    sampleCheckpoint(1, 1), next: sampleCheckpoint(1, 1), keep: 1,
	},
	"leftovers": { // of a save killed while it wrote, and of one killed while it replaced
		prepare: func(t testing.TB, dir string) {
			quickSave(t, dir, sampleCheckpoint(1, 1), 1)
			place := filepath.Join(dir, checkpointName(1))
			if err := os.Rename(place, place+oldSuffix); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{tempName(1), tempName(9), trashName(0)} {
				if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
					t.Fatal(err)
				}
				writeFile(t, []byte("half"), dir, name, modelFile)
			}
		},
		prev: sampleCheckpoint(1, 1), next: sampleCheckpoint(2, 2), keep: 2,
	},
}

// start makes the scenario's directory below a new root.
func (s scenario) start(t testing.TB) (root, dir string) {
	root = t.TempDir()
	dir = filepath.Join(root, "supernet")
	if s.makesNoDir {
		return root, dir
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if s.prepare != nil {
		s.prepare(t, dir)
	}
	return root, dir
}

// checkLoad is the promise to the next start: nothing damaged shows, and what
// loads is the previous checkpoint or the new one, which it must be if the save
// returned nil.
func (s scenario) checkLoad(dir string, saved bool) error {
	all, err := list(dir)
	if err != nil {
		return err
	}
	for _, f := range all {
		if _, err := Load(f.path); err != nil {
			return fmt.Errorf("a damaged checkpoint shows: %w", err)
		}
	}
	got, skipped, err := LoadLatest(dir)
	switch {
	case len(skipped) > 0:
		return skipped[0]
	case err == nil && sameCheckpoint(got, s.next) == nil:
		return nil
	case saved:
		return fmt.Errorf("what was saved does not load: step %d, %v", got.Step, err)
	case s.prev.State == nil && errors.Is(err, ErrNoCheckpoint):
		return nil
	case err != nil:
		return err
	}
	return sameCheckpoint(got, s.prev)
}

// checkNextSave is the promise to the save after: it works and leaves nothing
// but checkpoints.
func checkNextSave(dir string, save saveFunc) error {
	want := sampleCheckpoint(20, 20)
	if err := save(&faultfs.FS{}, dir, 20, want, 3); err != nil {
		return fmt.Errorf("the next save fails: %w", err)
	}
	got, skipped, err := LoadLatest(dir)
	if err != nil || len(skipped) > 0 || sameCheckpoint(got, want) != nil {
		return fmt.Errorf("after the next save: step %d, %v, %v", got.Step, skipped, err)
	}
	for _, name := range dirNames(dir) {
		if _, err := Load(filepath.Join(dir, name)); err != nil || strings.HasSuffix(name, oldSuffix) {
			return fmt.Errorf("after the next save %s is left: %v", name, err)
		}
	}
	return nil
}

// sweepFaults makes every call of the save fail in turn, as cause, or as the
// death of the process where cause is nil, up to the first broken promise.
func sweepFaults(t *testing.T, s scenario, save saveFunc, cause error) (injections int, fault error) {
	for n := 1; ; n++ {
		_, dir := s.start(t)
		f := &faultfs.FS{FailAt: n, Err: cause, Die: cause == nil}
		err := save(f, dir, s.next.Step, s.next, s.keep)
		if f.Injected == 0 {
			return injections, err
		}
		injections++
		if cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("the error is %v", err)
		} else if err = s.checkLoad(dir, err == nil); err == nil {
			err = checkNextSave(dir, save)
		}
		if err != nil {
			return injections, fmt.Errorf("fault at call %d: %w", n, err)
		}
	}
}

// sweepPowerCuts cuts the power after every call of the save, with every
// combination of what may have been written back by then.
func sweepPowerCuts(t *testing.T, s scenario, save saveFunc) (outcomes int, fault error) {
	before, _ := s.start(t)
	root, dir := s.start(t)
	f := &faultfs.FS{}
	if err := save(f, dir, s.next.Step, s.next, s.keep); err != nil {
		return 0, err
	}
	remains, err := faultfs.PowerCuts(before, root, f.Ops)
	if err != nil {
		t.Fatal(err)
	}
	scratch := t.TempDir()
	for i, r := range remains {
		left := filepath.Join(scratch, fmt.Sprint(i))
		if err := r.Write(left); err != nil {
			t.Fatal(err)
		}
		if err := s.checkLoad(filepath.Join(left, "supernet"), r.After == len(f.Ops)); err != nil {
			return i, fmt.Errorf("power cut after call %d, %+v: %w", r.After, r.Loss, err)
		}
	}
	return len(remains), nil
}

// checkOrder looks at a complete save into a new directory: DONE after the
// other files are synced, the directory synced before it gets its name, the
// name synced after, nothing removed before that.
func checkOrder(save saveFunc) error {
	root, err := os.MkdirTemp("", "order")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	dir := filepath.Join(root, "c")
	f := &faultfs.FS{}
	if err := goodSave(f, dir, 1, sampleCheckpoint(1, 1), 1); err != nil {
		return err
	}
	f.Ops = nil
	if err := save(f, dir, 2, sampleCheckpoint(2, 2), 1); err != nil {
		return err
	}
	var got []string
	for _, op := range f.Ops {
		if op.Kind != faultfs.Close {
			got = append(got, strings.ReplaceAll(op.String(), dir, ""))
		}
	}
	const temp = "/.ckpt-00000002.tmp"
	want := []string{"mkdir " + temp}
	for _, name := range []string{modelFile, stateFile, doneFile} {
		path := temp + "/" + name
		want = append(want, "create "+path, "write "+path, "fsync "+path)
	}
	want = append(want, "fsync-dir "+temp, "rename "+temp+" /ckpt-00000002", "fsync-dir ",
		"rename /ckpt-00000001 /.ckpt-00000001.del.tmp", "fsync-dir ")
	for _, name := range []string{doneFile, modelFile, stateFile} {
		want = append(want, "unlink /.ckpt-00000001.del.tmp/"+name)
	}
	want = append(want, "unlink /.ckpt-00000001.del.tmp")
	if !slices.Equal(got, want) {
		return fmt.Errorf("calls\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return nil
}

func TestSaveOrder(t *testing.T) {
	if err := checkOrder(goodSave); err != nil {
		t.Error(err)
	}
}

func TestSaveSurvivesFaults(t *testing.T) {
	for name, s := range scenarios {
		total := 0
		for _, cause := range []error{syscall.ENOSPC, syscall.EIO, nil} {
			n, fault := sweepFaults(t, s, goodSave, cause)
			if fault != nil {
				t.Errorf("%s, %v: %v", name, cause, fault)
			}
			if n < 15 { // three files of four calls, two directories, a name
				t.Errorf("%s, %v: only %d injections", name, cause, n)
			}
			total += n
		}
		t.Logf("%s: %d injections", name, total)
	}
}

func TestSaveSurvivesPowerCuts(t *testing.T) {
	for name, s := range scenarios {
		n, fault := sweepPowerCuts(t, s, goodSave)
		if fault != nil {
			t.Errorf("%s: %v", name, fault)
		}
		if n < 8 { // nothing, or the old; files empty and full; with and without DONE; the new one
			t.Errorf("%s: only %d outcomes of power cuts", name, n)
		}
		t.Logf("%s: %d outcomes of power cuts", name, n)
	}
}

// A save that returns nil is durable whatever happened to the one before it.
func TestRetryAfterFaultIsDurable(t *testing.T) {
	for name, s := range scenarios {
		injections := 0
		for n := 1; ; n++ {
			before, _ := s.start(t)
			root, dir := s.start(t)
			f := &faultfs.FS{FailAt: n, Err: syscall.EIO}
			if err := goodSave(f, dir, s.next.Step, s.next, s.keep); f.Injected == 0 {
				break
			} else if !errors.Is(err, syscall.EIO) {
				t.Fatalf("%s, fault at call %d: %v", name, n, err)
			}
			injections++
			f.FailAt = 0
			if err := goodSave(f, dir, s.next.Step, s.next, s.keep); err != nil {
				t.Fatalf("%s, after a fault at call %d: %v", name, n, err)
			}
			remains, err := faultfs.PowerCuts(before, root, f.Ops)
			if err != nil {
				t.Fatal(err)
			}
			scratch := t.TempDir()
			for i, r := range remains {
				left := filepath.Join(scratch, fmt.Sprint(i))
				if err := r.Write(left); err != nil {
					t.Fatal(err)
				}
				if err := s.checkLoad(filepath.Join(left, "supernet"), r.After == len(f.Ops)); err != nil {
					t.Fatalf("%s, fault at call %d, power cut after %d, %+v: %v", name, n, r.After, r.Loss, err)
				}
			}
		}
		if injections < 15 {
			t.Errorf("%s: only %d injections", name, injections)
		}
	}
}

// Each twin must be caught by what it is meant to break.
func TestFaultSweepsCatchTwins(t *testing.T) {
	faults := func(s scenario, save saveFunc) error {
		_, fault := sweepFaults(t, s, save, syscall.ENOSPC)
		return fault
	}
	deaths := func(s scenario, save saveFunc) error {
		_, fault := sweepFaults(t, s, save, nil)
		return fault
	}
	cuts := func(s scenario, save saveFunc) error {
		_, fault := sweepPowerCuts(t, s, save)
		return fault
	}
	order := func(_ scenario, save saveFunc) error { return checkOrder(save) }
	type sweep = func(scenario, saveFunc) error
	for name, k := range map[string]struct {
		scenario string
		sweeps   []sweep
	}{
		"files not synced":          {"second", []sweep{cuts, order}},
		"directory not synced":      {"second", []sweep{cuts, order}},
		"parent not synced":         {"second", []sweep{cuts, order}},
		"no temporary directory":    {"second", []sweep{deaths, cuts, order}},
		"removed in place":          {"second", []sweep{faults, deaths, cuts, order}},
		"removal not synced":        {"second", []sweep{cuts, order}},
		"replaced without aside":    {"replace", []sweep{faults, deaths, cuts}},
		"write errors dropped":      {"second", []sweep{faults}},
		"DONE written first":        {"second", []sweep{order}},
		"older removed before":      {"second", []sweep{faults, deaths, cuts, order}},
		"temporary directory stays": {"leftovers", []sweep{deaths}},
	} {
		for i, sweep := range k.sweeps {
			fault := sweep(scenarios[k.scenario], twins[name])
			if fault == nil {
				t.Errorf("%s: sweep %d finds nothing", name, i)
			}
		}
	}
}

// The twins work as long as nothing fails: it is the fault that tells.
func TestTwinsSaveAndLoad(t *testing.T) {
	for name, save := range twins {
		dir := filepath.Join(t.TempDir(), "c")
		for step := 1; step <= 2; step++ {
			want := sampleCheckpoint(step, step)
			if err := save(atomicfile.OS, dir, step, want, 2); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got, skipped, err := LoadLatest(dir); err != nil || len(skipped) > 0 || sameCheckpoint(got, want) != nil {
				t.Errorf("%s: %v, %v", name, skipped, err)
			}
		}
	}
}

// TestTidy: what a save was killed at is ended without another save, once its checkpoint has been loaded.
func TestTidy(t *testing.T) {
	injections := 0
	for n := 1; ; n++ {
		s := scenarios["second"]
		_, dir := s.start(t)
		f := &faultfs.FS{FailAt: n, Die: true}
		goodSave(f, dir, s.next.Step, s.next, s.keep)
		if f.Injected == 0 {
			break
		}
		injections++
		got, _, err := LoadLatest(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := Tidy(dir, got.Step, 1); err != nil {
			t.Fatal(err)
		}
		if names := dirNames(dir); !slices.Equal(names, []string{checkpointName(got.Step)}) {
			t.Errorf("killed at call %d: %q", n, names)
		}
	}
	if injections < 15 {
		t.Errorf("only %d injections", injections)
	}
}

// TestErrorsNameTheCheckpoint: whatever call of a save fails, its error has no temporary name, of which people know nothing.
func TestErrorsNameTheCheckpoint(t *testing.T) {
	injected := 0
	for name, s := range scenarios {
		for n := 1; ; n++ {
			_, dir := s.start(t)
			f := &faultfs.FS{FailAt: n, Err: syscall.ENOSPC, Stays: n%2 == 0}
			err := saver{f}.save(dir, s.next.Step, s.next, s.keep)
			if f.Injected == 0 {
				break
			}
			injected++
			if err != nil && (!errors.Is(err, syscall.ENOSPC) || strings.Contains(err.Error(), tempSuffix)) {
				t.Errorf("%s, call %d: %v", name, n, err)
			}
		}
	}
	if injected < 20 {
		t.Errorf("%d faults are too few", injected)
	}
}
