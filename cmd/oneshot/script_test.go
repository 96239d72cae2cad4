package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/rogpeppe/go-internal/testscript"

	"oneshot/ops/cuda/emu"
)

// TestMain makes the test binary serve as the program in scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"oneshot": main})
}

// TestScript runs testdata/script. Besides testscript's own commands there are
//
//	exits CODE program args...               the exit code, exactly
//	signal NAME FILE LINES CODE program...   sends NAME once FILE has LINES lines, then wants CODE
//	json KEY...                              stdout is one line, a JSON object with these keys
//	truncate FILE BYTES                      cuts, or extends with zeros; negative: from the end
//	plain stdout|stderr                      holds no escape and no carriage return
//	waitlines LINES FILE                     until FILE has so many lines
//	waitfree DIR                             until no process holds the run folder
//	nearlosses STEPS TOL RUN RUN             the first losses of two trainings agree
//	pictures FORMAT WxH SEED FILE...         writes the same picture, jpeg, grey or png, to files
//	miniature DIR TRAIN VAL SIDE             writes ImageNet's archives with few small images
//	commands PAGE                            runs what a page of a run says to make it again
//
// Two scripts take as long as all others: that of the emulated GPU, and that of all
// instruction sets (the runs in plain Go). They run where $ONESHOT_SCRIPTS is all
// (.ci/run, make test-cuda). TestBytesOfARun has every instruction set by default.
func TestScript(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	fake := ""
	if os.Getenv("ONESHOT_SCRIPTS") != "all" {
		files = slices.DeleteFunc(files, func(path string) bool {
			return slices.Contains([]string{"cuda.txtar", "isa.txtar"}, filepath.Base(path))
		})
	} else if _, err := exec.LookPath("g++"); err == nil {
		fake = emu.Library(t)
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(e *testscript.Env) error { // a GPU of this machine must not change what scripts see
			e.Setenv("CUDA_DRIVER_LIBRARY", filepath.Join(e.WorkDir, "no-libcuda.so.1"))
			e.Setenv("FAKE_CUDA_LIBRARY", fake)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "signal": cmdSignal, "json": cmdJSON, "truncate": cmdTruncate, "plain": cmdPlain,
			"waitlines": cmdWaitLines, "waitfree": cmdWaitFree, "nearlosses": cmdNearLosses, "commands": cmdCommands, "pictures": cmdPictures, "miniature": cmdMiniature,
		},
	})
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE program args...")
	}
	checkCode(ts, args[0], ts.Exec(args[1], args[2:]...))
	if m := doubled(ts.ReadFile("stderr")); m != "" {
		ts.Fatalf("a message says %q twice", m)
	}
}

// doubled finds a word with a colon that a message has twice in a row, as in "space: space: ..."; "" if there is none.
func doubled(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		if i > 0 && w == words[i-1] && strings.HasSuffix(w, ":") {
			return w
		}
	}
	return ""
}

func checkCode(ts *testscript.TestScript, want string, err error) {
	var exit *exec.ExitError
	got := 0
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 5 {
		ts.Fatalf("usage: signal NAME FILE LINES CODE program args...")
	}
	sig, ok := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL, "USR1": syscall.SIGUSR1, "HUP": syscall.SIGHUP}[args[0]]
	if !ok {
		ts.Fatalf("unknown signal %s", args[0])
	}
	lines, err := strconv.Atoi(args[2])
	ts.Check(err)
	path, err := exec.LookPath(filepath.Join(binDir(ts), args[4]))
	ts.Check(err)
	cmd := exec.Command(path, args[5:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), environ(ts)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	ts.Check(cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	sent, deadline := false, time.After(2*time.Minute)
	for {
		select {
		case err := <-done:
			if !sent {
				ts.Fatalf("ended before the signal was sent: %v\n%s", err, &out)
			}
			ts.Logf("%s", &out)
			if sig == syscall.SIGKILL {
				return
			}
			checkCode(ts, args[3], err)
			return
		case <-deadline:
			cmd.Process.Kill()
			ts.Fatalf("still running after two minutes\n%s", &out)
		case <-time.After(time.Millisecond):
		}
		b, _ := os.ReadFile(ts.MkAbs(args[1]))
		if !sent && bytes.Count(b, []byte("\n")) >= lines {
			ts.Check(cmd.Process.Signal(sig))
			sent = true
		}
	}
}

// eventually waits until ok, at most a minute.
func eventually(ts *testscript.TestScript, what string, ok func() bool) {
	for range 6000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("waited a minute for %s", what)
}

func cmdWaitLines(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	eventually(ts, "lines in "+args[1], func() bool {
		b, _ := os.ReadFile(ts.MkAbs(args[1]))
		return bytes.Count(b, []byte("\n")) >= n
	})
}

func cmdWaitFree(ts *testscript.TestScript, neg bool, args []string) {
	l := flock.New(filepath.Join(ts.MkAbs(args[0]), "LOCK"))
	eventually(ts, "the lock of "+args[0], func() bool {
		ok, err := l.TryLock()
		return ok && err == nil
	})
	ts.Check(l.Unlock())
}

// binDir is where testscript put the program: the first folder of the PATH.
func binDir(ts *testscript.TestScript) string {
	return filepath.SplitList(ts.Getenv("PATH"))[0]
}

func environ(ts *testscript.TestScript) []string {
	var env []string
	for _, k := range []string{"PATH", "HOME", "TMPDIR", "GOCOVERDIR", "CUDA_DRIVER_LIBRARY"} {
		env = append(env, k+"="+ts.Getenv(k))
	}
	return env
}

// cmdCommands is commands PAGE: what a page says to make its run again succeeds, each command with a folder of its own
// in the place of NEW; the run itself, which is the first, with NEW.
func cmdCommands(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: commands PAGE")
	}
	n := 0
	for _, part := range strings.Split(ts.ReadFile(args[0]), "<code>")[1:] {
		line, _, _ := strings.Cut(part, "</code>")
		words := strings.Fields(html.UnescapeString(line))
		for i, w := range words {
			if w == "NEW" && n > 0 {
				words[i] += strconv.Itoa(n)
			}
		}
		if err := ts.Exec(words[0], words[1:]...); err != nil {
			ts.Fatalf("%s: %v", line, err)
		}
		n++
	}
	if n < 3 {
		ts.Fatalf("%s has %d commands", args[0], n)
	}
}

// cmdJSON is json KEY[=VALUE]...: stdout is an object with these keys, and values.
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	out := ts.ReadFile("stdout")
	if strings.Count(out, "\n") != 1 {
		ts.Fatalf("stdout is not one line:\n%s", out)
	}
	var v map[string]any
	d := json.NewDecoder(strings.NewReader(out))
	d.UseNumber()
	ts.Check(d.Decode(&v))
	for _, arg := range args {
		path, want, compare := strings.Cut(arg, "=")
		var at any = v
		for part := range strings.SplitSeq(path, ".") {
			m, _ := at.(map[string]any)
			var ok bool
			if at, ok = m[part]; !ok {
				ts.Fatalf("no %s in %s", path, out)
			}
		}
		if got := fmt.Sprint(at); compare && got != want {
			ts.Fatalf("%s is %s, want %s", path, got, want)
		}
	}
}

func cmdTruncate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: truncate FILE BYTES")
	}
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	path := ts.MkAbs(args[0])
	if n < 0 {
		info, err := os.Stat(path)
		ts.Check(err)
		n += info.Size()
	} else if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		ts.Check(os.WriteFile(path, nil, 0o644))
	}
	ts.Check(os.Truncate(path, n))
}

func cmdPlain(ts *testscript.TestScript, neg bool, args []string) {
	for _, stream := range args {
		out := ts.ReadFile(stream)
		if out == "" {
			ts.Fatalf("%s is empty: nothing to check", stream)
		}
		if i := strings.IndexAny(out, "\r\x1b"); i >= 0 {
			ts.Fatalf("control character %q in %s", out[i], stream)
		}
	}
}

func cmdNearLosses(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: nearlosses STEPS TOL RUN RUN")
	}
	steps, err := strconv.Atoi(args[0])
	ts.Check(err)
	tol, err := strconv.ParseFloat(args[1], 64)
	ts.Check(err)
	a, b := firstLosses(ts, args[2], steps), firstLosses(ts, args[3], steps)
	near := true
	for i := range a {
		near = near && math.Abs(a[i]-b[i]) <= tol*math.Abs(b[i])
	}
	if near == neg {
		ts.Fatalf("losses %v and %v: near %v", a, b, near)
	}
}

// firstLosses are those of the first steps of a run's supernet.
func firstLosses(ts *testscript.TestScript, run string, steps int) []float64 {
	lines := strings.SplitN(ts.ReadFile(filepath.Join(run, "metrics.jsonl")), "\n", steps+1)
	if len(lines) <= steps {
		ts.Fatalf("%s has fewer than %d steps", run, steps)
	}
	losses := make([]float64, steps)
	for i := range losses {
		var m struct{ Loss float64 }
		ts.Check(json.Unmarshal([]byte(lines[i]), &m))
		losses[i] = m.Loss
	}
	return losses
}
