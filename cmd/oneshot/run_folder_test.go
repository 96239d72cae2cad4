package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// job is a run, and what it leaves where nothing disturbs it.
type job struct {
	args []string // without --out
	want map[string]string
	took time.Duration
}

// newJob does a run of the preset micro, undisturbed, in a copy of the folder from; "" is a new one. Its
// checkpoints are close to one another, so that many kills fall into them.
func newJob(t *testing.T, from string, args ...string) *job {
	t.Helper()
	j := &job{args: append([]string{"run", "--preset", "micro", "--device", "cpu", "--resume", "--quiet",
		"--set", "run.checkpoint_steps=2", "--set", "run.checkpoint_keep=1"}, args...)}
	dir := filepath.Join(t.TempDir(), "run")
	if from != "" {
		dir = copyRun(t, from)
	}
	start := time.Now()
	complete(t, j.in(dir)...)
	j.took = time.Since(start)
	j.want = results(t, dir)
	return j
}

// in is its command line for a folder.
func (j *job) in(dir string) []string { return append(slices.Clone(j.args), "--out", dir) }

// folder makes a folder of an undisturbed run.
func (j *job) folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	complete(t, j.in(dir)...)
	return dir
}

// results are all files and folders of a run but for what interruptions change: LOCK names the last process,
// log.jsonl and search/times.jsonl have times, and manifest.json has them and the configuration before a change:
// it is without them here.
func results(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(dir, file)
		rel = filepath.ToSlash(rel)
		switch {
		case err != nil:
			return err
		case e.IsDir():
			out[rel+"/"] = ""
			return nil
		case rel == "LOCK" || rel == "log.jsonl" || rel == "search/times.jsonl":
			return nil
		}
		b, err := os.ReadFile(file)
		if err == nil && rel == "manifest.json" {
			var m map[string]any
			if err = json.Unmarshal(b, &m); err == nil {
				delete(m, "started")
				delete(m, "resumed")
				delete(m, "check")                // a checksum of all this
				delete(m, "config_sha256_before") // of a change, until the next command
				b, err = json.Marshal(m)
			}
		}
		out[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// differing lists the paths that two folders do not have alike.
func differing(got, want map[string]string) (paths []string) {
	for p, b := range want {
		if have, ok := got[p]; !ok {
			paths = append(paths, "no "+p)
		} else if have != b {
			paths = append(paths, p)
		}
	}
	for p := range got {
		if _, ok := want[p]; !ok {
			paths = append(paths, p+" is left")
		}
	}
	slices.Sort(paths)
	return paths
}

// newestOnly leaves out all checkpoints but the newest of each training: an orderly stop saves one
// where it stands, and which one stays before the last follows from that.
func newestOnly(all map[string]string) map[string]string {
	newest := map[string]string{}
	for p := range all {
		if dir, name, ok := checkpointOf(p); ok {
			newest[dir] = max(newest[dir], name)
		}
	}
	out := map[string]string{}
	for p, b := range all {
		if dir, name, ok := checkpointOf(p); !ok || newest[dir] == name {
			out[p] = b
		}
	}
	return out
}

// checkpointOf says of which training and which checkpoint a path is.
func checkpointOf(p string) (dir, name string, ok bool) {
	before, after, ok := strings.Cut(p, "/ckpt-")
	name, _, _ = strings.Cut(after, "/")
	return before, name, ok
}

// runs are those that a folder may be of, by their config.yaml.
type runs map[string]map[string]string

func runsOf(jobs ...*job) runs {
	out := runs{}
	for _, j := range jobs {
		out[j.want["config.yaml"]] = j.want
	}
	return out
}

// state says what `oneshot status` tells of a folder: its stages by state.
func state(dir string) (map[string]string, error) {
	var out, errs bytes.Buffer
	if code := run([]string{"status", "--json", dir}, &out, &errs); code != 0 {
		return nil, fmt.Errorf("status exits %d: %s", code, &errs)
	}
	var s struct {
		Stages []struct{ Stage, State, Why string }
	}
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return nil, err
	}
	states := map[string]string{}
	for _, l := range s.Stages {
		states[l.Stage] = l.State
	}
	return states, nil
}

// lie is what `oneshot status` calls fresh in a folder and is not what a run with the folder's
// configuration leaves, or, behind a stage that has to go on, what some run leaves that has of that stage
// what the folder has; nil is nothing. at is the first stage that is not fresh.
func (r runs) lie(t *testing.T, dir string) (at string, lie error) {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(dir, "config.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		return "opening", nil
	}
	want, ok := r[string(config)]
	if err != nil || !ok {
		return "", fmt.Errorf("config.yaml is of no run: %v", err)
	}
	states, err := state(dir)
	if err != nil {
		return "", err
	}
	have, candidates := newestOnly(results(t, dir)), runs{"": want}
	at = "end"
	for _, stage := range []string{"train", "search", "retrain", "export", "test"} {
		if states[stage] == "fresh" {
			if !candidates.agree(t, stage, have) {
				return at, fmt.Errorf("%s is called fresh, and is that of no run", stage)
			}
		} else if at == "end" {
			at = stage
			candidates = r // what follows is of what is there, until that goes on
		}
	}
	return at, nil
}

// made is what each stage is made of.
var made = map[string][]string{"train": {"train"}, "search": {"train", "search"}, "retrain": {"best", "retrain", "seeds"},
	"export": {"retrain", "export"}, "test": {"train", "best", "export", "test"}}

// agree says whether a folder has a stage, and what it is made of, as one of the runs has them.
func (r runs) agree(t *testing.T, stage string, have map[string]string) bool {
	for _, want := range r {
		proofs, same := 0, true
		for p, b := range newestOnly(want) {
			if slices.ContainsFunc(made[stage], func(of string) bool { return proves(of, p) }) {
				proofs++
				same = same && have[p] == b
			}
		}
		if proofs == 0 {
			t.Fatalf("nothing shows whether %s is fresh", stage)
		}
		if same {
			return true
		}
	}
	return false
}

// proves says whether a file is a result of a stage, or of the search what a retraining takes, or of the
// trainings of further seeds, which are exported with the stage retrain.
func proves(stage, p string) bool {
	switch stage {
	case "train":
		return strings.HasPrefix(p, "supernet/ckpt-")
	case "search":
		return p == "search/samples.jsonl" || p == "search/rechecks.jsonl" || p == "search/best.json"
	case "best":
		return p == "search/best.json"
	case "retrain":
		return strings.HasPrefix(p, "retrain/ckpt-")
	case "seeds":
		return strings.HasPrefix(p, "retrain-seeds/") && (strings.Contains(p, "/retrain/ckpt-") || strings.Contains(p, "/export/"))
	case "export":
		return p == "export/model.safetensors" || p == "export/arch.json"
	}
	return p == "result.json"
}

// seeded is a generator of random moments, whose seed is logged.
func seeded(t *testing.T) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// moment is a random time up to d.
func moment(r *rand.Rand, d time.Duration) time.Duration { return time.Duration(r.Int64N(int64(d))) }
