package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"oneshot/internal/fault"
)

// raceLines runs `bench search` and returns its lines.
func raceLines(t *testing.T, args ...string) []map[string]any {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(append([]string{"bench", "search", "--json", "-q"}, args...), &out, &errs); code != fault.ExitOK {
		t.Fatalf("exit code %d\n%s", code, &errs)
	}
	var lines []map[string]any
	for line := range strings.Lines(out.String()) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		lines = append(lines, v)
	}
	return lines
}

// TestRacesDoNotDependOnThreads but for the time they took.
func TestRacesDoNotDependOnThreads(t *testing.T) {
	args := []string{"--table", "gen:nk", "--table", "gen:cell:5", "--algo", "lanas,evolution,random", "--budget", "60", "--seeds", "5", "--batch", "2"}
	one, three := raceLines(t, append(args, "--threads", "1")...), raceLines(t, append(args, "--threads", "3")...)
	if len(one) != 6 {
		t.Fatalf("%d lines, want 6", len(one))
	}
	for i := range one {
		if ms, ok := one[i]["ask_tell_ms"].(float64); !ok || !(ms > 0) {
			t.Errorf("ask_tell_ms is %v", one[i]["ask_tell_ms"])
		}
		delete(one[i], "ask_tell_ms")
		delete(three[i], "ask_tell_ms")
		if !reflect.DeepEqual(one[i], three[i]) {
			t.Errorf("1 thread: %v\n3 threads: %v", one[i], three[i])
		}
	}
	if reflect.DeepEqual(one[0]["regret_curve"], one[1]["regret_curve"]) {
		t.Error("lanas and evolution found the same")
	}
}

// TestRaceReportFields: the fields and their types.
func TestRaceReportFields(t *testing.T) {
	lines := raceLines(t, "--table", "gen:additive:3", "--algo", "random", "--budget", "250", "--seeds", "2", "--seed", "9")
	v := lines[0]
	for _, at := range []string{"100", "200", "250"} {
		for _, field := range []string{"best_at", "best_at_avg"} {
			if x, ok := v[field].(map[string]any)[at].(float64); !ok || !(x > 85 && x <= 94) {
				t.Errorf("%s.%s is %v", field, at, v[field])
			}
		}
	}
	curve := v["regret_curve"].([]any)
	limits := v["regret_ci"].(map[string]any)
	if len(curve) != 250 || len(limits["lower"].([]any)) != 250 || len(limits["upper"].([]any)) != 250 {
		t.Errorf("a curve of %d samples, want 250", len(curve))
	}
	for i := 1; i < len(curve); i++ {
		if !(curve[i].(float64) <= curve[i-1].(float64)) {
			t.Fatalf("regret grows at %d", i)
		}
	}
	if v["table"] != "additive:3" || v["algo"] != "random" || v["first_seed"] != 9. || v["seeds"] != 2. {
		t.Errorf("line %v", v)
	}
	got, set := v["median_samples_to_top_0.1pct"]
	if !set || got != nil || v["samples_to_top_censored"] != true {
		t.Errorf("random search reached the top after %v", got)
	}
}

// TestRaceSeedsAreConsecutive: two seeds are the first and the one after it.
func TestRaceSeedsAreConsecutive(t *testing.T) {
	last := func(seed, seeds string) float64 {
		return raceLines(t, "--table", "gen:nk", "--algo", "random", "--budget", "50", "--seeds", seeds, "--seed", seed)[0]["last100_mean_avg"].(float64)
	}
	both, one, two := last("3", "2"), last("3", "1"), last("4", "1")
	if !(math.Abs(both-(one+two)/2) <= 2e-4) || one == two {
		t.Errorf("seeds 3 and 4 have %v, 3 has %v, 4 has %v", both, one, two)
	}
}

// TestRaceStopsOnSignal: the first result sends one.
func TestRaceStopsOnSignal(t *testing.T) {
	var errs bytes.Buffer
	out := &killer{}
	code := run([]string{"bench", "search", "--table", "gen:nk", "--algo", "random,lanas,evolution", "--budget", "4000", "--seeds", "20", "-q"}, out, &errs)
	if code != fault.ExitStopped || !strings.Contains(errs.String(), "stopped on request") || strings.Contains(out.String(), "evolution") {
		t.Errorf("exit code %d, want %d\n%s%s", code, fault.ExitStopped, &out.Buffer, &errs)
	}
}

type killer struct{ bytes.Buffer }

func (k *killer) Write(b []byte) (int, error) {
	if k.Len() == 0 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			return 0, err
		}
	}
	return k.Buffer.Write(b)
}

// TestRaceOnAWrittenTable is the race on the generated one.
func TestRaceOnAWrittenTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.json")
	raceLines(t, "--table", "gen:noisy:4", "--write-table", path)
	args := []string{"--algo", "lanas", "--budget", "60", "--seeds", "2", "--table"}
	a, b := raceLines(t, append(args, "gen:noisy:4")...)[0], raceLines(t, append(args, path)...)[0]
	delete(a, "ask_tell_ms")
	delete(b, "ask_tell_ms")
	if !reflect.DeepEqual(a, b) {
		t.Errorf("generated: %v\nwritten: %v", a, b)
	}
}

// TestRaceWithinLimits on a table of NAS-Bench-Macro's form in which an
// architecture costs as many params as it scores: 50 and the sum of its digits.
func TestRaceWithinLimits(t *testing.T) {
	table, light := map[string]any{}, 0 // at most 58 params
	for i := range 6561 {
		key, sum := []byte("00000000"), 0
		for k, v := 0, i; k < 8; k, v = k+1, v/3 {
			key[k] += byte(v % 3)
			sum += v % 3
		}
		if sum <= 8 {
			light++
		}
		table[string(key)] = map[string]any{"mean_acc": 50 + sum, "params": 50 + sum, "flops": 1000}
	}
	b, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sums.json")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	args := []string{"--table", path, "--algo", "evolution", "--budget", "250", "--seeds", "2"}
	for limit, want := range map[string]float64{"0": 66, "58": 58} {
		v := raceLines(t, append(args, "--limit-params", limit)...)[0]
		if best := v["best_at"].(map[string]any)["250"]; v["table_best"] != want || best != want {
			t.Errorf("at most %s params: the table's best is %v, evolution's %v, want %v", limit, v["table_best"], best, want)
		}
	}
	page := filepath.Join(t.TempDir(), "page.html")
	raceLines(t, "--table", path, "--algo", "lanas", "--budget", "30", "--seeds", "1", "--limit-params", "58", "--html", page)
	if b, err = os.ReadFile(page); err != nil {
		t.Fatal(err)
	}
	if root := fmt.Sprintf("<small>~%d</small>", light); strings.Count(string(b), root) != 1 {
		t.Errorf("the tree's root is not of the %d architectures within the limit", light)
	}
	var out, errs bytes.Buffer
	code := run(append([]string{"bench", "search", "--limit-flops", "999"}, args...), &out, &errs)
	if code != fault.ExitUsage || !strings.Contains(errs.String(), "flops at most 999, the smallest seen 1000") {
		t.Errorf("exit code %d\n%s", code, &errs)
	}
}

// TestRacePage writes the page of a race with everything in it.
func TestRacePage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.html")
	raceLines(t, "--table", "gen:noisy", "--table", "gen:cell", "--algo", "random,lanas", "--budget", "50", "--seeds", "3", "--html", path)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for text, count := range map[string]int{
		"<h2>": 2, "Regret against samples</h3>": 2, `class="wide"`: 2, `class="narrow"`: 2, "The final tree of lanas, seed 1": 2,
		"all architectures": 2, "the searches see noise": 1, `<td>random</td>`: 2, `class="band`: 8,
	} {
		if got := strings.Count(string(b), text); got != count {
			t.Errorf("%d times %q, want %d", got, text, count)
		}
	}
}
