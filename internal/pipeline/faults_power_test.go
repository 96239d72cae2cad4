package pipeline

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/atomicfile"
	"oneshot/internal/atomicfile/faultfs"
	"oneshot/internal/faulttest"
)

// cuts cuts the power after calls of a sweep, and has the same command go on with what the disk kept of
// what was not synced: at most so many times, 0 for all.
func (s *sweep) cuts(t *testing.T, most int) (injected int, errs []error) {
	t.Helper()
	chosen := map[int]bool{}
	for _, n := range spread(len(s.ops)+1, most) {
		chosen[n] = true
	}
	left, err := faultfs.SomePowerCuts(s.start, s.dir, s.ops, func(after int) bool { return chosen[after] })
	if err != nil {
		t.Fatal(err)
	}
	if most > 0 { // some of them, each with one loss, and the worst loss after the end
		worst := slices.IndexFunc(left, func(r faultfs.Remains) bool { return r.After == len(s.ops) })
		var some []faultfs.Remains
		for _, at := range append(spread(len(left), most), worst) {
			some = append(some, left[at])
		}
		left = some
	}
	t.Logf("%s: %d power cuts", s.name, len(left))
	scratch := t.TempDir()
	through(quick{atomicfile.OS}, func() error {
		errs = each(len(left), func(i int) error {
			r, dir := left[i], filepath.Join(scratch, fmt.Sprint(i), "run")
			defer os.RemoveAll(filepath.Dir(dir))
			err := os.Mkdir(filepath.Dir(dir), 0o755)
			if err == nil {
				err = r.Write(dir)
			}
			if err == nil && r.After == len(s.ops) { // it has said that it is done
				err = s.whole(dir)
			}
			if err == nil {
				err = s.resumes(t.Context(), dir)
			}
			if err != nil {
				last := ""
				if r.After > 0 {
					last = strings.ReplaceAll(s.ops[r.After-1].String(), s.dir, "")
				}
				return fmt.Errorf("%s: power cut after call %d, %s, %+v: %w", s.name, r.After, last, r.Loss, err)
			}
			return nil
		})
		return nil
	})
	return len(left), errs
}

// whole wants every result to be there.
func (s *sweep) whole(dir string) error {
	have, err := readAll(dir)
	if err != nil {
		return err
	}
	want := stageFiles(s.new)
	for stage, files := range stageFiles(have) {
		if files != want[stage] {
			return fmt.Errorf("the run has ended, and results of %s are lost", stage)
		}
	}
	return nil
}

// TestFaultPowerCuts: whatever of what was not synced a power cut takes, the same command goes on to the
// same bytes; of a run that has ended it takes no result.
func TestFaultPowerCuts(t *testing.T) {
	tally := faulttest.New("power cut after a change of a file, whole run")
	most := 3
	if faulttest.All() {
		most = 80
	}
	whole := base(t)
	again := func(dir string) Request { return faultRequest(dir) }
	fromStart := newSweep(t, "a run", "", again, nil)
	for _, s := range []*sweep{
		fromStart,
		newSweep(t, "done anew", whole, func(dir string) Request { return faultRequest(dir, "retrain.lr=0.01") }, again),
	} {
		n, errs := s.cuts(t, most)
		tally.Injected, tally.Survived = tally.Injected+n, tally.Survived+n-count(errs)
		complain(t, errs)
	}
	for name, wrap := range map[string]func(atomicfile.FS) atomicfile.FS{
		"files not synced":   func(f atomicfile.FS) atomicfile.FS { return unsynced{f} },
		"folders not synced": func(f atomicfile.FS) atomicfile.FS { return unnamed{f} },
	} {
		twin := *fromStart
		twin.name, twin.dir = name, twin.copy(t)
		f := &faultfs.FS{}
		if err := through(wrap(f), func() error { return do(t.Context(), again(twin.dir)) }); err != nil {
			t.Fatal(err)
		}
		twin.ops = f.Ops
		caught := false
		for most := 4; most <= 64 && !caught; most *= 2 {
			_, errs := twin.cuts(t, most)
			caught = count(errs) > 0
		}
		tally.Twin(name, caught)
	}
	tally.Report(t)
}
