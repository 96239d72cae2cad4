package pipeline

import (
	"context"
	"fmt"
	"testing"

	"oneshot/internal/atomicfile"
	"oneshot/internal/atomicfile/faultfs"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
	"oneshot/internal/rundir"
)

// exports does what the verb export does.
func exports(ctx context.Context, dir string) error {
	spec, q := ExportSpec{Weights: Retrained}, config.Request{}
	r, err := Open(ctx, still(), Request{Folder: dir, Resume: true, Needs: spec.Needs(q)})
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = r.ExportAs(ctx, spec, q)
	return err
}

// checkKilled makes the folders that a process leaves which is killed at some of its changes, and checks each.
func checkKilled(t *testing.T, kills []faultfs.Kill, at []int, ops []faultfs.Op, check func(dir string) error) (errs []error) {
	t.Helper()
	through(quick{atomicfile.OS}, func() error {
		errs = each(len(at), func(i int) error {
			dir, k := newRun(t), kills[at[i]]
			err := k.Write(dir)
			if err == nil {
				err = check(dir)
			}
			if err != nil {
				return fmt.Errorf("killed at call %d, %v: %w", k.Last, ops[k.Last-1], err)
			}
			return nil
		})
		return nil
	})
	complain(t, errs)
	return errs
}

// TestFaultExportAfterKill: where a retraining that was done anew is killed, export ends it or refuses, and
// nothing that was replaced stays when it is complete.
func TestFaultExportAfterKill(t *testing.T) {
	tally := faulttest.New("retraining killed, then export")
	s := newSweep(t, "retrained anew", base(t), func(dir string) Request { return faultRequest(dir, "retrain.lr=0.01") }, nil)
	kills, err := faultfs.Kills(s.start, s.dir, s.ops)
	if err != nil {
		t.Fatal(err)
	}
	most := 8
	if faulttest.All() {
		most = 0
	}
	at := spread(len(kills), most)
	check := func(dir string) error {
		err := exports(t.Context(), dir)
		if fault.Classify(err).Code == fault.ExitInvalid { // the old one is still there
			return s.honest(dir)
		}
		d := rundir.Folder(dir)
		switch {
		case err != nil:
			return err
		case stageFiles(all(t, dir))["export"] != stageFiles(s.new)["export"] && stageFiles(all(t, dir))["export"] != stageFiles(s.old)["export"]:
			return fmt.Errorf("another network is exported")
		case d.Has(replacedFolder):
			return fmt.Errorf("%s stays", replacedFolder)
		}
		return nil
	}
	errs := checkKilled(t, kills, at, s.ops, check)
	tally.Injected, tally.Survived = len(at), len(at)-count(errs)
	caught := false
	for i := len(kills) - 1; i >= 0 && !caught; i-- { // a folder that keeps what is complete
		dir := newRun(t)
		if err := kills[i].Write(dir); err != nil {
			t.Fatal(err)
		}
		if rundir.Folder(dir).Has(replacedFolder) {
			err := through(keeps{quick{atomicfile.OS}}, func() error { return check(dir) })
			caught = err != nil
			break
		}
	}
	tally.Twin("replaced stays", caught)
	tally.Report(t)
}
