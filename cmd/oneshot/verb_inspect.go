package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/weights"
)

func (a *app) inspectCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect PATH|ARCH",
		Short: "Describe a run folder, a checkpoint, a safetensors file or an architecture",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fault.Usage("", "inspect wants one path or architecture, but got %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.inspect(args[0]) },
	}
}

func (a *app) inspect(what string) error {
	info, err := os.Stat(what)
	switch {
	case err == nil && info.IsDir() && exists(what, "config.yaml"):
		return a.inspectRun(what)
	case err == nil && info.IsDir():
		return a.inspectCheckpoint(what)
	case err == nil && strings.HasSuffix(what, ".safetensors"):
		f, err := weights.ReadSafetensors(what)
		if err != nil {
			return fault.WithCode(err, fault.ExitInvalid, "")
		}
		return a.showTensors("safetensors", what, -1, f.Tensors, f.Meta)
	case errors.Is(err, fs.ErrNotExist) && looksLikePath(what):
		return fault.Usage("", "inspect: %w", err)
	}
	return a.inspectArch(what)
}

// looksLikePath tells a path from an architecture, whose text has a slash behind its
// first colon at the earliest.
func looksLikePath(what string) bool {
	slash := strings.IndexByte(what, filepath.Separator)
	if slash < 0 || strings.HasPrefix(what, "{") || strings.HasPrefix(what, "[") {
		return false
	}
	return !strings.Contains(what[:slash], ":")
}

// stageState is how far one stage of a run folder has come.
type stageState struct {
	Stage string `json:"stage"`
	Done  int    `json:"done"`
	State string `json:"state"` // none, started or done
}

type runReport struct {
	Kind   string       `json:"kind"`
	Run    string       `json:"run"`
	Preset string       `json:"preset"`
	Seed   uint64       `json:"seed"`
	Data   string       `json:"dataset"`
	Stages []stageState `json:"stages"`
	// Search is the end of the search, null before it.
	Search *searchSummary `json:"search"`
	Result *result        `json:"result"`
}

func (a *app) inspectRun(path string) error {
	c, err := config.Load(filepath.Join(path, "config.yaml"), config.FromPreset)
	if err != nil {
		return fault.WithCode(err, fault.ExitInvalid, "")
	}
	if err := c.Check(); err != nil {
		return fault.WithCode(err, fault.ExitInvalid, "")
	}
	d := &runDir{path: path}
	r := runReport{Kind: "run", Run: d.base(), Preset: c.Preset, Seed: c.Seed, Data: c.Data.Name}
	images, all := c.Data.TrainSize-c.Data.SearchSize, c.Data.TrainSize
	if !c.Retrain.AllImages {
		all = images
	}
	r.Stages = []stageState{
		checkpointState(d, "train", "supernet", c.Train.StepsFor(images)),
		fileState(d, "search", "search/samples.jsonl", "search/best.json"),
		checkpointState(d, "retrain", "retrain", c.Retrain.StepsFor(all)),
		fileState(d, "export", "export/model.safetensors", "export/arch.json"),
		fileState(d, "test", "result.json", "result.json"),
	}
	if d.has("search", "best.json") {
		r.Search = new(searchSummary)
		if err := d.readJSON(r.Search, "search", "best.json"); err != nil {
			return err
		}
	}
	if d.has("result.json") {
		r.Result = new(result)
		if err := d.readJSON(r.Result, "result.json"); err != nil {
			return err
		}
	}
	if a.opt.json {
		return a.ui.json(r)
	}
	a.ui.printf("run      %s  (%s, seed %d, %s)\n", path, presetOr(c.Preset), c.Seed, c.Data.Name)
	for _, s := range r.Stages {
		a.ui.printf("%-8s %s  %d\n", s.Stage, s.State, s.Done)
	}
	if r.Search != nil {
		var b strings.Builder
		if r.Result == nil {
			fmt.Fprintf(&b, "found    %s  (%s)\nsearch   %s\n", r.Search.Arch, r.Search.Hash, r.Search.headline())
		}
		r.Search.table(&b)
		a.ui.printf("%s", &b)
	}
	if r.Result != nil {
		return (&job{dir: d, ui: a.ui}).show(*r.Result, false)
	}
	return nil
}

func state(started, done bool) string {
	switch {
	case done:
		return "done"
	case started:
		return "started"
	}
	return "none"
}

// checkpointState reads only the names of checkpoints, which hold their step.
func checkpointState(d *runDir, stage, dir string, steps int) stageState {
	names, _ := filepath.Glob(d.file(dir, "ckpt-*", "DONE"))
	step := 0
	for _, n := range names {
		var v int
		if _, err := fmt.Sscanf(filepath.Base(filepath.Dir(n)), "ckpt-%d", &v); err == nil {
			step = max(step, v)
		}
	}
	return stageState{stage, step, state(len(names) > 0, step >= steps)}
}

func fileState(d *runDir, stage, started, done string) stageState {
	b, _ := os.ReadFile(d.file(started))
	n := 0
	if strings.HasSuffix(started, ".jsonl") {
		n = strings.Count(string(b), "\n")
	}
	return stageState{stage, n, state(len(b) > 0, d.has(done))}
}

// inspectCheckpoint takes one checkpoint, or a folder of them: the newest.
func (a *app) inspectCheckpoint(path string) error {
	c, err := weights.Load(path)
	if err != nil {
		newest, skipped, errLatest := weights.LoadLatest(path)
		for _, e := range skipped {
			a.ui.warnf("skipped a damaged checkpoint: %v", e)
		}
		if errLatest != nil {
			return fault.WithCode(err, fault.ExitInvalid, "")
		}
		c = newest
	}
	return a.showTensors("checkpoint", path, c.Step, c.Tensors, nil)
}

type tensorReport struct {
	Kind     string            `json:"kind"`
	File     string            `json:"file"`
	Step     *int              `json:"step,omitempty"`
	Tensors  int               `json:"tensors"`
	Values   int64             `json:"values"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

func (a *app) showTensors(kind, path string, step int, ts []weights.Tensor, meta map[string]string) error {
	r := tensorReport{Kind: kind, File: filepath.Base(path), Tensors: len(ts), Metadata: meta}
	if step >= 0 {
		r.Step = &step
	}
	for _, t := range ts {
		r.Values += int64(len(t.F32) + len(t.I64))
	}
	if a.opt.json {
		return a.ui.json(r)
	}
	a.ui.printf("%s %s: %d tensors, %s values\n", kind, path, r.Tensors, short(r.Values))
	if r.Step != nil {
		a.ui.printf("step     %d\n", *r.Step)
	}
	if m := meta["arch"]; m != "" {
		a.ui.printf("arch     %s\n", m)
	}
	if a.ui.verbose {
		for _, t := range slices.Clone(ts) {
			a.ui.printf("%-60s %v\n", t.Name, t.Shape)
		}
	}
	return nil
}

type archReport struct {
	Kind   string         `json:"kind"`
	Text   string         `json:"text"`
	Hash   string         `json:"hash"`
	Space  string         `json:"space"`
	Size   string         `json:"space_size"`
	Params int64          `json:"params"`
	MAdds  int64          `json:"madds"`
	Ops    map[string]int `json:"ops"` // uses in both cells
}

// inspectArch costs an architecture as the configured preset would retrain it.
func (a *app) inspectArch(text string) error {
	c, err := a.opt.resolve("tiny")
	if err != nil {
		return err
	}
	configured, err := space.New(c.Net.Ops, c.Net.Nodes)
	if err != nil {
		return err
	}
	s, arch, err := readArch(text, configured)
	if err != nil {
		return err
	}
	r := archReport{Kind: "arch", Text: s.Format(arch), Hash: space.Hash(s, arch), Space: s.Name(), Size: s.Size().String(), Ops: map[string]int{}}
	uses := s.Uses(arch)
	for _, u := range uses {
		if u.N > 0 {
			r.Ops[u.Op] = u.N
		}
	}
	n := c.Retrain
	size := net.Size{Layers: n.Layers, Channels: n.Channels, StemMultiplier: n.StemMultiplier, Classes: classCount(c.Data.Name), Image: 32}
	if r.Params, r.MAdds, err = (supernet.NetConfig{Space: s, Size: size}).Cost(arch); err != nil {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	if a.opt.json {
		return a.ui.json(r)
	}
	among := fmt.Sprintf("one of %s in space %s", r.Size, r.Space)
	if s.Encode(arch) == nil {
		among = "in no search of space " + r.Space
	}
	a.ui.printf("arch     %s\nhash     %s, %s\n", r.Text, r.Hash, among)
	a.ui.printf("size     %s parameters, %s multiply-adds with %d cells of %d channels (%s)\n",
		short(r.Params), short(r.MAdds), n.Layers, n.Channels, presetOr(c.Preset))
	for _, u := range uses {
		a.ui.printf("         %2d x %s\n", u.N, u.Op)
	}
	return nil
}

func classCount(dataset string) int {
	if dataset == "cifar100" {
		return 100
	}
	return 10
}
