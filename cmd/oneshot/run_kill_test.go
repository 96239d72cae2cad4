package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
	"oneshot/internal/rundir"
)

// disturbance are faults that strike one folder.
type disturbance struct {
	t     *testing.T
	runs  runs
	tally *faulttest.Tally
	where map[string]int // faults by the stage that they struck
	dir   string
	n, ok int // faults in this folder, and those after which status told the truth
}

// struck notes a fault, and whether the folder is true after it.
func (d *disturbance) struck() {
	d.t.Helper()
	d.n++
	at, lie := d.runs.lie(d.t, d.dir)
	d.where[at]++
	if lie != nil {
		d.t.Errorf("%s: %v", d.dir, lie)
		return
	}
	d.ok++
}

// finish does the rest of a job undisturbed. The folder must be what the job leaves then.
func (d *disturbance) finish(j *job, compared func(map[string]string) map[string]string) {
	d.t.Helper()
	complete(d.t, j.in(d.dir)...)
	if diff := differing(compared(results(d.t, d.dir)), compared(j.want)); len(diff) > 0 {
		d.t.Errorf("after %d faults in %s: %s", d.n, d.dir, strings.Join(diff, ", "))
		d.ok = 0
	}
	states, err := state(d.dir)
	for stage, s := range states {
		if s != "fresh" {
			d.t.Errorf("after %d faults in %s: %s is %s in the end", d.n, d.dir, stage, s)
			d.ok = 0
		}
	}
	if err != nil {
		d.t.Error(err)
	}
	d.tally.Injected += d.n
	d.tally.Survived += d.ok
	d.n, d.ok = 0, 0
}

func everything(all map[string]string) map[string]string { return all }

// wholeJobs are runs with one seed, and with two and a baseline.
func wholeJobs(t *testing.T) []*job {
	return []*job{newJob(t, "", "--seed", "3"),
		newJob(t, "", "--seed", "3", "--set", "retrain.seeds=2", "--set", "retrain.steps=6", "--baselines", "random")}
}

// TestFaultKillWholeRun: a run that is killed with SIGKILL at random moments, and continued each time,
// says of itself what is true after each kill, and leaves the bytes of one never killed and nothing else.
func TestFaultKillWholeRun(t *testing.T) {
	tally, r := faulttest.New("kill -9 at random, whole run"), seeded(t)
	jobs := wholeJobs(t)
	d := &disturbance{t: t, runs: runsOf(jobs...), tally: tally, where: map[string]int{}}
	for round := 0; tally.Injected < faulttest.Times(20, 200) && round < 200; round++ {
		j := jobs[round%len(jobs)]
		d.dir = filepath.Join(t.TempDir(), "run")
		for d.n < 6 {
			c := startChild(t, j.in(d.dir)...)
			if !c.within(moment(r, j.took*2/3)) {
				c.send(syscall.SIGKILL)
			}
			code, killed := c.wait(t)
			if !killed && code != fault.ExitOK {
				t.Fatalf("exit code %d\n%s", code, &c.out)
			}
			if !killed {
				break
			}
			d.struck()
		}
		d.finish(j, everything)
	}
	t.Logf("kills by the stage that was not complete: %v", d.where)

	twinOfScores(t, tally, jobs[0])
	twinOfRecord(t, tally, d.runs, jobs[0])
	tally.Report(t)
}

// twinOfScores: a search that goes on with other scores than it had before the kill is noticed.
func twinOfScores(t *testing.T, tally *faulttest.Tally, j *job) {
	t.Helper()
	dir := j.folder(t)
	lines := strings.SplitAfter(j.want["search/samples.jsonl"], "\n")[:5]
	score := regexp.MustCompile(`"score":[^,]*`)
	for i := range lines {
		lines[i] = score.ReplaceAllString(lines[i], `"score":0.`+string(rune('5'-i)))
	}
	for _, p := range []string{"search", "retrain", "export", "result.json", "result.record.json"} {
		if err := os.RemoveAll(filepath.Join(dir, p)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "search"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "search", "samples.jsonl"), []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
	complete(t, j.in(dir)...)
	after := strings.SplitAfter(results(t, dir)["search/samples.jsonl"], "\n")[5:]
	want := strings.SplitAfter(j.want["search/samples.jsonl"], "\n")[5:]
	tally.Twin("scores before the kill edited", len(after) == len(want) && !slices.Equal(after, want))
}

// twinOfRecord: a record that was written for another file, and a temporary folder that is left, are noticed.
func twinOfRecord(t *testing.T, tally *faulttest.Tally, r runs, j *job) {
	t.Helper()
	dir := j.folder(t)
	exported := filepath.Join(dir, "export", "model.safetensors")
	b, err := os.ReadFile(exported)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(exported, b, 0o644); err != nil {
		t.Fatal(err)
	}
	relabelOutput(t, dir, "export/record.json", "export/model.safetensors")
	_, lie := r.lie(t, dir)
	tally.Twin("a record of another file", lie != nil)
	if err := os.Mkdir(filepath.Join(dir, "supernet", ".ckpt-00000002.tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	left := differing(results(t, dir), j.want)
	tally.Twin("a temporary folder is left", slices.Contains(left, "supernet/.ckpt-00000002.tmp/ is left"))
}

// relabelOutput has a record name the checksum that a file has now.
func relabelOutput(t *testing.T, dir, record, file string) {
	t.Helper()
	d := rundir.Folder(dir)
	rec, err := d.ReadRecord(record)
	if err != nil || rec == nil {
		t.Fatal(rec, err)
	}
	sums, err := d.Hashes(file)
	if err != nil {
		t.Fatal(err)
	}
	rec.Outputs[file] = sums[file]
	if err := d.WriteRecord(record, *rec); err != nil {
		t.Fatal(err)
	}
}

// TestFaultKillWhileReplacing: the same while results are set aside or copied for others, done anew and
// taken back, as when somebody changes a setting and changes it back.
func TestFaultKillWhileReplacing(t *testing.T) {
	tally, r := faulttest.New("kill -9 while results are replaced"), seeded(t)
	values := map[string]string{"seed": "3", "train.steps": "12", "search.samples": "8", "retrain.lr": "0.025"}
	args := func(key, value string) (out []string) {
		out = []string{"--override"}
		for k, v := range values {
			if k == key {
				v = value
			}
			out = append(out, "--set", k+"="+v)
		}
		return out
	}
	base := newJob(t, "", args("", "")...)
	whole := base.folder(t)
	changed := []*job{ // done anew from the images on; copied and gone on with; grown; the last training anew
		newJob(t, whole, args("seed", "4")...), newJob(t, whole, args("train.steps", "18")...),
		newJob(t, whole, args("search.samples", "10")...), newJob(t, whole, args("retrain.lr", "0.01")...)}
	d := &disturbance{t: t, runs: runsOf(append(changed, base)...), tally: tally, where: map[string]int{}}
	back := 0
	for round := 0; tally.Injected < faulttest.Times(8, 120) && round < 200; round++ {
		to := changed[round%len(changed)]
		d.dir = copyRun(t, whole)
		now := to
		for d.n < 4 {
			c := startChild(t, now.in(d.dir)...)
			if r.IntN(3) == 0 {
				c.within(moment(r, now.took))
			} else {
				c.changes(filepath.Join(d.dir, "replaced"), 1+r.IntN(3))
				c.within(moment(r, 30*time.Millisecond))
			}
			c.send(syscall.SIGKILL)
			code, killed := c.wait(t)
			if !killed && code != fault.ExitOK {
				t.Fatalf("exit code %d\n%s", code, &c.out)
			}
			if killed {
				d.struck()
			}
			if !killed && now == to || r.IntN(5) < 2 { // change their mind; from the changed run's end too
				now = base
				back++
			} else if !killed {
				break
			}
		}
		d.finish(now, everything)
	}
	t.Logf("kills by the stage that was not complete: %v; gone back %d times", d.where, back)

	// The broken twin: a program that takes the weights of other settings for current.
	dir := copyRun(t, whole)
	complete(t, changed[1].in(dir)...)
	for _, name := range []string{"config.yaml", "manifest.json"} {
		b, err := os.ReadFile(filepath.Join(whole, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	rec, err := rundir.Folder(dir).ReadRecord("supernet/record.json")
	if err != nil || rec == nil {
		t.Fatal(rec, err)
	}
	_, before := d.runs.lie(t, dir)
	rec.Inputs["train.steps"], rec.Steps = "12", 12
	if err := rundir.Folder(dir).WriteRecord("supernet/record.json", *rec); err != nil {
		t.Fatal(err)
	}
	_, lie := d.runs.lie(t, dir)
	tally.Twin("settings left out of a record", before == nil && lie != nil)
	tally.Report(t)
}

// changes waits until the names in a folder have changed so many times, or the process has ended.
func (c *child) changes(dir string, times int) {
	last := ""
	for n := 0; n < times && !c.within(200*time.Microsecond); {
		entries, _ := os.ReadDir(dir)
		now := ""
		for _, e := range entries {
			now += e.Name() + "/"
		}
		if now != last {
			n, last = n+1, now
		}
	}
}

// TestFaultStopThenKill: a signal to stop, another or a kill while the run saves, and a pause before: the run
// goes on to the same bytes.
func TestFaultStopThenKill(t *testing.T) {
	tally, r := faulttest.New("stop signal, then another or kill -9"), seeded(t)
	j := newJob(t, "", "--seed", "3", "--set", "run.checkpoint_steps=5")
	d := &disturbance{t: t, runs: runsOf(j), tally: tally, where: map[string]int{}}
	ends := map[string]int{}
	for round := 0; tally.Injected < faulttest.Times(8, 120) && round < 200; round++ {
		d.dir = filepath.Join(t.TempDir(), "run")
		for d.n < 6 {
			c := startChild(t, j.in(d.dir)...)
			c.within(moment(r, j.took*2/3))
			if r.IntN(4) == 0 { // a pause, in which the folder stays taken
				c.send(syscall.SIGSTOP)
				c.within(10 * time.Millisecond)
				if _, lie := d.runs.lie(t, d.dir); lie != nil {
					t.Errorf("while the run is paused: %v", lie)
				}
				c.send(syscall.SIGCONT)
			}
			c.send([]syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[r.IntN(2)])
			if r.IntN(4) > 0 {
				c.within(moment(r, 20*time.Millisecond))
				c.send([]syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL}[r.IntN(3)])
			}
			code, killed := c.wait(t)
			if code == fault.ExitOK {
				break
			}
			switch status := c.cmd.ProcessState.Sys().(syscall.WaitStatus); {
			case killed:
				ends["killed"]++
			case status.Signaled(): // before the handlers were there
				ends["at the start"]++
			case code == fault.ExitStopped:
				ends["saved"]++
			case code == 130 || code == 143:
				ends["at once"]++
			default:
				t.Fatalf("exit code %d\n%s", code, &c.out)
			}
			d.struck()
		}
		d.finish(j, newestOnly)
	}
	t.Logf("stops by the stage that was not complete: %v; how they ended: %v", d.where, ends)
	twinOfScores(t, tally, j)
	tally.Report(t)
}
