package pipeline

import (
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// process is one whose output nobody reads.
func process() Process {
	return Process{UI: ui.New(io.Discard, io.Discard, time.Now), SaveAsked: func() bool { return false }}
}

// microRequest asks for the preset micro on the processor.
func microRequest(dir string, sets ...string) Request {
	return Request{
		Folder: dir, Create: true, Sizes: []string{"train", "retrain", "search"},
		Config: config.Request{Preset: "micro", Sets: append([]string{"run.device=cpu", "seed=3"}, sets...)},
	}
}

func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := all(t, dir)
	maps.DeleteFunc(out, func(name, _ string) bool { return strings.HasSuffix(name, "/") })
	return out
}

// A whole run without a command line: what lies in the folder is what the stages
// declare, and a second run of the stages only reads it.
func TestStagesLeaveWhatTheyDeclare(t *testing.T) {
	dir := newRun(t)
	r, err := Open(t.Context(), process(), microRequest(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, s := range Stages {
		if s.begun(r.Folder) {
			t.Errorf("%s has begun in an empty folder", s.Name)
		}
	}
	res, err := r.All(t.Context(), func(rundir.SearchSummary) {})
	if err != nil {
		t.Fatal(err)
	}
	whole := tree(t, dir)
	declared := []string{"config.yaml", "manifest.json", "LOCK", "log.jsonl", "metrics.jsonl"}
	for _, s := range Stages {
		declared = append(declared, s.Outputs...)
		if !s.begun(r.Folder) || s.Done != "" && !r.Folder.Has(s.Done) {
			t.Errorf("%s is done, but %q or %q is not there", s.Name, s.Begun, s.Done)
		}
		for _, f := range []string{s.Begun, s.Done} {
			if f != "" && !slices.ContainsFunc(s.Outputs, func(o string) bool { return f == o || strings.HasPrefix(f, o+"/") }) {
				t.Errorf("%s: %q is none of its outputs", s.Name, f)
			}
		}
	}
	for path := range whole {
		first, _, _ := strings.Cut(path, "/")
		if !slices.Contains(declared, first) {
			t.Errorf("%s is nobody's output", path)
		}
	}
	in, err := Inspect(r.Folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range in.Stages {
		if p.State != "done" {
			t.Errorf("inspection finds %+v", p)
		}
	}

	// Again: every stage finds its result.
	n, err := r.Train(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	best, err := r.Search(t.Context(), n)
	if err != nil || r.Searched || best.Arch != res.Arch.Text {
		t.Errorf("%v; searched again: %v; %s, was %s", err, r.Searched, best.Arch, res.Arch.Text)
	}
	if _, err := r.Test(t.Context(), best); err != nil {
		t.Error(err)
	}
	for path, b := range tree(t, dir) {
		if b != whole[path] && path != "log.jsonl" {
			t.Errorf("%s has changed", path)
		}
	}
}

// Every key of the configuration decides the result of exactly one stage, but for
// those that decide none.
func TestEveryKeyIsOneStages(t *testing.T) {
	keys, _ := config.Keys()
	decided := 0
	for _, key := range keys {
		var of []string
		for _, s := range Stages {
			if s.decides(key) {
				of = append(of, s.Name)
			}
		}
		none := key == "preset" || strings.HasPrefix(key, "run.")
		if none && len(of) > 0 || !none && len(of) != 1 {
			t.Errorf("%s decides %q", key, of)
		}
		decided += len(of)
	}
	if decided < 60 {
		t.Errorf("only %d keys decide anything", decided)
	}
	for _, s := range Stages {
		for _, in := range s.Inputs {
			if stageOf(in).Name != in {
				t.Errorf("%s reads %s, which is no stage", s.Name, in)
			}
		}
	}
}

// A setting may change until its stage has begun, with a verb that may set it.
func TestFreeUntilBegun(t *testing.T) {
	dir := rundir.Folder(newRun(t))
	both := []string{"search", "retrain"}
	check := func(when string, want map[string]bool) {
		t.Helper()
		for key, free := range want {
			if got := isFree(dir, key, both); got != free {
				t.Errorf("%s: %s is free: %v", when, key, got)
			}
		}
		if isFree(dir, "retrain.lr", nil) || isFree(dir, "search.top", []string{"retrain"}) {
			t.Errorf("%s: a key is free for a verb that does not set it", when)
		}
	}
	check("at first", map[string]bool{"train.lr": false, "search.top": true, "score.batch": true, "retrain.lr": true, "search.baselines": true})
	touch := func(path string) {
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte("{}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	touch(dir.File("search", "samples.jsonl"))
	check("searching", map[string]bool{"search.top": false, "score.batch": false, "retrain.lr": true, "search.baselines": true})
	touch(dir.File("retrain", "arch.json"))
	check("retraining", map[string]bool{"search.top": false, "retrain.lr": false, "search.baselines": true})
}

// A stage is passed when another one has begun to read its outputs.
func TestPassed(t *testing.T) {
	for path, want := range map[string][]string{
		"supernet/ckpt-00000001/DONE": nil,
		"search/times.jsonl":          {"train"},
		"search/samples.jsonl":        {"train"},
		"retrain/arch.json":           {"search"},
		"export/arch.json":            nil,
		"export/model.safetensors":    {"retrain"},
		"result.json":                 nil,
	} {
		dir := rundir.Folder(newRun(t))
		full := dir.File(filepath.FromSlash(path))
		os.MkdirAll(filepath.Dir(full), 0o755)
		if err := os.WriteFile(full, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		var passed []string
		for _, s := range Stages {
			if s.passed(dir) {
				passed = append(passed, s.Name)
			}
		}
		if !slices.Equal(passed, want) {
			t.Errorf("with %s, %q are passed, want %q", path, passed, want)
		}
	}
}

// A request that is refused leaves no folder, or leaves the folder as it was.
func TestRefusedRequestChangesNothing(t *testing.T) {
	dir := newRun(t)
	for _, q := range []Request{
		microRequest(dir, "train.batch=160"),      // more than the images
		microRequest(dir, "search.max_params=10"), // no such architecture
		microRequest(dir, "net.layers=0"),
		{Folder: dir, Resume: true},
	} {
		if r, err := Open(t.Context(), process(), q); err == nil {
			r.Close()
			t.Errorf("%+v is accepted", q)
		} else if _, err := os.Stat(dir); err == nil {
			t.Errorf("%+v left a folder", q)
		}
	}
	r, err := Open(t.Context(), process(), microRequest(dir))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.Close()
	before := tree(t, dir)
	again := func(change func(*Request)) {
		t.Helper()
		q := microRequest(dir)
		q.Resume = true
		change(&q)
		if r, err := Open(t.Context(), process(), q); err == nil {
			r.Close()
			t.Error("accepted")
		} else if fault.Classify(err).Code == fault.ExitFailure {
			t.Error(err)
		}
		after := tree(t, dir)
		delete(before, "LOCK") // names who asked last
		delete(after, "LOCK")
		for path, b := range before {
			if after[path] != b {
				t.Errorf("%s has changed", path)
			}
		}
		if len(after) != len(before) {
			t.Errorf("%d files, were %d", len(after), len(before))
		}
	}
	again(func(q *Request) { q.Resume = false })
	again(func(q *Request) { q.Config.Sets = append(q.Config.Sets, "train.lr=0.5") })
	again(func(q *Request) {
		q.Config.Sets = append(q.Config.Sets, "search.max_params=10")
		q.Frees = []string{"search"}
	})
	again(func(q *Request) { q.Arch = "best" })
	again(func(q *Request) { q.Arch = "darts2:0.skip_connect" })

	// Refused at the last moment: the log cannot be written.
	late := newRun(t)
	if err := os.MkdirAll(filepath.Join(late, "log.jsonl"), 0o755); err != nil {
		t.Fatal(err)
	}
	q := microRequest(late)
	q.Resume = true
	if _, err := Open(t.Context(), process(), q); err == nil {
		t.Error("a log that is a folder is accepted")
	}
	if left := tree(t, late); len(left) > 0 {
		t.Errorf("left %d files: %v", len(left), left)
	}
}

// What is said after a run is not kept in its folder.
func TestClosedRunKeepsNoLog(t *testing.T) {
	p := process()
	log, every := p.UI.Log, p.UI.Every
	r, err := Open(t.Context(), p, microRequest(newRun(t), "run.log_seconds=77"))
	if err != nil {
		t.Fatal(err)
	}
	if p.UI.Log == log || p.UI.Every != 77*time.Second {
		t.Error("the run keeps no log")
	}
	r.Close()
	if p.UI.Log != log || p.UI.Every != every {
		t.Error("the log is still that of the closed run")
	}
}

// A training stops on request after it has saved, and goes on to the same metrics.
func TestTrainingStopsAndGoesOn(t *testing.T) {
	whole, dir := newRun(t), newRun(t)
	run := func(dir string, ctx context.Context, p Process) error {
		q := microRequest(dir)
		q.Resume = true
		r, err := Open(t.Context(), p, q)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		_, err = r.Train(ctx)
		return err
	}
	if err := run(whole, t.Context(), process()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	p, asked := process(), 0
	p.SaveAsked = func() bool { // is asked after every step
		if asked++; asked == 3 {
			cancel(fault.ErrStopped)
		}
		return false
	}
	if err := run(dir, ctx, p); fault.Classify(err).Code != fault.ExitStopped {
		t.Fatal(err)
	}
	if n := strings.Count(tree(t, dir)["metrics.jsonl"], "\n"); n != 3 {
		t.Errorf("stopped after %d steps", n)
	}
	if err := run(dir, t.Context(), process()); err != nil {
		t.Fatal(err)
	}
	a, b := tree(t, whole), tree(t, dir)
	compared := 0
	for path := range a {
		if strings.HasPrefix(path, "supernet/ckpt-00000012/") || path == "metrics.jsonl" {
			compared++
			if a[path] != b[path] {
				t.Errorf("%s differs", path)
			}
		}
	}
	if compared < 3 {
		t.Errorf("%d files compared", compared)
	}
}

// newRun is a run folder that is not there yet.
func newRun(t testing.TB) string { return filepath.Join(t.TempDir(), "run") }
