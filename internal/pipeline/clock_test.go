package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// settable is a wall clock that somebody sets now and then. It has no monotonic reading, so what is
// measured with it jumps too.
type settable struct {
	at     time.Time
	by     []time.Duration // what it is set forward by, in turn; negative is back
	every  int             // readings between
	n, set int
}

func (c *settable) now() time.Time {
	c.at = c.at.Add(3 * time.Millisecond)
	if c.n++; c.n%c.every == 0 {
		c.at = c.at.Add(c.by[c.set%len(c.by)])
		c.set++
	}
	return c.at
}

const year = 365 * 24 * time.Hour

// clockSets say something often, and leave one checkpoint: which one is before the last follows from stops.
var clockSets = []string{"run.log_seconds=1", "run.checkpoint_keep=1"}

// TestFaultClockJumps: a clock that is set back and forth while a run goes on and between its processes, and
// times of files that say nothing, change no byte of its results, and no time that is told is nonsense.
func TestFaultClockJumps(t *testing.T) {
	tally := faulttest.New("clock jumps, and times of files")
	r := rand.New(rand.NewPCG(7, 0))
	straight := newRun(t)
	if err := runAll(t, microRequest(straight, clockSets...)); err != nil {
		t.Fatal(err)
	}
	want := tree(t, straight)
	for _, path := range []string{"LOCK", "log.jsonl", "manifest.json", "search/times.jsonl"} {
		delete(want, path) // these name times
	}
	starts := []time.Time{
		time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), time.Date(1969, 7, 20, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2038, 1, 19, 3, 14, 7, 0, time.UTC), time.Date(1901, 12, 13, 0, 0, 0, 0, time.UTC),
	}
	jumps := [][]time.Duration{{-time.Hour}, {10 * year}, {-60 * year, 30 * year}, {200 * year, -time.Second}}
	for round := range faulttest.Times(3, 24) {
		dir := newRun(t)
		set, problem := 0, error(nil)
		for part, stopAt := range []int{5, 14, 0} { // in the first training, in the second, and to the end
			c := &settable{at: starts[(round+part)%len(starts)], by: jumps[(round+part)%len(jumps)], every: 2 + r.IntN(9)}
			said, err := timed(t, dir, c, stopAt)
			set += c.set + 1 // the process began at another time, too
			if err == nil {
				err = tellsTime(said)
			}
			if err == nil {
				log, _ := os.ReadFile(filepath.Join(dir, "log.jsonl"))
				times, _ := os.ReadFile(filepath.Join(dir, "search", "times.jsonl"))
				err = tellsTime(string(log) + string(times))
			}
			if err != nil && problem == nil {
				problem = fmt.Errorf("part %d: %w", part, err)
			}
			set += touch(t, r, dir)
		}
		got := tree(t, dir)
		for path := range want {
			if got[path] != want[path] && problem == nil {
				problem = fmt.Errorf("%s differs", path)
			}
		}
		for stage, s := range states(t, dir) {
			if s != StateFresh && problem == nil {
				problem = fmt.Errorf("%s is %s", stage, s)
			}
		}
		tally.Injected += set
		if problem != nil {
			t.Errorf("round %d: %v", round, problem)
			continue
		}
		tally.Survived += set
	}
	for _, said := range []string{"train    3/12  loss 2.3  ETA -1h0m0s", "train    12/12  loss 2.3  in -3.2s", `{"stage":"train","seconds":-1.5}`, "train 3/12  ETA 788400h0m0s"} {
		tally.Twin(said, tellsTime(said) != nil)
	}
	tally.Report(t)
}

// timed goes on with a run of the preset micro by a clock, and stops it after so many training steps;
// 0 is never. It returns what was said.
func timed(t *testing.T, dir string, c *settable, stopAt int) (string, error) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var said bytes.Buffer
	p, n := Process{UI: ui.New(&said, &said, c.now)}, 0
	p.UI.Verbose = true
	p.SaveAsked = func() bool {
		if n++; n == stopAt {
			cancel(fault.ErrStopped)
		}
		return false
	}
	q := microRequest(dir, clockSets...)
	q.Resume = true
	r, err := Open(ctx, p, q)
	if err != nil {
		return "", err
	}
	defer r.Close()
	if _, err := Open(ctx, process(), q); fault.Classify(err).Code != fault.ExitLocked || !regexp.MustCompile(`in use by process \d+ on .* since \d{4}-`).MatchString(err.Error()) {
		return "", fmt.Errorf("a second process: %v", err)
	}
	_, err = r.All(ctx, func(rundir.SearchSummary) {})
	if stopAt > 0 && fault.Classify(err).Code == fault.ExitStopped {
		err = nil
	}
	return said.String(), err
}

// tellsTime is an error where a text has a duration that none took.
func tellsTime(text string) error {
	if found := regexp.MustCompile(`.*((ETA|in) -|"seconds":-|ETA \d{6,}h|"images_per_s":-).*`).FindString(text); found != "" {
		return fmt.Errorf("%q", strings.TrimSpace(found))
	}
	return nil
}

// touch gives each file of a folder another time, and says how many there are.
func touch(t *testing.T, r *rand.Rand, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			at := time.Unix(r.Int64N(8e9)-2e9, 0) // 1906 to 2160
			err = os.Chtimes(path, at, at)
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
