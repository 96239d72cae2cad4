package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"oneshot/internal/fault"
)

// TestReadOnlyFolder: a run folder that nobody may write to answers what needs no writing, and refuses
// the rest before it does anything.
func TestReadOnlyFolder(t *testing.T) {
	base, err := os.MkdirTemp("", "readonly")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(base, "r")
	t.Cleanup(func() {
		chmodAll(t, base, 0o755)
		os.RemoveAll(base)
	})
	want, said, code := oneshotHere(append([]string{"run", "--out", dir}, beginning...)...)
	if code != fault.ExitOK {
		t.Fatal(said)
	}
	oneshot := filepath.Join(base, "oneshot")
	b, err := os.ReadFile(program(t))
	if err == nil {
		err = os.WriteFile(oneshot, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	chmodAll(t, base, 0o555)
	before := filesIn(t, dir)
	refused, answered := 0, 0
	for _, tc := range []struct {
		args   string
		code   int
		stdout string
		said   string
	}{
		{"run --resume --out DIR --quiet", fault.ExitOK, want, "cannot use run folder"},
		{"run --resume --override --out DIR", fault.ExitOK, want, "what is there is only read"},
		{"eval --out DIR", fault.ExitOK, want, "what is there is only read"},
		{"eval --out DIR --arch best", fault.ExitOK, "top-1", "what is there is only read"},
		{"eval --weights DIR/export/model.safetensors", fault.ExitOK, "top-1", ""},
		{"train --resume --out DIR", fault.ExitOK, "supernet 12 steps", "what is there is only read"},
		{"status DIR", fault.ExitOK, "train    fresh", ""},
		{"inspect DIR", fault.ExitOK, "", ""},
		{"search --out DIR", fault.ExitOK, "found    ", "what is there is only read"},
		{"search --out DIR --baselines random", fault.ExitUsage, "", "choose a writable folder with --out"},
		{"retrain --out DIR", fault.ExitUsage, "", "choose a writable folder with --out"},
		{"export --out DIR", fault.ExitUsage, "", "choose a writable folder with --out"},
		{"run --resume --override --out DIR --set train.steps=18", fault.ExitUsage, "", "choose a writable folder with --out"},
		{"run --out DIR", fault.ExitUsage, "", "choose a writable folder with --out"},
	} {
		stdout, stderr, code := asNobody(t, oneshot, strings.Fields(strings.ReplaceAll(tc.args, "DIR", dir))...)
		if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.said) {
			t.Errorf("%s: exit code %d, want %d\n%s%s", tc.args, code, tc.code, stdout, stderr)
		}
		if code == fault.ExitOK {
			answered++
		} else {
			refused++
		}
	}
	if after := filesIn(t, dir); !maps.Equal(before, after) || answered == 0 || refused == 0 {
		t.Errorf("%d answered, %d refused; the folder has changed: %v", answered, refused, !maps.Equal(before, after))
	}
	// What was not tested yet cannot be kept.
	chmodAll(t, base, 0o755)
	if err := os.Remove(filepath.Join(dir, "result.json")); err != nil {
		t.Fatal(err)
	}
	chmodAll(t, base, 0o555)
	if _, stderr, code := asNobody(t, oneshot, "eval", "--out", dir); code != fault.ExitUsage || !strings.Contains(stderr, "the stage test would write there") || !strings.Contains(stderr, "eval --weights") {
		t.Errorf("without a result: exit code %d\n%s", code, stderr)
	}
}

// asNobody runs the program as a user who owns nothing.
func asNobody(t *testing.T, oneshot string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), oneshot, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &said, "/"
	if os.Geteuid() == 0 { // whom no mode stops
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), said.String(), cmd.ProcessState.ExitCode()
}

// chmodAll gives the folders below a path a mode, and files the same without execution but for the program.
func chmodAll(t *testing.T, base string, mode os.FileMode) {
	t.Helper()
	filepath.WalkDir(base, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() || filepath.Base(path) == "oneshot" {
			return os.Chmod(path, mode)
		}
		return os.Chmod(path, mode&0o644)
	})
}

// filesIn are the files below a folder with what they hold.
func filesIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
