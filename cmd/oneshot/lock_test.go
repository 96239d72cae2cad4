package main

import (
	"encoding/json"
	"fmt"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
)

// writers are the verbs that hold a run folder, as they are given the folder of a complete run.
var writers = map[string][]string{
	"run":     {"run", "--resume", "--quiet"},
	"train":   {"train", "--resume", "--quiet"},
	"search":  {"search", "--quiet"},
	"retrain": {"retrain", "--quiet"},
	"export":  {"export", "--quiet"},
	"eval":    {"eval", "--quiet"},
}

// TestFaultTwoProcesses: while one process holds a run folder, paused too, each verb that would write there
// ends at once with exit code 4, names the holder and changes nothing, whatever the folder is called by;
// verbs that read tell the truth. A process that is killed holds nothing.
func TestFaultTwoProcesses(t *testing.T) {
	tally := faulttest.New("two processes, one run folder")
	j := newJob(t, "", "--seed", "3")
	holders := slices.Sorted(maps.Keys(writers))
	if n := faulttest.Times(2, len(holders)); n < len(holders) {
		r := seeded(t)
		r.Shuffle(len(holders), func(a, b int) { holders[a], holders[b] = holders[b], holders[a] })
		holders = holders[:n]
	}
	whole := j.folder(t)
	for i, holder := range holders {
		dir := copyRun(t, whole)
		c := heldBy(t, holder, dir)
		before := everyByte(t, dir)
		spellings := otherNames(t, dir)
		for k, intruder := range slices.Sorted(maps.Keys(writers)) {
			tally.Injected++
			name := spellings[k%len(spellings)]
			if err := refused(t, c, append(slices.Clone(writers[intruder]), "--out", name)); err != nil {
				t.Errorf("%s while %s holds the folder: %v", intruder, holder, err)
			} else if diff := differing(everyByte(t, dir), before); len(diff) > 0 {
				t.Errorf("%s while %s holds the folder has changed %s", intruder, holder, strings.Join(diff, ", "))
			} else {
				tally.Survived++
			}
		}
		for _, reader := range [][]string{{"status", "--json", dir}, {"inspect", "--json", dir}, {"eval", "--quiet", "--weights", filepath.Join(dir, "export", "model.safetensors")}} {
			complete(t, reader...)
		}
		if _, lie := runsOf(j).lie(t, dir); lie != nil {
			t.Errorf("while %s holds the folder: %v", holder, lie)
		}
		if diff := differing(everyByte(t, dir), before); len(diff) > 0 {
			t.Errorf("verbs that read have changed %s", strings.Join(diff, ", "))
		}
		if i%2 == 0 {
			c.send(syscall.SIGKILL)
			c.wait(t)
		} else {
			c.send(syscall.SIGCONT)
			if code, _ := c.wait(t); code != fault.ExitOK {
				t.Errorf("%s, paused and gone on: exit code %d\n%s", holder, code, &c.out)
			}
		}
		complete(t, j.in(dir)...)
		if diff := differing(results(t, dir), j.want); len(diff) > 0 {
			t.Errorf("after %s was disturbed: %s", holder, strings.Join(diff, ", "))
		}
	}

	// The broken twin: somebody has removed LOCK, so the next process finds nothing to wait for.
	dir := copyRun(t, whole)
	c := heldBy(t, "run", dir)
	if err := os.Remove(filepath.Join(dir, "LOCK")); err != nil {
		t.Fatal(err)
	}
	tally.Twin("LOCK removed", refused(t, c, append(slices.Clone(writers["run"]), "--out", dir)) != nil)
	tally.Report(t)
}

// heldBy starts a verb and pauses it while it holds the folder.
func heldBy(t *testing.T, verb, dir string) *child {
	t.Helper()
	for range 20 {
		c := startChild(t, append(slices.Clone(writers[verb]), "--out", dir)...)
		for !c.within(100 * time.Microsecond) {
			if owner(dir).PID == c.cmd.Process.Pid {
				c.send(syscall.SIGSTOP)
				if c.within(20 * time.Millisecond) {
					break // it was too quick
				}
				return c
			}
		}
	}
	t.Fatalf("%s never held %s", verb, dir)
	return nil
}

// lockFile is what LOCK says of its holder.
type lockFile struct {
	PID         int
	Host, Since string
}

func owner(dir string) (o lockFile) {
	b, _ := os.ReadFile(filepath.Join(dir, "LOCK"))
	json.Unmarshal(b, &o)
	return o
}

// otherNames are ways to name a folder.
func otherNames(t *testing.T, dir string) []string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	twin := filepath.Join(t.TempDir(), "linked") // another folder with the same LOCK
	if err := os.Mkdir(twin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(filepath.Join(dir, "LOCK"), filepath.Join(twin, "LOCK")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.yaml", "manifest.json"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(twin, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return []string{dir, link, dir + "/../" + filepath.Base(dir) + "/./", twin}
}

// refused wants a command line to end with exit code 4 and the name of the holder, while that is paused.
func refused(t *testing.T, holder *child, args []string) error {
	t.Helper()
	c := startChild(t, args...)
	code, _ := c.wait(t)
	said := c.out.String()
	host, _ := os.Hostname()
	switch {
	case code != fault.ExitLocked:
		return fmt.Errorf("exit code %d, want %d\n%s", code, fault.ExitLocked, said)
	case !strings.Contains(said, fmt.Sprintf("in use by process %d on %s since 2", holder.cmd.Process.Pid, host)):
		return fmt.Errorf("it does not name process %d:\n%s", holder.cmd.Process.Pid, said)
	case holder.ended():
		return fmt.Errorf("the holder has ended\n%s", &holder.out)
	}
	return nil
}

// everyByte is all that a folder has.
func everyByte(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := results(t, dir)
	for _, name := range []string{"LOCK", "log.jsonl", "search/times.jsonl", "manifest.json"} {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
	}
	return all
}

// TestFaultStartedTogether: of two processes that start in the same folder at the same instant one runs, and
// the other ends with exit code 4.
func TestFaultStartedTogether(t *testing.T) {
	tally := faulttest.New("two processes started at the same instant")
	together := func(first, second string) (codes []int, running int) {
		args := []string{"train", "--preset", "micro", "--resume", "--quiet", "--set", "train.steps=100000", "--out"}
		both := []*child{startChild(t, append(slices.Clone(args), first)...), startChild(t, append(slices.Clone(args), second)...)}
		for start := time.Now(); !both[0].ended() && !both[1].ended() && time.Since(start) < time.Minute; {
			if second != first && has(first, "metrics.jsonl") && has(second, "metrics.jsonl") && rel(first) != rel(second) {
				break // both run
			}
			time.Sleep(time.Millisecond)
		}
		for _, c := range both {
			if !c.ended() {
				running++
				c.send(syscall.SIGKILL)
				c.wait(t)
				continue
			}
			code, _ := c.wait(t)
			codes = append(codes, code)
		}
		return codes, running
	}
	for i := range faulttest.Times(4, 20) {
		dir := filepath.Join(t.TempDir(), "run")
		second := dir
		if i%2 == 1 { // by another name; the folder is there, and empty
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			second = filepath.Join(t.TempDir(), "link")
			if err := os.Symlink(dir, second); err != nil {
				t.Fatal(err)
			}
		}
		tally.Injected++
		if codes, running := together(dir, second); running != 1 || !slices.Equal(codes, []int{fault.ExitLocked}) {
			t.Errorf("%d run, and others ended with %v", running, codes)
			continue
		}
		tally.Survived++
	}
	// The broken twin: two folders, as if there were no lock.
	_, running := together(filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run"))
	tally.Twin("no lock in common", running != 1)
	tally.Report(t)
}

func has(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// rel is a folder without links.
func rel(dir string) string {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return dir
	}
	return real
}

// TestFaultSharedFolders: two runs that read the same images and keep the same lists of them, at the same
// time, leave the bytes that each leaves alone.
func TestFaultSharedFolders(t *testing.T) {
	tally := faulttest.New("two runs share images and their lists")
	photos, cache := filepath.Join(t.TempDir(), "photos"), filepath.Join(t.TempDir(), "lists")
	old := time.Now().Add(-time.Hour) // what has only just changed is not listed
	for _, class := range []string{"cat", "dog"} {
		dir := filepath.Join(photos, class)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for i := range 60 {
			path := filepath.Join(dir, fmt.Sprintf("%02d.png", i))
			f, err := os.Create(path)
			if err == nil {
				err = png.Encode(f, drawn(40, 36, i+100*len(class), class == "dog"))
			}
			if err == nil {
				err = f.Close()
			}
			if err == nil {
				err = os.Chtimes(path, old, old)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chtimes(dir, old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(photos, old, old); err != nil {
		t.Fatal(err)
	}
	alone := func(seed string) *job {
		return newJob(t, "", "--data-dir", photos, "--cache", cache, "--seed", seed,
			"--set", "data.train_size=80", "--set", "data.search_size=20", "--set", "data.test_size=20")
	}
	a, b := alone("3"), alone("4")
	lists, _ := os.ReadDir(cache)
	if len(lists) == 0 {
		t.Fatal("no list is kept: nothing is shared")
	}
	for i := range faulttest.Times(2, 12) {
		if i%2 == 0 { // both make the list
			if err := os.RemoveAll(cache); err != nil {
				t.Fatal(err)
			}
		}
		dirs := []string{filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "run")}
		both := []*child{startChild(t, a.in(dirs[0])...), startChild(t, b.in(dirs[1])...)}
		tally.Injected++
		same := true
		for k, c := range both {
			if code, _ := c.wait(t); code != fault.ExitOK {
				t.Fatalf("exit code %d\n%s", code, &c.out)
			}
			if diff := differing(results(t, dirs[k]), []*job{a, b}[k].want); len(diff) > 0 {
				t.Errorf("run %d: %s", k, strings.Join(diff, ", "))
				same = false
			}
		}
		left, _ := filepath.Glob(filepath.Join(cache, ".*"))
		if len(left) > 0 {
			t.Errorf("%q are left", left)
			same = false
		}
		if same {
			tally.Survived++
		}
	}
	tally.Twin("the other run's seed", len(differing(b.want, a.want)) > 5)
	tally.Report(t)
}
