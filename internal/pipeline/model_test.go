package pipeline

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// TestModel does random sequences of verbs, changes of settings, stops, kills and changes of mind in a run
// folder. After each, what a request that was refused has left is what was there, no line of a result
// that is called fresh was computed from something else than is there now, and in the end one command
// brings everything up to date. ONESHOT_MODEL is how many sequences there are (default 12).
func TestModel(t *testing.T) {
	counts := map[string]int{}
	// One sequence is always the same: however few are drawn, each thing is among them.
	always := &modelRun{dir: newRun(t), t: t, counts: counts, first: map[string]string{}}
	always.failed = func(format string, args ...any) { t.Errorf("%v\n"+format, append([]any{always.history}, args...)...) }
	for _, s := range []modelStep{{verb: "run", stop: 5}, {verb: "run", kill: 9}, {verb: "run"}, {verb: "train", set: "train.steps=18"}} {
		always.act(s)
	}
	for _, what := range []string{"refused", "stopped", "killed", "changed", "fresh lines"} {
		if counts[what] == 0 {
			t.Errorf("the first sequence has no %s: %v", what, counts)
		}
	}
	checkModel(t, sequences(), 8, func(rt *rapid.T) { model(rt, t, counts, nil) })
	t.Log(counts)
	if most := len(always.history); counts["actions"] <= most {
		t.Errorf("nothing was drawn: %v", counts)
	}
}

// TestModelCatchesTwins: a program that does not look at one of the checksums is found out.
func TestModelCatchesTwins(t *testing.T) {
	for name, twin := range map[string]struct {
		lie   func(dir string)
		steps []modelStep
	}{
		"supernet": {
			func(dir string) { relabel(dir, "search/record.json", inSupernet, sumOfNewest(dir, "supernet")) },
			[]modelStep{{verb: "run"}, {verb: "train", set: "train.steps=24", override: true}, {verb: "search"}},
		},
		"export": {
			func(dir string) {
				relabel(dir, "result.record.json", inExport, sumOf(filepath.Join(dir, "export", "model.safetensors")))
			},
			[]modelStep{{verb: "run"}, {verb: "retrain", set: "retrain.steps=24", override: true}, {verb: "run"}},
		},
	} {
		for _, broken := range []bool{false, true} {
			how := ""
			m := &modelRun{dir: newRun(t), t: t, counts: map[string]int{}, first: map[string]string{}}
			if broken {
				m.lie = twin.lie
			}
			m.failed = func(format string, args ...any) { how = fmt.Sprintf(format, args...) }
			for _, step := range twin.steps {
				if m.act(step); how != "" {
					break
				}
			}
			if broken != (how != "") {
				t.Errorf("a program that forgets the %s (%v): %q", name, broken, how)
			}
		}
	}
}

// sequences is how many of them there are.
func sequences() int {
	n, err := strconv.Atoi(os.Getenv("ONESHOT_MODEL"))
	switch {
	case err == nil:
		return n
	case testing.Short():
		return 4
	}
	return 12
}

// checkModel runs a property of rapid with so many sequences of about so many steps.
func checkModel(t *testing.T, checks, steps int, f func(*rapid.T)) {
	if testing.Short() {
		checks, steps = 5*checks, 2*steps // rapid does a fifth of them then, half as long
	}
	for name, v := range map[string]string{"rapid.checks": strconv.Itoa(checks), "rapid.steps": strconv.Itoa(steps), "rapid.shrinktime": "60s", "rapid.nofailfile": "true"} {
		old := flag.Lookup(name)
		if old == nil {
			t.Fatal("no flag " + name)
		}
		before := old.Value.String()
		t.Cleanup(func() { flag.Set(name, before) })
		if err := flag.Set(name, v); err != nil {
			t.Fatal(err)
		}
	}
	rapid.Check(t, f)
}

// modelStep is one thing that somebody does.
type modelStep struct {
	verb     string
	set      string // a setting that is changed; "" is none
	override bool
	stop     int // after how many steps it is stopped; 0 is never
	kill     int // before which change of files it is killed; 0 is never
}

// modelSets are what people change.
var modelSets = []string{"", "", "", "train.steps=18", "train.steps=12", "train.lr=0.01", "score.recal_images=24", "search.samples=6", "search.samples=10",
	"search.top=2", "retrain.steps=18", "retrain.steps=12", "retrain.lr=0.01", "retrain.ema=0.9", "net.channels=8", "seed=4"}

func model(rt *rapid.T, t *testing.T, counts map[string]int, lie func(string)) {
	m := &modelRun{dir: filepath.Join(t.TempDir(), "run"), t: t, counts: counts, first: map[string]string{}, lie: lie}
	m.failed = func(format string, args ...any) { rt.Fatalf("%v\n"+format, append([]any{m.history}, args...)...) }
	rt.Repeat(map[string]func(*rapid.T){
		"act": func(rt *rapid.T) {
			m.act(modelStep{
				verb: rapid.SampledFrom([]string{"run", "run", "train", "search", "retrain", "eval"}).Draw(rt, "verb"),
				set:  rapid.SampledFrom(modelSets).Draw(rt, "set"), override: rapid.Bool().Draw(rt, "override"),
				stop: rapid.SampledFrom([]int{0, 0, 1, 5, 14}).Draw(rt, "stop"),
				kill: rapid.SampledFrom([]int{0, 0, 0, 3, 9, 14, 30, 60, 120}).Draw(rt, "kill"),
			})
		},
	})
	m.act(modelStep{verb: "run", override: true})
	for stage, state := range m.states() {
		if state != StateFresh {
			m.failed("%s is %s in the end", stage, state)
		}
	}
}

// modelRun is a folder and what is known of it.
type modelRun struct {
	dir     string
	t       *testing.T
	counts  map[string]int
	history []modelStep
	// first has, for each line of a result and each file made of others, what it was made of when it
	// was first seen.
	first  map[string]string
	lie    func(dir string)
	failed func(format string, args ...any)
}

// act does a step and looks at what it has left.
func (m *modelRun) act(s modelStep) {
	m.history = append(m.history, s)
	m.counts["actions"]++
	if s.set != "" {
		m.counts["changed"]++
	}
	if m.lie != nil {
		m.lie(m.dir)
	}
	before := m.tree()
	killed := ""
	undo := dyingAfter(s.kill, func() { killed = crashImage(m.t, m.dir) })
	opened, err := m.do(s, func() bool { return killed != "" })
	undo()
	if killed != "" {
		m.counts["killed"]++
		m.dir = killed
		m.look()
		return
	}
	switch code := fault.Classify(err).Code; {
	case err == nil:
	case code == fault.ExitStopped:
		m.counts["stopped"]++
	case code == fault.ExitUsage || code == fault.ExitInvalid:
		m.counts["refused"]++
		if after := m.tree(); !opened && !maps.Equal(before, after) {
			m.failed("refused, but something has changed: %v", err)
		}
		if fault.Classify(err).Hint == "" {
			m.failed("refused without a hint: %v", err)
		}
	default:
		m.failed("%v", err)
	}
	m.look()
}

// do does a step. opened says that the request was accepted. Where the process is dead, there is no need
// to go on.
func (m *modelRun) do(s modelStep, dead func() bool) (opened bool, err error) {
	q := Request{Folder: m.dir, Resume: true, Override: s.override, Preset: "micro"}
	if s.set != "" {
		q.Config.Sets = []string{s.set}
	}
	all := []string{"train", "search", "retrain"}
	switch s.verb {
	case "run":
		q.Create, q.Sizes, q.Redoes = true, []string{"train", "retrain", "search"}, all
	case "train":
		q.Create, q.Sizes, q.Redoes = true, []string{"train"}, all[:1]
	case "search":
		q.Frees, q.Redoes = []string{"search", "retrain"}, all[1:2]
	case "retrain":
		q.Retrains, q.Frees, q.Sizes, q.Redoes = true, []string{"retrain"}, []string{"retrain"}, all[2:]
	case "eval":
		q.Needs = NeedsResult
	}
	ctx, cancel := context.WithCancelCause(m.t.Context())
	defer cancel(nil)
	p, steps := process(), 0
	p.SaveAsked = func() bool { // after every step of a training
		if steps++; steps == s.stop || dead() {
			cancel(fault.ErrStopped)
		}
		return false
	}
	if !rundir.Folder(m.dir).Has("config.yaml") {
		q.Config.Sets = append([]string{"run.device=cpu", "seed=3"}, q.Config.Sets...)
	}
	r, err := Open(ctx, p, q)
	if err != nil {
		return false, err
	}
	defer r.Close()
	switch s.verb {
	case "run":
		_, err = r.All(ctx, func(rundir.SearchSummary) {})
	case "train":
		_, err = r.Train(ctx)
	case "search":
		_, _, err = r.Find(ctx)
	case "retrain":
		_, err = r.RetrainAll(ctx, r.Arch)
	case "eval":
		var best rundir.SearchSummary
		if err = r.Folder.ReadJSON(&best, "search", "best.json"); err == nil {
			_, err = r.Test(ctx, best)
		}
	}
	return true, err
}

// look compares what the folder says of itself with what was seen of it.
func (m *modelRun) look() {
	if !rundir.Folder(m.dir).Has("config.yaml") {
		return
	}
	states := m.states()
	supernet, export := sumOfNewest(m.dir, "supernet"), sumOf(filepath.Join(m.dir, "export", "model.safetensors"))
	see := func(what, of, stage string) {
		if _, ok := m.first[what]; !ok {
			m.first[what] = of
		}
		if states[stage] != StateFresh {
			return
		}
		m.counts["fresh lines"]++
		if m.first[what] != of {
			m.failed("%s is called fresh, and has of something else: %.80s", stage, what)
		}
	}
	samples, _ := os.ReadFile(filepath.Join(m.dir, "search", "samples.jsonl"))
	for line := range bytes.Lines(samples) {
		see("sample "+string(line), supernet, "search")
	}
	if retrained := sumOfNewest(m.dir, "retrain"); export != "" {
		see("export "+export, retrained, "export")
	}
	var res struct {
		Top1  float64        `json:"test_top1"`
		Arch  rundir.Arch    `json:"arch"`
		Class []rundir.Class `json:"classes"`
	}
	path := filepath.Join(m.dir, "result.json")
	if b, err := os.ReadFile(path); err == nil {
		if err := json.Unmarshal(b, &res); err != nil {
			m.failed("%v", err)
		}
		info, err := os.Stat(path) // two small networks may have equal figures
		if err != nil {
			m.failed("%v", err)
		}
		see(fmt.Sprintf("result of %d: %s", info.ModTime().UnixNano(), b), export+" "+supernet, "test")
	}
	// What is fresh was computed with the settings that the folder has now.
	c, err := config.Load(filepath.Join(m.dir, "config.yaml"), config.FromPreset)
	if err != nil {
		m.failed("%v", err)
	}
	for stage, file := range map[string]string{"train": "supernet/record.json", "search": "search/record.json", "retrain": "retrain/record.json"} {
		if states[stage] != StateFresh {
			continue
		}
		var rec struct{ Inputs map[string]string }
		b, err := os.ReadFile(filepath.Join(m.dir, filepath.FromSlash(file)))
		if err == nil {
			err = json.Unmarshal(b, &rec)
		}
		if err != nil {
			m.failed("%v", err)
		}
		now := map[string]string{"seed": fmt.Sprint(c.Seed), "train.lr": fmt.Sprint(c.Train.LR), "train.steps": fmt.Sprint(c.Train.Steps), "net.channels": fmt.Sprint(c.Net.Channels),
			"score.recal_images": fmt.Sprint(c.Score.RecalImages), "search.samples": fmt.Sprint(c.Search.Samples), "search.top": fmt.Sprint(c.Search.Top),
			"retrain.lr": fmt.Sprint(c.Retrain.LR), "retrain.steps": fmt.Sprint(c.Retrain.Steps), "retrain.ema": fmt.Sprint(c.Retrain.EMA)}
		for key, v := range now {
			if was, ok := rec.Inputs[key]; ok && was != v {
				m.failed("%s is called fresh with %s = %s, and the folder has %s", stage, key, was, v)
			}
		}
	}
}

// states are those that Chain says.
func (m *modelRun) states() map[string]string {
	chain, err := Chain(rundir.Folder(m.dir))
	if err != nil {
		m.failed("%v", err)
	}
	out := map[string]string{}
	for _, l := range chain {
		out[l.Stage] = l.State
	}
	return out
}

// tree is what the folder holds, but for what every request writes, and for what a process that was killed
// left half written, which every request removes.
func (m *modelRun) tree() map[string]string {
	if _, err := os.Stat(m.dir); err != nil {
		return nil
	}
	all := tree(m.t, m.dir)
	delete(all, "LOCK")
	delete(all, "log.jsonl")
	maps.DeleteFunc(all, func(path, _ string) bool { return strings.HasPrefix(path, ".") || strings.Contains(path, "/.") })
	return all
}

// sumOf is the SHA-256 of a file; "" is none.
func sumOf(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%x", sha256.Sum256(b))
}

// sumOfNewest is that of the tensors of the newest checkpoint of a stage.
func sumOfNewest(dir, stage string) string {
	all, _ := filepath.Glob(filepath.Join(dir, stage, "ckpt-*", "model.safetensors"))
	if len(all) == 0 {
		return ""
	}
	slices.Sort(all)
	return sumOf(all[len(all)-1])
}

// relabel writes another checksum into a record, as a program would have that does not compare it.
func relabel(dir, path, name, sum string) {
	full := filepath.Join(dir, filepath.FromSlash(path))
	b, err := os.ReadFile(full)
	if err != nil || sum == "" {
		return
	}
	_, after, ok := strings.Cut(string(b), `"`+name+`": "`)
	if !ok {
		return
	}
	old, _, _ := strings.Cut(after, `"`)
	os.WriteFile(full, bytes.ReplaceAll(b, []byte(`"`+name+`": "`+old), []byte(`"`+name+`": "`+sum)), 0o644)
}
