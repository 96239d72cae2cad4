package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPlainWhereAskedFor: on a terminal a bar is drawn with escapes; where the environment asks for plain text, none.
func TestPlainWhereAskedFor(t *testing.T) {
	terminal, err := exec.LookPath("script")
	if err != nil {
		t.Skip("there is no `script`, which gives a program a terminal")
	}
	dir := t.TempDir()
	for i := range 40 {
		writePicture(t, filepath.Join(dir, "photos", []string{"cat", "dog"}[i%2], strings.Repeat("a", i+1)+".jpg"), drawn(16, 16, i, false))
	}
	command := program(t) + " data verify --data-dir " + filepath.Join(dir, "photos") + " >" + filepath.Join(dir, "said")
	for _, tc := range []struct {
		env   string
		plain bool
	}{{"TERM=xterm", false}, {"NO_COLOR=", false}, {"NO_COLOR=1", true}, {"TERM=dumb", true}, {"CI=true", true}} {
		cmd := exec.Command(terminal, "-qec", command, os.DevNull)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TERM=xterm", tc.env}
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", tc.env, err, out)
		}
		text := strings.ReplaceAll(string(out), "\r\n", "\n")
		if plain := !strings.ContainsAny(text, "\r\x1b"); plain != tc.plain {
			t.Errorf("%s: plain is %v, want %v: %q", tc.env, plain, tc.plain, text)
		}
	}
}
