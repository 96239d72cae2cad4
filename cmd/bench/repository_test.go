package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// slowProgram is the source of a program that answers any `bench` with a speed.
const slowProgram = `package main

import (
	"fmt"
	"time"
)

func main() {
	time.Sleep(%s)
	fmt.Println(` + "`" + `{"images_per_s_median":%d,"peak_rss_mb":400,"threads":2,"isa":"avx2","cpu":"a processor","batch":64}` + "`" + `)
}
`

// clone makes a repository with a program of a speed the working directory, and a
// folder for temporary files that must be empty in the end.
func clone(t *testing.T, speed int) (tmp string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git")
	}
	for _, v := range []string{"GIT_AUTHOR", "GIT_COMMITTER"} {
		t.Setenv(v+"_NAME", "somebody")
		t.Setenv(v+"_EMAIL", "somebody@example.org")
	}
	t.Setenv("GIT_CONFIG_GLOBAL", os.DevNull)
	t.Chdir(t.TempDir())
	git(t, "init", "--quiet")
	write(t, "go.mod", "module oneshot\n\ngo 1.26.0\n")
	write(t, "bench/README", "")
	program(t, speed, 0)
	commit(t)
	tmp = t.TempDir()
	t.Setenv("TMPDIR", tmp)
	return tmp
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func program(t *testing.T, speed int, sleep time.Duration) {
	t.Helper()
	write(t, "cmd/oneshot/main.go", fmt.Sprintf(slowProgram, fmt.Sprintf("%d", sleep), speed))
}

func git(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("git", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func commit(t *testing.T) {
	t.Helper()
	git(t, "add", ".")
	git(t, "commit", "--quiet", "-m", "change")
}

// leftNothing wants no worktree and no temporary file of ours.
func leftNothing(t *testing.T, tmp string) {
	t.Helper()
	if got := git(t, "worktree", "list"); strings.Count(got, "\n") != 1 {
		t.Errorf("worktrees are left:\n%s", got)
	}
	left, err := filepath.Glob(filepath.Join(tmp, "oneshot-bench-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v: left %v", err, left)
	}
}

// A record, and a change that makes the program slower: the comparison says so.
func TestRecordAndCompare(t *testing.T) {
	tmp := clone(t, 100)
	bench := func(args ...string) (string, error) {
		var out strings.Builder
		err := run(t.Context(), args, &out, io.Discard)
		leftNothing(t, tmp)
		return out.String(), err
	}
	if _, err := bench("compare"); err == nil || !strings.Contains(err.Error(), "there is no "+recordPath) {
		t.Errorf("without a record: %v", err)
	}
	write(t, "untracked", "")
	if _, err := bench("record", "-rounds", "2"); err == nil || !strings.Contains(err.Error(), "the tree has changes") {
		t.Errorf("a record of changes: %v", err)
	}
	os.Remove("untracked")
	out, err := bench("record", "-rounds", "2")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"a processor, avx2, 2 threads", "step                100.0 images/s"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	commit(t)
	for _, c := range []struct {
		speed int
		args  []string
		want  string
	}{
		{100, nil, "same within 2 %"},
		{80, nil, "20 % slower"},
		{80, []string{"-base", "HEAD"}, "20 % slower"},
	} {
		program(t, c.speed, 0)
		out, err := bench(append([]string{"compare", "-rounds", "2"}, c.args...)...)
		if err != nil {
			t.Fatal(err)
		}
		if got := words(t, out)["step"]; got != c.want {
			t.Errorf("speed %d after 100, %v: %q, want %q\n%s", c.speed, c.args, got, c.want, out)
		}
	}
	if _, err := bench("compare", "-base", "nowhere"); err == nil || !strings.Contains(err.Error(), "this clone has no commit nowhere") {
		t.Errorf("a commit that does not exist: %v", err)
	}
	write(t, "cmd/oneshot/main.go", "no Go")
	if _, err := bench("compare", "-base", "HEAD"); err == nil || !strings.Contains(err.Error(), "go build") {
		t.Errorf("a program that does not build: %v", err)
	}
}

// Interrupted while it builds or measures, it ends at once and leaves nothing.
func TestInterrupted(t *testing.T) {
	tmp := clone(t, 100)
	program(t, 100, time.Minute)
	commit(t)
	for what, files := range map[string]string{
		"building":  "oneshot-bench-*/worktree/go.mod",
		"measuring": "oneshot-bench-*/this",
	} {
		t.Run(what, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			seen := false
			go func() {
				for ctx.Err() == nil {
					if found, _ := filepath.Glob(filepath.Join(tmp, files)); len(found) > 0 {
						seen = true
						time.Sleep(50 * time.Millisecond) // git is done, and go or the program runs
						cancel()
					}
					time.Sleep(time.Millisecond)
				}
			}()
			start := time.Now()
			err := run(ctx, []string{"compare", "-base", "HEAD"}, io.Discard, io.Discard)
			if !errors.Is(err, context.Canceled) || !seen {
				t.Errorf("%v, want %v; interrupted %v", err, context.Canceled, seen)
			}
			if took := time.Since(start); took > 50*time.Second {
				t.Errorf("ended after %v", took)
			}
			leftNothing(t, tmp)
		})
	}
}

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		args string
		want string
	}{
		{"", "want record or compare"},
		{"measure", `unknown verb "measure"`},
		{"record -base HEAD", "flag provided but not defined"},
		{"compare HEAD", `takes no arguments, but got "HEAD"`},
		{"compare -rounds 0", "at least 1"},
	} {
		err := run(t.Context(), strings.Fields(c.args), io.Discard, io.Discard)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("bench %s: %v, want %q", c.args, err, c.want)
		}
	}
}
