package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/faulttest"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// Whatever a byte of a run folder becomes, nothing wrong is shown as right: the file is refused by its
// name, or what was in it is computed again to the same bytes. What is neither must be in harmless.

// harmless are the files that no figure is computed from, with the reason. Damage in them is not seen,
// or is mended without a word.
var harmless = map[string]string{
	"LOCK":                "it is locked, and what it says is only printed",
	"log.jsonl":           "for people: it is only written",
	"metrics.jsonl":       "curves for people; what a result says of them is in the records",
	"search/times.jsonl":  "the time that search.time counts",
	"search/tree.json":    "only written: each search writes it again where it differs",
	"search/report.html":  "likewise",
	"retrain/report.html": "likewise",
}

// isHarmless says so of a file of the run, or of the training of another seed.
func isHarmless(name string) bool {
	return harmless[name] != "" || strings.HasPrefix(name, seedsFolder+"/") && path.Base(name) == "metrics.jsonl" || strings.HasSuffix(name, ".sums")
}

// checkpointed says whether a file is of a checkpoint. Status reads of these only DONE and the sizes; a
// verb reads all of them, and takes the one before (package weights sweeps every byte).
func checkpointed(name string) bool { return strings.Contains(name, "/ckpt-") }

// damagedFolder is a run folder whose files are damaged one at a time.
type damagedFolder struct {
	name string
	dir  string
	// goOn goes on in a copy, which has the same base name.
	goOn func(t *testing.T, dir string) (said string, err error)
	want map[string]string // what is there in the end where nothing is damaged
}

// small makes a run small: few lines, few checkpoints.
var small = []string{"search.samples=5", "search.init=3", "search.top=2", "search.baselines=random"}

// goesOn is a run of these settings that says what it does.
func goesOn(sets ...string) func(t *testing.T, dir string) (string, error) {
	return func(t *testing.T, dir string) (string, error) {
		q := microRequest(dir, sets...)
		q.Resume = true
		return saidBy(t, q, func(r *Run) error {
			_, err := r.All(t.Context(), func(rundir.SearchSummary) {})
			return err
		})
	}
}

// saidBy opens a run, and returns what was said.
func saidBy(t *testing.T, q Request, do func(*Run) error) (string, error) {
	t.Helper()
	var said strings.Builder
	r, err := Open(t.Context(), Process{UI: ui.New(&said, &said, time.Now), SaveAsked: func() bool { return false }}, q)
	if err == nil {
		err = do(r)
		r.Close()
	}
	return said.String(), err
}

// stopWhen runs all stages in a folder until a file has so many lines, or exists with 0.
func stopWhen(t *testing.T, dir, file string, lines int, sets ...string) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	go func() {
		for ctx.Err() == nil {
			b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(file)))
			if err == nil && strings.Count(string(b), "\n") >= lines {
				cancel(fault.ErrStopped)
				return
			}
			time.Sleep(100 * time.Microsecond)
		}
	}()
	q := microRequest(dir, sets...)
	q.Resume = true
	r, err := Open(ctx, process(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.All(ctx, func(rundir.SearchSummary) {}); fault.Classify(err).Code != fault.ExitStopped {
		t.Fatalf("%v, want a run that was stopped", err)
	}
}

// damagedFolders makes them: finished, with several seeds, and stopped in the search and the retraining.
func damagedFolders(t *testing.T) (all []damagedFolder) {
	t.Helper()
	ended := func(sets ...string) map[string]string {
		dir := newRun(t)
		if _, err := goesOn(sets...)(t, dir); err != nil {
			t.Fatal(err)
		}
		return tree(t, dir)
	}
	add := func(name string, want map[string]string, make func(dir string), sets ...string) {
		dir := newRun(t)
		make(dir)
		all = append(all, damagedFolder{name, dir, goesOn(sets...), want})
	}
	whole := ended(small...)
	add("finished", whole, func(dir string) { goesOn(small...)(t, dir) }, small...)
	add("stopped in the search", whole, func(dir string) { stopWhen(t, dir, "search/samples.jsonl", 2, small...) }, small...)
	some := slices.Concat(small, []string{"run.checkpoint_steps=4"})
	add("stopped in the retraining", ended(some...), func(dir string) { stopWhen(t, dir, "retrain/arch.json", 0, some...) }, some...)
	seeds := slices.Concat(small, []string{"retrain.seeds=2", "retrain.init=inherited"})
	add("several seeds", ended(seeds...), func(dir string) { goesOn(seeds...)(t, dir) }, seeds...)
	return all
}

// harm is one damage of a file.
type harm struct {
	file, what string
	bytes      string
}

// harms are every truncation of a file, and two other values of every byte: one bit, and the next digit
// or another letter, which are likely to be read as something.
//
// A file of a checksum of its own has one other value of each byte: which one makes no difference.
func harms(file, b string, stride, first int) (all []harm) {
	whole := strings.HasSuffix(file, "record.json") || file == "manifest.json" || path.Base(file) == "DONE"
	for i := first; i < len(b); i += stride {
		all = append(all, harm{file, fmt.Sprintf("cut at %d", i), b[:i]})
		put := func(c byte) {
			all = append(all, harm{file, fmt.Sprintf("byte %d %q->%q", i, b[i], c), b[:i] + string([]byte{c}) + b[i+1:]})
		}
		if put(b[i] ^ 1<<(i%8)); whole && i%2 > 0 {
			continue
		}
		switch c := b[i]; {
		case c >= '0' && c <= '9':
			put('0' + (c-'0'+1)%10)
		case c >= 'a' && c <= 'z':
			put('a' + (c-'a'+1)%26)
		case c == ' ':
			put('\t')
		default:
			put(c ^ 0x20)
		}
	}
	return all
}

// seen is what printing says of a folder, whose configuration is c but where that is damaged: its chain, or an
// error. A panic is a failure.
func seen(t *testing.T, c config.Config, dir, what string) (said string, err error) {
	file, _, _ := strings.Cut(what, " ")
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s: panic: %v", what, p)
		}
	}()
	d := rundir.Folder(dir)
	var chain []Link
	if file == "config.yaml" || file == "manifest.json" {
		chain, err = Chain(d)
	} else {
		chain, err = chainOf(d, c)
	}
	if printed := strings.HasSuffix(file, ".json") && !strings.Contains(file, "record"); err == nil && printed {
		_, err = Inspect(d)
	}
	b, jsonErr := json.Marshal(chain)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	return string(b), err
}

// sweepReaders damages every file of a folder, and returns what printing let through.
//
// What other folders have too is damaged only once.
func sweepReaders(t *testing.T, f damagedFolder, stride int, done map[string]bool, look func(dir, what string) (string, error)) (files, n int, through []string) {
	t.Helper()
	dir := newRun(t)
	if err := os.CopyFS(dir, os.DirFS(f.dir)); err != nil {
		t.Fatal(err)
	}
	whole, err := look(dir, "undamaged")
	if err != nil {
		t.Fatal(err)
	}
	all := tree(t, dir)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if checkpointed(name) && path.Base(name) != "DONE" {
			continue
		}
		if done[name+all[name]] {
			continue
		}
		done[name+all[name]] = true
		files++
		file, step := filepath.Join(dir, filepath.FromSlash(name)), stride
		if len(all[name]) > 8<<10 || strings.HasPrefix(harmless[name], "for people") { // their bytes are alike
			step = max(stride, len(all[name])/50)
		}
		if isHarmless(name) || path.Base(name) == "result.json" || path.Base(name) == "best.json" {
			step = max(step, 3) // known by a checksum of the whole
		}
		if strings.HasSuffix(name, ".json") && strings.Contains(name, "record") || name == "manifest.json" || name == "config.yaml" {
			step = max(stride, 13) // the checksum is of all bytes; TestFaultRecordDamaged changes each
		}
		for _, h := range harms(name, all[name], step, files%step) {
			if err := os.WriteFile(file, []byte(h.bytes), 0o644); err != nil {
				t.Fatal(err)
			}
			n++
			said, err := look(dir, h.file+" "+h.what)
			switch {
			case err != nil && !strings.Contains(err.Error(), filepath.FromSlash(name)):
				through = append(through, fmt.Sprintf("%s, %s: refused without its name: %v", name, h.what, err))
			case err != nil || said != whole || isHarmless(name) || path.Base(name) == "DONE":
			default:
				through = append(through, fmt.Sprintf("%s, %s: nothing is said", name, h.what))
			}
		}
		if err := os.WriteFile(file, []byte(all[name]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return files, n, through
}

// TestFaultDamagePrinted: status and inspect of a folder with any byte of any file changed, or any file cut
// anywhere, say so or refuse it by name.
func TestFaultDamagePrinted(t *testing.T) {
	stride := 601
	if faulttest.All() {
		stride = 1
	}
	configs := map[string]config.Config{} // reading it takes longer than all else
	look := func(dir, what string) (string, error) {
		if what == "undamaged" {
			c, err := loadStored(rundir.Folder(dir))
			if err != nil {
				t.Fatal(err)
			}
			configs[dir] = c
		}
		return seen(t, configs[dir], dir, what)
	}
	tally := faulttest.New("run folder: a byte changed or a file cut, printed")
	folders, done := damagedFolders(t), map[string]bool{}
	for _, f := range folders {
		files, n, through := sweepReaders(t, f, stride, done, look)
		tally.Injected += n
		tally.Survived += n - len(through)
		t.Logf("%s: %d files, %d damages, %d got through", f.name, files, n, len(through))
		for _, s := range through[:min(len(through), 40)] {
			t.Errorf("%s: %s", f.name, s)
		}
	}
	// A folder whose status has nothing to compare the samples with.
	blind := damagedFolder{dir: newRun(t)}
	if err := os.CopyFS(blind.dir, os.DirFS(folders[0].dir)); err != nil {
		t.Fatal(err)
	}
	d := rundir.Folder(blind.dir)
	rec, err := d.ReadRecord("search/record.json")
	if err != nil {
		t.Fatal(err)
	}
	delete(rec.Outputs, "search/samples.jsonl")
	if err := errors.Join(d.WriteRecord("search/record.json", *rec), os.Remove(d.File("search", "samples.sums"))); err != nil {
		t.Fatal(err)
	}
	_, _, through := sweepReaders(t, blind, 61, map[string]bool{}, look)
	tally.Twin("status without the hash of the samples", slices.ContainsFunc(through, func(s string) bool { return strings.HasPrefix(s, "search/samples.jsonl") }))
	tally.Report(t)
}
