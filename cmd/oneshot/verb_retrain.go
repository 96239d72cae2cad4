package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
)

func (a *app) retrainCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "retrain", Short: "Train one architecture from scratch, or fine-tune it, and export it", Args: noArgs,
		Long: "retrain trains the best architecture of the run in --out (--arch best), or the one\n" +
			"given with --arch, which needs no search before it, and exports the weights. With --init it\n" +
			"starts from an exported network, whose architecture it takes, or from the weights that the\n" +
			"supernet of the folder has; with --teacher it learns an exported network's outputs too. With\n" +
			"--top K it retrains the K best of the search and says whether their scores foretold the order.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("fit-madds") && a.opt.fitMAdds == 0 {
				return fault.Usage("leave it out for any", "--fit-madds 0: no network has so few")
			}
			q := pipeline.Request{Preset: "tiny", Retrains: true, Resume: true, Frees: []string{"retrain"}, Arch: a.opt.arch,
				FitMAdds: int64(a.opt.fitMAdds), Sizes: []string{"retrain"}, Redoes: []string{"retrain"}}
			if a.opt.dryRun {
				return a.dryRun(cmd.Context(), q)
			}
			return a.inRun(cmd.Context(), q, a.retrainVerb)
		},
	}
	fs := cmd.Flags()
	a.opt.bindRun(cmd)
	a.opt.bindMemory(cmd)
	a.opt.bindSGD(cmd, "retrain")
	a.opt.bindArch(cmd, "architecture: published name, Genotype, text, list, JSON or a file of one; or 'best' of the run (default)")
	fs.Var(&a.opt.fitMAdds, "fit-madds", "most multiply-adds, such as 600M; retrain.channels is the largest width that keeps to it")
	a.opt.bindRetrain(cmd)
	return cmd
}

type retrainReport struct {
	Run     string                `json:"run"`
	Arch    rundir.Arch           `json:"arch"`
	Loss    *float64              `json:"loss"`
	Retrain rundir.RetrainSummary `json:"retrain"`
}

// retrainVerb retrains and exports the architecture of the request and reports on it. The
// test images are looked at only where several seeds are asked for; else `eval` does.
func (a *app) retrainVerb(ctx context.Context, r *pipeline.Run) error {
	r.Announce()
	out := retrainReport{Run: r.Folder.Base()}
	var err error
	if out.Retrain, err = r.RetrainAll(ctx, r.Arch); err != nil {
		return err
	}
	if out.Arch, err = r.DescribeArch(r.Arch); err != nil {
		return err
	}
	if out.Loss, _, err = pipeline.LossOf("retrain", r.Folder); err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(out)
	}
	a.ui.Printf("retrain  %s (%s), %.4g epochs, loss %s\n", out.Arch.Text, out.Arch.Hash, out.Retrain.Epochs, report.Loss(out.Loss))
	if t := out.Retrain.SearchTop1; t != nil && out.Retrain.Seeds == nil && out.Retrain.Top == nil {
		a.ui.Printf("check    %.2f %% on the search images\n", 100**t)
	}
	var b strings.Builder
	report.RetrainText(&b, out.Retrain)
	a.ui.Printf("%s", &b)
	a.ui.Printf("files    %s: export/model.safetensors, export/arch.json\n", r.Folder)
	return nil
}
