package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain makes the test binary serve as a program to measure: under the name
// fake-SPEED it answers `bench JOB` with that speed, and notes in the file calls of
// its folder that it was asked.
func TestMain(m *testing.M) {
	self := filepath.Base(os.Args[0])
	if speed, ok := strings.CutPrefix(self, "fake-"); ok {
		if err := fake(filepath.Dir(os.Args[0]), self, speed); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func fake(dir, self, speed string) error {
	var v float64
	if _, err := fmt.Sscanf(speed, "%g", &v); err != nil {
		return err
	}
	calls := filepath.Join(dir, "calls")
	b, err := os.ReadFile(calls)
	if err != nil {
		return err
	}
	// Scatters by a percent, on a machine that becomes slower from call to call.
	n := strings.Count(string(b), "\n")
	v *= 100 * (1 + 0.01*math.Sin(float64(n*n))) * (1 - 0.01*float64(n))
	params := 1000
	if strings.Contains(self, "other") {
		params++
	}
	fmt.Printf(`{"bench":%q,"images_per_s_median":%g,"peak_rss_mb":400,"threads":%s,"isa":"avx2","cpu":"a processor","batch":64,"params":%d,"madds_per_image":1e6}`+"\n",
		os.Args[2], v, os.Args[len(os.Args)-4], params)
	return os.WriteFile(calls, append(b, fmt.Sprintf("%s %s\n", self, strings.Join(os.Args[1:], " "))...), 0o644)
}

// fakes are programs in one folder, by name, and the file that says what was called.
func fakes(t *testing.T, names ...string) (programs []string, calls string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	calls = filepath.Join(dir, "calls")
	if err := os.WriteFile(calls, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		p := filepath.Join(dir, n)
		if err := os.Symlink(self, p); err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	return programs, calls
}

func testBench(rounds int) bench {
	return bench{jobs: []job{{"step", "--archs 4"}, {"eval", ""}}, rounds: rounds, threads: 2, log: io.Discard}
}

// table is what compare prints of two programs.
func table(t *testing.T, names ...string) string {
	t.Helper()
	programs, _ := fakes(t, names...)
	b := testBench(5)
	figures, m, err := b.measure(t.Context(), programs...)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	printTable(&out, nil, b, m, side{"a", figures[0]}, side{"b", figures[1]})
	return out.String()
}

// words are the last column, by figure.
func words(t *testing.T, table string) map[string]string {
	t.Helper()
	_, rows, ok := strings.Cut(table, "this is\n")
	if !ok {
		t.Fatalf("no table in\n%s", table)
	}
	found := map[string]string{}
	for line := range strings.Lines(rows) {
		name, _, _ := strings.Cut(line, "  ")
		cells := strings.Split(strings.TrimSpace(line), "  ")
		found[name] = strings.TrimSpace(cells[len(cells)-1])
	}
	return found
}

func TestEqualAndBrokenTwin(t *testing.T) {
	equal := table(t, "fake-1.0", "fake-1.00")
	for name, w := range words(t, equal) {
		if !strings.HasPrefix(w, "same within") {
			t.Errorf("equal programs: %s is %q\n%s", name, w, equal)
		}
	}
	slower := table(t, "fake-1.0", "fake-0.8")
	got := words(t, slower)
	for name, want := range map[string]string{"step": "slower", "eval": "slower", "step memory": "same within 2 %", "program": "same within 2 %"} {
		if !strings.HasSuffix(got[name], want) {
			t.Errorf("%s of a program that is 20 %% slower is %q, want %q\n%s", name, got[name], want, slower)
		}
	}
	if faster := words(t, table(t, "fake-0.8", "fake-1.0")); !strings.HasSuffix(faster["step"], "faster") {
		t.Errorf("the other way round step is %q", faster["step"])
	}
}

// Programs run in turn, with the same flags, and the first of a round is the second of
// the next.
func TestInTurn(t *testing.T) {
	programs, calls := fakes(t, "fake-1", "fake-2")
	figures, m, err := testBench(2).measure(t.Context(), programs...)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(calls)
	if err != nil {
		t.Fatal(err)
	}
	flags := " --threads 2 --device cpu --json\n"
	var want strings.Builder
	for _, order := range [][]string{{"fake-1", "fake-2"}, {"fake-2", "fake-1"}} {
		for _, job := range []string{" bench step --archs 4", " bench eval"} {
			for _, p := range order {
				want.WriteString(p + job + flags)
			}
		}
	}
	if string(b) != want.String() {
		t.Errorf("called\n%swant\n%s", b, &want)
	}
	if m != (machine{"a processor", "avx2", 2}) {
		t.Errorf("machine %+v", m)
	}
	for p, fs := range figures {
		if len(fs) != 5 || len(fs[0].values) != 2 || fs[1].values[0] != 400 {
			t.Errorf("figures of program %d: %+v", p, fs)
		}
	}
}

func TestMeasureRefuses(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"fake-1-other", "the programs do other work"},
		{"fake-0", "0 images/s"},
		{"fake-x", "exit status 1"},
	} {
		programs, _ := fakes(t, "fake-1", c.name)
		_, _, err := testBench(2).measure(t.Context(), programs...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
