package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"oneshot/internal/atomicfile"
	"oneshot/internal/atomicfile/faultfs"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// faultSets make the preset micro smaller still. Each training has a checkpoint that makes room for
// another.
var faultSets = []string{"run.threads=1", "run.checkpoint_steps=2", "run.checkpoint_keep=1", "train.steps=4", "retrain.steps=4",
	"search.samples=4", "search.init=2", "search.top=2", "search.baselines=random"}

// faultRequest is `run --resume` with --override, as redo is, of that.
func faultRequest(dir string, sets ...string) Request {
	return redo(dir, append(slices.Clone(faultSets), sets...)...)
}

// sweep is a request in a run folder, and what it must come to whatever happens meanwhile.
type sweep struct {
	name     string
	start    string // the folder before it, to be copied
	ask      func(dir string) Request
	old, new map[string]string // start, and what the request makes of it
	back     func(dir string) Request
	dir      string       // where it was done once, undisturbed
	ops      []faultfs.Op // the changes that it made there
}

// still is a process whose clock stands, so that the log has the same lines each time.
func still() Process {
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	return Process{UI: ui.New(io.Discard, io.Discard, func() time.Time { return at }), SaveAsked: func() bool { return false }}
}

// do does all stages of a request, with nothing printed.
func do(ctx context.Context, q Request) error {
	r, err := Open(ctx, still(), q)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = r.All(ctx, func(rundir.SearchSummary) {})
	return err
}

// through has all changes of files go through fsys while f runs.
func through(fsys atomicfile.FS, f func() error) error {
	defer func(was atomicfile.FS) { atomicfile.OS = was }(atomicfile.OS)
	atomicfile.OS = fsys
	return f()
}

// newSweep does a request undisturbed. start "" is an empty folder; back asks for what start has.
func newSweep(t *testing.T, name, start string, ask, back func(dir string) Request) *sweep {
	t.Helper()
	s := &sweep{name: name, start: start, ask: ask, back: back}
	if start == "" {
		s.start = filepath.Join(t.TempDir(), "run")
		if err := os.Mkdir(s.start, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.old = all(t, s.start)
	s.dir = s.copy(t)
	f := &faultfs.FS{}
	if err := through(f, func() error { return do(t.Context(), ask(s.dir)) }); err != nil {
		t.Fatal(err)
	}
	s.ops, s.new = f.Ops, all(t, s.dir)
	if err := s.fresh(s.dir); err != nil {
		t.Fatal(err)
	}
	return s
}

// base is a whole run, of which other requests make something else.
func base(t *testing.T, sets ...string) string {
	t.Helper()
	dir := newRun(t)
	if err := through(quick{atomicfile.OS}, func() error { return do(t.Context(), faultRequest(dir, sets...)) }); err != nil {
		t.Fatal(err)
	}
	return dir
}

// copy is a copy of the folder before the request. All have the same name, which results give.
func (s *sweep) copy(t *testing.T) string {
	t.Helper()
	dir := newRun(t)
	if err := os.CopyFS(dir, os.DirFS(s.start)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// all are the files below a folder, and the folders, with a slash.
func all(t testing.TB, dir string) map[string]string {
	out, err := readAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func readAll(dir string) (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, path)
		if err != nil || rel == "." {
			return err
		}
		if e.IsDir() {
			out[filepath.ToSlash(rel)+"/"] = ""
			return nil
		}
		b, err := os.ReadFile(path)
		out[filepath.ToSlash(rel)] = string(b)
		return err
	})
	return out, err
}

// noTimes says whether a file is the same in each run. The others name processes and times.
func noTimes(path string) bool {
	return path != "LOCK" && path != "log.jsonl" && path != "manifest.json" && path != "search/times.jsonl"
}

// ends does a request in a folder, and wants it to end with these very files.
func ends(ctx context.Context, q Request, want map[string]string) error {
	if err := do(ctx, q); err != nil {
		return fmt.Errorf("it does not go on: %w", err)
	}
	got, err := readAll(q.Folder)
	if err != nil {
		return err
	}
	for path := range got {
		if _, ok := want[path]; !ok && noTimes(path) {
			return fmt.Errorf("%s is left", path)
		}
	}
	if err := manifestOf(want).fits(got); err != nil {
		return err
	}
	for path, b := range want {
		if have, ok := got[path]; !ok || noTimes(path) && have != b {
			return fmt.Errorf("%s differs (there: %v)", path, ok)
		}
	}
	return nil
}

// described is what manifest.json says but for times.
type described struct{ rundir.Manifest }

func manifestOf(files map[string]string) (d described) {
	json.Unmarshal([]byte(files["manifest.json"]), &d.Manifest) // what is damaged fits nothing
	return d
}

// fits wants the manifest of a folder to say the same, and the configuration to be the one that it names.
func (d described) fits(files map[string]string) error {
	have := manifestOf(files)
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(files["config.yaml"])))
	if !reflect.DeepEqual(have.Start, d.Start) || !reflect.DeepEqual(have.Dataset, d.Dataset) || have.ConfigSHA256 != sum {
		return errors.New("manifest.json differs")
	}
	return nil
}

// fresh wants all stages to be complete and right.
func (s *sweep) fresh(dir string) error {
	chain, err := Chain(rundir.Folder(dir))
	if err != nil {
		return err
	}
	for _, l := range chain {
		if l.State != StateFresh {
			return fmt.Errorf("%s is %s: %s", l.Stage, l.State, l.Why)
		}
	}
	return nil
}

// resumes goes on in a folder with the same command.
func (s *sweep) resumes(ctx context.Context, dir string) error {
	if err := ends(ctx, s.ask(dir), s.new); err != nil {
		return err
	}
	return s.fresh(dir)
}

// stageFiles has, for each stage, what of its files tells its results from others.
func stageFiles(files map[string]string) map[string]string {
	out := map[string]string{}
	for _, stage := range []string{"supernet", "retrain"} {
		newest := ""
		for p := range files {
			if ok, _ := path.Match(stage+"/ckpt-*/model.safetensors", p); ok {
				newest = max(newest, p)
			}
		}
		out[map[string]string{"supernet": "train", "retrain": "retrain"}[stage]] = files[newest]
	}
	out["search"] = files["search/samples.jsonl"] + files["search/rechecks.jsonl"] + files["search/best.json"]
	out["export"] = files["export/model.safetensors"] + files["export/arch.json"]
	out["test"] = files["result.json"]
	return out
}

// honest wants what a folder says of itself to be true, whatever has happened to it: a stage that it
// calls fresh has the results that its configuration gives or, while it says that a stage before goes on, those
// that it had. And it wants nothing to be lost: where the
// folder had results of a stage, these or the new ones are there.
func (s *sweep) honest(dir string) error {
	have, err := readAll(dir)
	if err != nil {
		return err
	}
	everything := map[string]bool{}
	for _, b := range have {
		everything[b] = true
	}
	now, was, next := stageFiles(have), stageFiles(s.old), stageFiles(s.new)
	for _, stage := range []string{"train", "retrain"} {
		if was[stage] != "" && !everything[was[stage]] && now[stage] != next[stage] {
			return fmt.Errorf("the results of %s are lost", stage)
		}
	}
	if b := s.old["search/samples.jsonl"]; b != "" && !everything[b] && now["search"] != next["search"] {
		return errors.New("the samples are lost")
	}
	config, ok := have["config.yaml"]
	if !ok {
		return nil
	}
	want := next
	if config != s.new["config.yaml"] {
		want = was
	}
	chain, err := Chain(rundir.Folder(dir))
	if err != nil {
		return fmt.Errorf("status: %w", err)
	}
	goesOn := false // a stage before it
	for _, l := range chain {
		goesOn = goesOn || l.State == StatePartial
		if l.State == StateFresh && now[l.Stage] != want[l.Stage] && !(goesOn && now[l.Stage] == was[l.Stage]) {
			return fmt.Errorf("%s is called fresh, and has other results", l.Stage)
		}
	}
	return nil
}

// quick is a file system that reaches no disk, for what is not the fault.
type quick struct{ atomicfile.FS }

func (q quick) SyncDir(string) error { return nil }

func (q quick) Create(path string, perm fs.FileMode) (atomicfile.File, error) {
	f, err := q.FS.Create(path, perm)
	return quickFile{f}, err
}

func (q quick) Append(path string, perm fs.FileMode) (atomicfile.Growing, error) {
	f, err := q.FS.Append(path, perm)
	return quickGrowing{f}, err
}

type quickFile struct{ atomicfile.File }

func (quickFile) Sync() error { return nil }

type quickGrowing struct{ atomicfile.Growing }

func (quickGrowing) Sync() error { return nil }

// spread are numbers below n, evenly spaced, the last among them: all of them, or at most so many. most
// 0 is all.
func spread(n, most int) (out []int) {
	if most == 0 || most > n {
		most = n
	}
	for i := range most {
		out = append(out, (i+1)*n/most-1)
	}
	return out
}

// each calls f for every number below n, on all processors, and returns the errors.
func each(n int, f func(i int) error) []error {
	errs := make([]error, n)
	next := make(chan int, n) // room for all: a test that ends in a worker must not keep the others waiting
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range next {
				errs[i] = f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return errs
}

// complain fails the test with the first errors.
func complain(t *testing.T, errs []error) {
	t.Helper()
	told := 0
	for _, err := range errs {
		if err != nil {
			if told++; told <= 12 {
				t.Error(err)
			}
		}
	}
	if told > 12 {
		t.Errorf("and %d more", told-12)
	}
}

// notLog is false of the log, which nothing is computed from and where a failure stops nothing.
func notLog(path string) bool { return filepath.Base(path) != "log.jsonl" }
