package main

import (
	"context"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/supernet/space"
)

func (a *app) retrainCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "retrain", Short: "Train one architecture from scratch and export it", Args: noArgs,
		Long: "retrain trains the best architecture of the run in --out (--arch best), or the one\n" +
			"given with --arch, which needs no search before it, and exports the weights.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.opt.dryRun {
				return a.dryRun("tiny")
			}
			return a.retrainVerb(cmd.Context())
		},
	}
	a.opt.bindRun(cmd)
	a.opt.bindMemory(cmd)
	a.opt.bindSGD(cmd, "retrain")
	a.opt.bindArch(cmd, "architecture: text, JSON file, 0/1 mask, or 'best' of the run")
	return cmd
}

type retrainReport struct {
	Run     string         `json:"run"`
	Arch    resultArch     `json:"arch"`
	Loss    float64        `json:"loss"`
	Retrain retrainSummary `json:"retrain"`
}

func (a *app) retrainVerb(ctx context.Context) error {
	given := a.opt.arch != "" && a.opt.arch != "best"
	var arch space.Arch
	find := func(j *job) (err error) {
		arch, err = j.wantedArch(a.opt.arch)
		j.arch, j.limited = arch, !given
		return err
	}
	o := jobOptions{preset: "tiny", create: given, cont: true, free: retrainFree, check: find,
		trains: []string{"retrain"}, limit: a.opt.memoryLimit}
	return a.inJob(ctx, o, func(ctx context.Context, j *job) error { return j.retrainOnly(ctx, arch, a.opt.json) })
}

// retrainOnly retrains and exports arch and reports on it.
func (j *job) retrainOnly(ctx context.Context, arch space.Arch, asJSON bool) error {
	j.announce()
	n, err := j.retrain(ctx, arch)
	if err != nil {
		return err
	}
	if err := j.export(n, arch); err != nil {
		return err
	}
	found, err := j.archResult(arch)
	if err != nil {
		return err
	}
	r := retrainReport{Run: j.dir.base(), Arch: found}
	if r.Loss, err = j.finalLoss("retrain"); err != nil {
		return err
	}
	if r.Retrain, err = j.retrainSummary(ctx, n, arch); err != nil {
		return err
	}
	if asJSON {
		return j.ui.json(r)
	}
	j.ui.printf("retrain  %s (%s), %.4g epochs, loss %.4f\n", r.Arch.Text, r.Arch.Hash, r.Retrain.Epochs, r.Loss)
	if t := r.Retrain.SearchTop1; t != nil {
		j.ui.printf("check    %.2f %% on the search images\n", 100**t)
	}
	j.ui.printf("files    %s: export/model.safetensors, export/arch.json\n", j.dir.path)
	return nil
}

// wantedArch is the architecture named on the command line, checked against the
// space of the run; "" and "best" are the best of its search.
func (j *job) wantedArch(text string) (space.Arch, error) {
	if text == "" || text == "best" {
		best, err := bestOf(j.dir)
		if err != nil {
			return nil, err
		}
		a, err := j.space.Parse(best.Arch)
		return a, fault.WithCode(err, fault.ExitInvalid, "")
	}
	s, a, err := readArch(text, j.space)
	if err != nil {
		return a, err
	}
	if s.Name() != j.space.Name() {
		return a, fault.Usage("choose the space with --set net.ops=... --set net.nodes=...",
			"the architecture is of space %s, the run of %s with %d nodes", s.Name(), j.cfg.Net.Ops, j.cfg.Net.Nodes)
	}
	return a, nil
}

// bestOf reads the result of a search.
func bestOf(d *runDir) (searchSummary, error) {
	var best searchSummary
	if !d.has("search", "best.json") {
		return best, fault.Usage("run `oneshot search --out "+d.path+"` first, or name one with --arch",
			"no search is finished in %s", d.path)
	}
	return best, d.readJSON(&best, "search", "best.json")
}

// archResult is what an architecture is and costs when it is retrained.
func (j *job) archResult(arch space.Arch) (resultArch, error) {
	return resultOf(j.space, arch, j.cost)
}
