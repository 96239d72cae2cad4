package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
)

// someLost are files that tests delete by default; all of them with ONESHOT_FAULTS=all.
var someLost = []string{"config.yaml", "manifest.json", "search/rechecks.jsonl", "supernet/ckpt-00000012/DONE",
	"retrain/ckpt-00000012/model.safetensors", "export/model.safetensors"}

// beginning is the command line that began the runs of this test, but for the verb and the folder.
var beginning = []string{"--preset", "micro", "--seed", "3", "--device", "cpu", "--quiet"}

// TestFaultFileLost: whichever file of a run folder is gone, `status` names commands that go on, each of
// them works, and in the end the results are those of a run that lost nothing.
func TestFaultFileLost(t *testing.T) {
	whole, stopped, tuned := filepath.Join(t.TempDir(), "r"), filepath.Join(t.TempDir(), "r"), filepath.Join(t.TempDir(), "r")
	start := filepath.Join(whole, "export", "model.safetensors")
	for _, args := range [][]string{append([]string{"run", "--out", whole}, beginning...),
		append([]string{"train", "--out", stopped}, beginning...), {"search", "--out", stopped, "--quiet"},
		append([]string{"retrain", "--out", tuned, "--init", start}, beginning...)} {
		if _, said, code := oneshotHere(args...); code != fault.ExitOK {
			t.Fatalf("%v: %s", args, said)
		}
	}
	want := resultsOf(t, whole)
	all := faulttest.All()
	tally := faulttest.New("a file of a finished, stopped or fine-tuned run is deleted")
	for _, run := range []struct {
		name, dir string
		want      map[string]string
		some      []string
	}{{"finished", whole, want, someLost}, {"stopped", stopped, want, nil}, {"fine-tuned", tuned, resultsOf(t, tuned), []string{"retrain/init.json", "retrain/record.json"}}} {
		for _, file := range filesOf(t, run.dir) {
			if !all && !slices.Contains(run.some, file) || run.name == "fine-tuned" && file == "config.yaml" { // that asks for --init
				continue
			}
			tally.Injected++
			if problem := goesOn(t, run.dir, file, run.want, nextOf); problem != "" {
				t.Errorf("%s, without %s: %s", run.name, file, problem)
				continue
			}
			tally.Survived++
		}
	}
	nothing := func(string) (string, string) { return "", "" }
	tally.Twin("a status that names nothing", goesOn(t, whole, "export/model.safetensors", want, nothing) != "")
	other := func(dir string) (string, string) {
		next, said := nextOf(dir)
		return strings.Replace(next, "retrain ", "eval ", 1), said
	}
	later := func(dir string) (string, string) {
		next, said := nextOf(dir)
		return strings.Replace(next, "train ", "search ", 1), said
	}
	tally.Twin("a status that names a later stage", goesOn(t, stopped, "supernet/ckpt-00000012/DONE", want, later) != "")
	tally.Twin("a status that names another stage", goesOn(t, stopped, "manifest.json", want, other) != "")
	tally.Report(t)
}

// goesOn deletes a file of a copy of a run folder, and does what next says until it says nothing more. What
// went wrong is returned.
func goesOn(t *testing.T, from, file string, want map[string]string, next func(dir string) (command, said string)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "r")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, filepath.FromSlash(file))); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	last := ""
	for range len(want) + 2 {
		command, said := next(dir)
		if strings.Contains(said, "repeat the command that began the run with --resume") {
			command = strings.Join(append([]string{"oneshot run --resume --out", dir}, beginning...), " ")
		} else if said != "" {
			return "status: " + said
		}
		if command == "" {
			break
		}
		if command == last {
			return command + " is named again"
		}
		last = command
		args := strings.Fields(command)
		if problem := doesNoMore(args[1:]); problem != "" {
			return command + ": " + problem
		}
		if _, said, code := oneshotHere(append(args[1:], "--quiet")...); code != fault.ExitOK {
			return command + ": " + said
		}
	}
	if file == "retrain/init.json" { // which says nothing of a stage: whatever goes on needs it
		if _, said, code := oneshotHere("retrain", "--out", dir, "--quiet"); code != fault.ExitOK {
			return "retrain: " + said
		}
		if b, err := os.ReadFile(filepath.Join(dir, "retrain", "init.json")); err != nil || !bytes.Contains(b, []byte("sha256")) {
			return "retrain/init.json is not back"
		}
	}
	have := resultsOf(t, dir)
	for name, b := range want {
		if have[name] != b && !(file == "metrics.jsonl" && name == "result.json" && lossless(have[name]) == lossless(b)) {
			return name + " is another one than that of a run that lost nothing"
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "replaced")); err == nil {
		return "something is left in replaced/"
	}
	return ""
}

// doesNoMore says what a command that status names would do beside its own stage, by --dry-run; "" is nothing.
func doesNoMore(args []string) string {
	if !slices.Contains([]string{"train", "search", "retrain"}, args[0]) {
		return ""
	}
	_, said, code := oneshotHere(append(args, "--dry-run")...)
	_, line, found := strings.Cut(said, "\nahead    ")
	line, _, _ = strings.Cut(line, "\n")
	if code != fault.ExitOK || !found || !strings.HasPrefix(line, args[0]) {
		return "--dry-run: " + said
	}
	for _, other := range []string{"train", "search", "retrain"} {
		if other != args[0] && slices.ContainsFunc(strings.Split(line, ", "), func(part string) bool { return strings.HasPrefix(part, other) }) {
			return "it would do " + line
		}
	}
	return ""
}

// nextOf is the command that `status` names, and what it says where it fails.
func nextOf(dir string) (command, said string) {
	out, said, code := oneshotHere("status", dir, "--json")
	var report statusReport
	if code == fault.ExitOK {
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			return "", err.Error()
		}
	}
	return report.Next, said
}

// oneshotHere runs a command line in this process.
func oneshotHere(args ...string) (stdout, stderr string, code int) {
	var out, said bytes.Buffer
	code = run(args, &out, &said)
	return out.String(), said.String(), code
}

// resultsOf are the files of a run folder that are the same however often it was stopped.
func resultsOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, name := range []string{"search/samples.jsonl", "search/rechecks.jsonl", "search/best.json",
		"export/model.safetensors", "export/arch.json", "result.json"} {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		out[name] = string(b)
	}
	return out
}

// filesOf are the files of a run folder but for those that only say who works in it.
func filesOf(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "LOCK" || d.Name() == "log.jsonl" {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		files = append(files, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// lossless is result.json without the supernet's loss, which metrics.jsonl alone has.
func lossless(result string) string {
	var b strings.Builder
	for line := range strings.Lines(result) {
		if !strings.Contains(line, `"loss"`) {
			b.WriteString(line)
		}
	}
	return b.String()
}
