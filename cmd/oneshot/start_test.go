package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"oneshot/internal/fault"
)

// program is a path at which the test binary acts as the program; see TestMain.
func program(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "oneshot")
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// The program builds and starts. With another version of go4.org/unsafe/assume-no-moving-gc
// than the one go.mod pins, gorgonia's imports panic before main is reached,
// and nothing but starting it shows that.
func TestProgramStarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oneshot")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.Command(path, "version").CombinedOutput()
	if err != nil || !bytes.HasPrefix(out, []byte("oneshot "+version)) {
		t.Fatalf("%v\n%s", err, out)
	}
}

// A reader that has seen enough ends the program quietly.
func TestBrokenPipe(t *testing.T) {
	cmd := exec.Command(program(t), "run", "--help")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &stderr
	err = cmd.Run()
	w.Close()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGPIPE {
		t.Errorf("%v", err)
	}
	if stderr.Len() > 0 {
		t.Errorf("%s", &stderr)
	}
}

// A file size limit stops the run with the code for a full disk, and after it
// is lifted the run goes on as if nothing had been.
func TestDiskFull(t *testing.T) {
	want := finished(t, filepath.Join(t.TempDir(), "run"))
	dir := filepath.Join(t.TempDir(), "run")
	args := []string{"run", "--preset", "micro", "--seed", "3", "--out", dir, "--resume", "--quiet"}
	// 2 blocks of 512 or 1024 bytes: the metrics outgrow them after some steps.
	limited := exec.Command("sh", append([]string{"-c", `ulimit -f 2; exec "$0" "$@"`, program(t)}, args...)...)
	out, err := limited.CombinedOutput()
	if code := limited.ProcessState.ExitCode(); code != fault.ExitSpace {
		t.Fatalf("exit code %d, want %d: %v\n%s", code, fault.ExitSpace, err, out)
	}
	if got := finished(t, dir); got != want {
		t.Error("the continued run differs from one that had space")
	}
}

// finished runs or continues the micro pipeline and returns the bytes that must
// not depend on interruptions.
func finished(t *testing.T, dir string) string {
	t.Helper()
	cmd := exec.Command(program(t), "run", "--preset", "micro", "--seed", "3", "--out", dir, "--resume", "--quiet")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return content(t, dir)
}

func content(t *testing.T, dir string) string {
	t.Helper()
	var all []byte
	for _, name := range []string{"result.json", "metrics.jsonl", "search/samples.jsonl", "search/best.json", "export/model.safetensors", "export/arch.json"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return string(all)
}
