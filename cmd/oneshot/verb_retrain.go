package main

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
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
			arch := cmp.Or(a.opt.arch, "best")
			q := pipeline.Request{Preset: "tiny", Create: arch != "best", Resume: true, Frees: []string{"retrain"}, Arch: arch, Sizes: []string{"retrain"}}
			return a.inRun(cmd.Context(), q, a.retrainVerb)
		},
	}
	a.opt.bindRun(cmd)
	a.opt.bindMemory(cmd)
	a.opt.bindSGD(cmd, "retrain")
	a.opt.bindArch(cmd, "architecture: text, JSON file, 0/1 mask, or 'best' of the run")
	return cmd
}

type retrainReport struct {
	Run     string                `json:"run"`
	Arch    rundir.Arch           `json:"arch"`
	Loss    float64               `json:"loss"`
	Retrain rundir.RetrainSummary `json:"retrain"`
}

// retrainVerb retrains and exports the architecture of the request and reports on it.
func (a *app) retrainVerb(ctx context.Context, r *pipeline.Run) error {
	r.Announce()
	n, err := r.Retrain(ctx, r.Arch)
	if err != nil {
		return err
	}
	if err := r.Export(n, r.Arch); err != nil {
		return err
	}
	out := retrainReport{Run: r.Folder.Base()}
	if out.Arch, err = r.DescribeArch(r.Arch); err != nil {
		return err
	}
	if out.Loss, _, err = r.Folder.Trained("retrain"); err != nil {
		return err
	}
	if out.Retrain, err = r.RetrainSummary(ctx, n, r.Arch); err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(out)
	}
	a.ui.Printf("retrain  %s (%s), %.4g epochs, loss %.4f\n", out.Arch.Text, out.Arch.Hash, out.Retrain.Epochs, out.Loss)
	if t := out.Retrain.SearchTop1; t != nil {
		a.ui.Printf("check    %.2f %% on the search images\n", 100**t)
	}
	a.ui.Printf("files    %s: export/model.safetensors, export/arch.json\n", r.Folder)
	return nil
}
