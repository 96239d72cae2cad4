package pipeline

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
	"oneshot/internal/rundir"
)

// isResult says whether a file must have its bytes in the end.
func isResult(name string) bool {
	switch name {
	case "LOCK", "log.jsonl", "manifest.json", "search/times.jsonl":
		return false
	}
	return !checkpointed(name) && !strings.Contains(name, ".damaged")
}

// outcome of going on in a damaged folder.
func outcome(got, want map[string]string, h harm, said string, err error) (kind, problem string) {
	if err != nil {
		if !strings.Contains(err.Error(), filepath.FromSlash(h.file)) && !strings.Contains(said, filepath.FromSlash(h.file)) {
			return "", fmt.Sprintf("refused without its name: %v", err)
		}
		if code := fault.Classify(err).Code; code != fault.ExitInvalid {
			return "", fmt.Sprintf("refused with exit code %d: %v", code, err)
		}
		return "refused", ""
	}
	kind = "made again"
	for _, name := range slices.Sorted(maps.Keys(want)) {
		switch {
		case !isResult(name) || got[name] == want[name]:
		case name == h.file && isHarmless(name):
			kind = "harmless"
		case strings.HasSuffix(name, "report.html") && strings.Contains(said, "metrics.jsonl"): // curves
		default:
			return "", fmt.Sprintf("exit 0 and %s differs", name)
		}
	}
	if got[h.file] == h.bytes {
		kind = "harmless"
		if h.file != "config.yaml" && !isHarmless(h.file) && isResult(h.file) {
			return "", "exit 0 and it is still damaged"
		}
	}
	return kind, ""
}

// sweepVerbs damages files of a folder, goes on in it, and returns how that ended.
func sweepVerbs(t *testing.T, f damagedFolder, per int, of func(name string) bool) (kinds map[string]int, problems []string) {
	t.Helper()
	kinds = map[string]int{}
	all := tree(t, f.dir)
	for i, name := range slices.Sorted(maps.Keys(all)) {
		if !of(name) || len(all[name]) == 0 {
			continue
		}
		// Places all over the file, and of each one of the ways.
		stride := max(1, len(all[name])/per)
		every := harms(name, all[name], stride, (31*i+17)%stride)
		for k := range min(per, len(every)) {
			h := every[(k*len(every)/per+(k+i)%3)%len(every)]
			dir := newRun(t)
			if err := os.CopyFS(dir, os.DirFS(f.dir)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(h.bytes), 0o644); err != nil {
				t.Fatal(err)
			}
			said, err := f.goOn(t, dir)
			kind, problem := outcome(tree(t, dir), f.want, h, said, err)
			if problem != "" {
				problems = append(problems, fmt.Sprintf("%s, %s: %s", name, h.what, problem))
			} else {
				kinds[kind]++
			}
			os.RemoveAll(filepath.Dir(dir))
		}
	}
	return kinds, problems
}

// TestFaultDamageGoneOn: a run that goes on in a damaged folder refuses the file by name, or ends with the
// bytes of a run that nothing happened to.
func TestFaultDamageGoneOn(t *testing.T) {
	per, of := 1, func(name string) bool {
		return slices.Contains([]string{"search/samples.jsonl", "search/record.json", "retrain/arch.json", "result.json"}, name)
	}
	if faulttest.All() {
		per, of = 3, func(string) bool { return true }
	}
	tally := faulttest.New("run folder: a byte changed or a file cut, gone on with")
	for _, f := range damagedFolders(t) {
		kinds, problems := sweepVerbs(t, f, per, of)
		n := 0
		for _, k := range kinds {
			n += k
		}
		tally.Injected += n + len(problems)
		tally.Survived += n
		t.Logf("%s: %v", f.name, kinds)
		for _, p := range problems {
			t.Errorf("%s: %s", f.name, p)
		}
	}
	tally.Twin("search without its checksums", unprovenSearch(t))
	tally.Report(t)
}

// unprovenSearch says whether a digit of a score that is changed while a search is stopped changes its end,
// where nothing proves the lines.
func unprovenSearch(t *testing.T) bool {
	dir := newRun(t)
	stopWhen(t, dir, "search/samples.jsonl", 3, small...)
	whole := newRun(t)
	if _, err := goesOn(small...)(t, whole); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "search", "samples.jsonl")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(b), `"loss":`) + len(`"loss":2.`)
	b[at] = '0' + (b[at]-'0'+1)%10
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(rundir.SumsOf(file)); err != nil {
		t.Fatal(err)
	}
	if _, err := goesOn(small...)(t, dir); err != nil {
		t.Fatal(err)
	}
	return tree(t, dir)["search/samples.jsonl"] != tree(t, whole)["search/samples.jsonl"]
}
