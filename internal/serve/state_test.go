package serve

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTimePasses: a page says that a run goes on only while it does. Nothing of a run that was killed changes any more,
// but the clock does; a run that has ended says so in its log, also where not all stages are there, and in a copy.
func TestTimePasses(t *testing.T) {
	progress := func(left float64) string {
		return fmt.Sprintf(`{"time":%q,"level":"INFO","msg":"progress","stage":"train","done":3,"total":12,"images_per_s":5,"seconds_left":%g,"note":"loss 2"}`+"\n",
			time.Now().Format(time.RFC3339Nano), left)
	}
	for name, c := range map[string]struct {
		log         []string
		now, later  string // that the page says, now and ten minutes later
		never, gone string // that it never says, and that it does not say later
	}{
		"killed":            {[]string{progress(3000)}, "about 50m0s left", "nothing new for 10m0s", "ended:", "left</b>"},
		"it has ended":      {[]string{progress(3000), ended("ended", 0)}, "ended: what was asked for is done", "ended: what was asked for is done", ">goes on<", "left</b>"},
		"it has failed":     {[]string{progress(3000), ended("the disk is full", 6)}, "exit code 6: the disk is full", "exit code 6: the disk is full", ">goes on<", "left</b>"},
		"it was stopped":    {[]string{progress(3000), ended("stopped", 75)}, "stopped on request", "stopped on request", ">goes on<", "left</b>"},
		"it works again":    {[]string{ended("the disk is full", 6), progress(3000)}, "about 50m0s left", "nothing new for 10m0s", "disk is full</p>", "left</b>"},
		"with other stages": {[]string{`{"msg":"progress","stage":"recheck","done":1,"total":5}` + "\n"}, "recheck 1 of 5", "oneshot status", "ended:", "recheck 1 of 5</b>"},
	} {
		dir := t.TempDir()
		newRunFolder(t, dir)
		for _, line := range c.log {
			add(t, filepath.Join(dir, "log.jsonl"), line)
		}
		clock := time.Now()
		x := newRun(dir, "", func() time.Time { return clock })
		page := func(all bool) string {
			x.sync()
			x.draw(all)
			return string(x.parts["state"].html) + string(x.parts["stages"].html)
		}
		says := func(when, page, want string, not ...string) {
			t.Helper()
			if !strings.Contains(page, want) {
				t.Errorf("%s: %s the page does not say %q:\n%s", name, when, want, page)
			}
			for _, n := range not {
				if strings.Contains(page, n) {
					t.Errorf("%s: %s the page says %q", name, when, n)
				}
			}
		}
		says("now", page(true), c.now, c.never)
		clock = clock.Add(10 * time.Minute)
		says("later", page(false), c.later, c.never, c.gone, ">goes on<")
		says("loaded again", page(true), c.later, c.never, c.gone, ">goes on<")
	}
}
