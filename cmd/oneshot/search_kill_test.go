package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"oneshot/internal/fault"
)

// searchProcess is a search of the supernet in dir by another process. Its
// scores take some milliseconds, so that a kill comes in time.
func searchProcess(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	return exec.Command(program(t), "search", "--out", dir, "--quiet", "--samples", "40", "--baselines", "evolution",
		"--set", "search.init=6", "--set", "search.top=4", "--set", "score.recal_images=64", "--set", "score.images=30")
}

// trainedMicro is a run folder with a supernet and nothing else.
func trainedMicro(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if out, err := exec.Command(program(t), "train", "--preset", "micro", "--seed", "3", "--out", dir, "--quiet").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

func copyRun(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

func finishSearch(t *testing.T, dir string) {
	t.Helper()
	if out, err := searchProcess(t, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// killSearch kills a search once a file in its folder has so many lines, and
// reports whether that was before its end.
func killSearch(t *testing.T, dir, file string, lines int) bool {
	t.Helper()
	cmd := searchProcess(t, dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	deadline := time.After(2 * time.Minute)
	for {
		select {
		case <-done:
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !status.Signaled() && !status.Exited() || status.Exited() && status.ExitStatus() != fault.ExitOK {
				t.Fatalf("%v\n%s", cmd.ProcessState, &out)
			}
			return status.Signaled()
		case <-deadline:
			cmd.Process.Kill()
			t.Fatalf("still running after two minutes\n%s", &out)
		case <-time.After(200 * time.Microsecond):
		}
		if b, _ := os.ReadFile(filepath.Join(dir, "search", file)); bytes.Count(b, []byte("\n")) >= lines {
			cmd.Process.Kill()
		}
	}
}

// Killed with SIGKILL in the middle of a search, of the second scores or of a
// baseline, and continued: the same samples follow as if nothing had happened,
// and every file is the same.
func TestSearchKilledAnywhere(t *testing.T) {
	trained := trainedMicro(t)
	whole := copyRun(t, trained)
	finishSearch(t, whole)
	want := searchFiles(t, whole)
	kills := []struct {
		file  string
		lines int
	}{{"samples.jsonl", 1}, {"samples.jsonl", 12}, {"samples.jsonl", 33}, {"rechecks.jsonl", 2}, {"baseline-evolution.jsonl", 20}}
	if testing.Short() {
		kills = kills[1:2]
	}
	killed := 0
	for _, k := range kills {
		dir := copyRun(t, trained)
		if killSearch(t, dir, k.file, k.lines) {
			killed++
			if _, err := os.Stat(filepath.Join(dir, "search", "best.json")); err == nil {
				t.Errorf("%s: best.json is there before the end", k.file)
			}
		}
		finishSearch(t, dir)
		sameFiles(t, "killed at "+k.file, searchFiles(t, dir), want)
	}
	t.Logf("%d of %d killed", killed, len(kills))
	if killed == 0 {
		t.Error("no process was killed: nothing was tested")
	}

	// The broken twin: were the scores before the kill not replayed, other scores
	// there would not matter either.
	twin := copyRun(t, whole)
	path := filepath.Join(twin, "search", "samples.jsonl")
	lines := strings.SplitAfter(want["samples.jsonl"], "\n")
	score := regexp.MustCompile(`"score":[^,]*`)
	for i := range lines[:33] {
		value := `"score":0.9`
		if i%3 == 0 {
			value = `"score":0.05`
		}
		lines[i] = score.ReplaceAllString(lines[i], value)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines[:33], "")), 0o644); err != nil {
		t.Fatal(err)
	}
	// What a search has recorded of its samples, and their checksums, would be missed.
	for _, name := range []string{"record.json", "samples.sums"} {
		if err := os.Remove(filepath.Join(twin, "search", name)); err != nil {
			t.Fatal(err)
		}
	}
	finishSearch(t, twin)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tail := strings.SplitAfter(string(b), "\n")[33:]
	if len(tail) != len(lines[33:]) {
		t.Fatalf("%d samples follow, want %d", len(tail), len(lines[33:]))
	}
	if strings.Join(tail, "") == strings.Join(lines[33:], "") {
		t.Error("the samples that follow do not depend on those before: the test compares nothing")
	}
}

// searchFiles are the bytes that must not depend on interruptions.
func searchFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "search", "*"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range append(names, filepath.Join(dir, "metrics.jsonl")) {
		if filepath.Base(name) == "times.jsonl" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = string(b)
	}
	return out
}

func sameFiles(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for name, b := range want {
		if got[name] != b {
			t.Errorf("%s: %s differs", what, name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
}
