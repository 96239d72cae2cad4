package main

import (
	"context"

	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
)

func (a *app) evalCmd() *cobra.Command {
	var weights, split string
	cmd := &cobra.Command{
		Use: "eval", Short: "Evaluate an exported network, or score an architecture in a run's supernet", Args: noArgs,
		Long: "eval --weights FILE [--arch A]   top-1 of an exported network on --split\n" +
			"eval --out DIR --arch A          score of A with the weights it inherits, as the search sees it;\n" +
			"                                 a stopped supernet is trained to its end first\n" +
			"eval --out DIR                   the result of the run; looks at the test images if nothing has yet",
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case weights != "" && a.opt.out != "":
				return fault.Usage("", "--weights and --out exclude each other")
			case weights != "":
				return a.evalFile(cmd.Context(), weights, split)
			case a.opt.out == "":
				return fault.Usage("`oneshot eval --help` shows the three forms", "eval wants --weights FILE or --out DIR")
			}
			return a.inRun(cmd.Context(), pipeline.Request{Resume: true}, a.evalRun)
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&a.opt.out, "out", "o", "", "run `folder`")
	fs.StringVar(&weights, "weights", "", "exported `file` (safetensors)")
	fs.StringVar(&split, "split", "test", "images to use with --weights: test or search")
	a.opt.bindArch(cmd, "architecture: text, JSON file, 0/1 mask, or 'best' of the run")
	return cmd
}

type evalReport struct {
	Arch    rundir.Arch `json:"arch"`
	Dataset string      `json:"dataset"`
	Split   string      `json:"split"`
	Images  int         `json:"images"`
	Top1    float64     `json:"top1"`
	Loss    float64     `json:"loss"`
}

func (a *app) showEval(r evalReport) error {
	if a.opt.json {
		return a.ui.JSON(r)
	}
	a.ui.Printf("top-1    %.2f %% on %d images of %s/%s (loss %.4f)\narch     %s  (%s)\n",
		100*r.Top1, r.Images, r.Dataset, r.Split, r.Loss, r.Arch.Text, r.Arch.Hash)
	return nil
}

// evalFile needs nothing but the file and the data it names.
func (a *app) evalFile(ctx context.Context, weights, split string) error {
	if split != "test" && split != "search" {
		return fault.Usage("", "--split %q: want test or search", split)
	}
	file, err := pipeline.ReadExport(weights)
	if err != nil {
		return err
	}
	base := config.Default()
	base.Seed, base.Data = file.Seed, file.Data
	c, err := a.opt.request().Resolve(&base, "")
	if err != nil {
		return err
	}
	rt, err := device.Open(c.Run, deviceFiles(), a.ui)
	if err != nil {
		return err
	}
	defer rt.Close()
	x, err := file.Network(a.opt.arch, rt)
	if err != nil {
		return err
	}
	d, r, err := pipeline.EvaluateFile(ctx, a.ui, x, file.About, c, split)
	if err != nil {
		return err
	}
	found, err := plan.DescribeArch(x.Space, x.Arch, x.Config.Cost)
	if err != nil {
		return err
	}
	return a.showEval(evalReport{Arch: found, Dataset: d.Name, Split: split, Images: r.Images, Top1: r.Top1, Loss: r.Loss})
}

// evalRun works in a run folder.
func (a *app) evalRun(ctx context.Context, r *pipeline.Run) error {
	if a.opt.arch != "" {
		found, res, err := r.ScoreArch(ctx, a.opt.arch)
		if err != nil {
			return err
		}
		return a.showEval(evalReport{Arch: found, Dataset: r.Data.Name, Split: "search", Images: res.Images, Top1: res.Top1, Loss: res.Loss})
	}
	best, err := plan.BestOf(r.Folder)
	if err != nil {
		return err
	}
	if !r.Folder.Has("export", "model.safetensors") {
		return fault.Usage("run `oneshot retrain --out "+string(r.Folder)+"` first", "nothing is exported in %s", r.Folder)
	}
	res, err := r.Test(ctx, best)
	if err != nil {
		return err
	}
	return a.showResult(r.Folder, res)
}
