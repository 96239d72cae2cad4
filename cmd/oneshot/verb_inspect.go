package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/data"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/plan"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
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
	case err == nil && info.IsDir() && rundir.Folder(what).Has("config.yaml"):
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

func (a *app) inspectRun(path string) error {
	d := rundir.Folder(path)
	r, err := pipeline.Inspect(d)
	if err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(r)
	}
	a.ui.Printf("run      %s  (%s, seed %d, %s)\n", path, pipeline.PresetOr(r.Preset), r.Seed, r.Data)
	for _, s := range r.Stages {
		a.ui.Printf("%-8s %s  %d\n", s.Stage, s.State, s.Done)
	}
	if r.Search != nil {
		var b strings.Builder
		if r.Result == nil {
			fmt.Fprintf(&b, "found    %s  (%s)\nsearch   %s\n", r.Search.Arch, r.Search.Hash, report.Headline(*r.Search))
		}
		report.SearchText(&b, *r.Search)
		a.ui.Printf("%s", &b)
	}
	if r.Result != nil {
		return a.showResult(d, *r.Result)
	}
	return nil
}

// inspectCheckpoint takes one checkpoint, or a folder of them: the newest.
func (a *app) inspectCheckpoint(path string) error {
	c, err := weights.Load(path)
	if err != nil {
		newest, skipped, errLatest := weights.LoadLatest(path)
		for _, e := range skipped {
			a.ui.Warnf("skipped a damaged checkpoint: %v", e)
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
		return a.ui.JSON(r)
	}
	a.ui.Printf("%s %s: %d tensors, %s values\n", kind, path, r.Tensors, ui.Count(r.Values))
	if r.Step != nil {
		a.ui.Printf("step     %d\n", *r.Step)
	}
	if m := meta["arch"]; m != "" {
		a.ui.Printf("arch     %s\n", m)
	}
	if a.ui.Verbose {
		for _, t := range slices.Clone(ts) {
			a.ui.Printf("%-60s %v\n", t.Name, t.Shape)
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
	s, arch, err := plan.ReadArch(text, configured)
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
	size := net.Size{Geometry: c.Retrain.Geometry, Classes: classCount(c.Data.Name), Image: cmp.Or(c.Data.Image, data.UsualImage(c.Data.Name))}
	if r.Params, r.MAdds, err = (supernet.NetConfig{Space: s, Size: size}).Cost(arch); err != nil {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	if a.opt.json {
		return a.ui.JSON(r)
	}
	among := fmt.Sprintf("one of %s in space %s", r.Size, r.Space)
	if s.Encode(arch) == nil {
		among = "in no search of space " + r.Space
	}
	a.ui.Printf("arch     %s\nhash     %s, %s\n", r.Text, r.Hash, among)
	a.ui.Printf("size     %s parameters, %s multiply-adds with %d cells of %d channels for %dx%d pixels and %d classes (%s)\n",
		ui.Count(r.Params), ui.Count(r.MAdds), size.Layers, size.Channels, size.Image, size.Image, size.Classes, pipeline.PresetOr(c.Preset))
	for _, u := range uses {
		a.ui.Printf("         %2d x %s\n", u.N, u.Op)
	}
	return nil
}

func classCount(dataset string) int {
	if dataset == "cifar100" {
		return 100
	}
	return 10
}
