package main

import (
	"path/filepath"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
)

// changingCalls are the system calls that change files, and what the sweep of each steps by: a run makes
// some hundred calls of some of them.
var changingCalls = []struct {
	name string
	step int
}{{"write", 17}, {"fsync", 9}, {"renameat", 3}, {"unlinkat", 3}, {"mkdirat", 2}, {"openat", 41}, {"ftruncate", 1}, {"linkat", 1}, {"pwrite64", 1}}

// TestFaultKillAtSystemCalls: a run, and one that does a stage anew in a folder that is complete, is killed
// before its n-th system call of each kind that changes files, for n up to its last one; strace counts the
// calls of each thread. It says the truth of itself then, and goes on to the bytes of one never killed.
func TestFaultKillAtSystemCalls(t *testing.T) {
	if !faulttest.All() {
		t.Skip("takes minutes; with ONESHOT_FAULTS=all")
	}
	faulttest.NeedStrace(t)
	tally := faulttest.New("kill -9 at a system call, whole run")
	whole := newJob(t, "", "--seed", "3", "--set", "retrain.seeds=2", "--set", "retrain.steps=6")
	finished := whole.folder(t)
	override := []string{"--override", "--seed", "3", "--set", "retrain.seeds=2", "--set", "retrain.steps=6", "--set", "train.steps=18"}
	changed := newJob(t, finished, override...)
	d := &disturbance{t: t, runs: runsOf(whole, changed), tally: tally, where: map[string]int{}}
	kills := map[string]int{}
	for _, j := range []*job{whole, changed} {
		for _, call := range changingCalls {
			for n := 1; n < 2000; n += call.step {
				d.dir = filepath.Join(t.TempDir(), "run")
				if j == changed {
					d.dir = copyRun(t, finished)
				}
				c := startCommand(t, faulttest.KillAt(call.name, n, program(t), j.in(d.dir)...))
				code, killed := c.wait(t)
				if !killed && code != fault.ExitOK {
					t.Fatalf("exit code %d\n%s", code, &c.out)
				}
				if killed {
					kills[call.name]++
					d.struck()
				}
				d.finish(j, everything)
				if !killed {
					break
				}
			}
		}
	}
	t.Logf("kills: %v; by the stage that was not complete: %v", kills, d.where)
	for _, must := range []string{"write", "fsync", "renameat", "unlinkat", "mkdirat", "openat"} {
		if kills[must] == 0 {
			t.Errorf("no kill at %s", must)
		}
	}
	twinOfRecord(t, tally, d.runs, whole)
	tally.Report(t)
}
