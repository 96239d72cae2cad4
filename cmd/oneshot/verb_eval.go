package main

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/plan"
	"oneshot/internal/report"
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
				return fault.Usage("leave out one of them", "--weights and --out exclude each other")
			case weights != "":
				return a.evalFile(cmd.Context(), weights, split)
			case a.opt.out == "":
				return fault.Usage("`oneshot eval --help` shows the three forms", "eval wants --weights FILE or --out DIR")
			}
			if cmd.Flags().Changed("split") {
				return fault.Usage("`oneshot eval --weights` of the exported file takes it", "--split is of --weights: a run is scored on search images, and its result is of test images")
			}
			if a.opt.memoryLimit > 0 {
				return fault.Usage("", "--memory-limit is of --weights: what a run needs is its own")
			}
			q := pipeline.Request{Resume: true, Needs: pipeline.NeedsResult, Reads: pipeline.StageNames()}
			if a.opt.arch != "" {
				q.Needs, q.Reads = pipeline.NeedsPath(a.opt.arch, a.opt.request()), []string{"train"}
			}
			err := a.inRun(cmd.Context(), q, a.evalRun)
			if errors.Is(err, fault.ErrStopped) { // eval goes on without --resume, a flag that it does not have
				return fault.Wrap(fault.ExitStopped, err, "the same command continues")
			}
			return err
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&a.opt.out, "out", "o", "", "run `folder`")
	fs.StringVar(&weights, "weights", "", "exported `file` (safetensors)")
	a.opt.bindRoom(cmd)
	fs.StringVar(&split, "split", "test", "images to use with --weights: test or search")
	a.opt.bindArch(cmd, "architecture: published name, Genotype, text, list, JSON or a file of one; or 'best' of the run")
	return cmd
}

type evalReport struct {
	Arch    rundir.Arch `json:"arch"`
	Dataset string      `json:"dataset"`
	Split   string      `json:"split"`
	Images  int         `json:"images"`
	Top1    float64     `json:"top1"`
	// Top5 and Classes are of exported networks; Top5 is null for five classes or fewer.
	Top5    *float64       `json:"top5,omitempty"`
	Classes []rundir.Class `json:"classes,omitempty"`
	Loss    float64        `json:"loss"`
	Bad     int            `json:"bad_samples,omitempty"`
	// TrainedOn says that the network was trained on these images.
	TrainedOn bool `json:"trained_on,omitempty"`
	// Weights says what they are where they are not those that a retraining ends with.
	Weights *pipeline.Origin `json:"weights,omitempty"`
}

func (a *app) showEval(r evalReport) error {
	if a.opt.json {
		return a.ui.JSON(r)
	}
	note := ""
	if r.TrainedOn {
		note = ", which it was trained on"
	}
	a.ui.Printf("top-1    %.2f %% on %d images of %s/%s%s (loss %.4f)\n", 100*r.Top1, r.Images, r.Dataset, r.Split, note, r.Loss)
	if r.Top5 != nil {
		a.ui.Printf("top-5    %.2f %%\n", 100**r.Top5)
	}
	if r.Bad > 0 {
		a.ui.Printf("left out %d that cannot be decoded\n", r.Bad)
	}
	a.ui.Printf("arch     %s  (%s)\n", r.Arch.Text, r.Arch.Hash)
	if r.Weights != nil {
		a.ui.Printf("weights  %s\n", r.Weights)
	}
	var b strings.Builder
	report.ClassText(&b, r.Classes)
	a.ui.Printf("%s", b.String())
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
	request := a.opt.request()
	c, err := request.Resolve(&base, "")
	if err != nil {
		return err
	}
	// The network sees images as large as those of its training, unless others are asked for.
	c.Data.Image, c.Data.CropPct = cmp.Or(c.Data.Image, file.Image), cmp.Or(c.Data.CropPct, file.Data.CropPct)
	rt, err := device.Open(c.Run, deviceFiles(), a.ui)
	if err != nil {
		return err
	}
	defer rt.Close()
	x, err := file.Network(a.opt.arch, c.Data.Image, rt)
	if err != nil {
		return err
	}
	d, r, err := pipeline.EvaluateFile(ctx, a.ui, x, file.About, c, request.Gives, split, a.room())
	if err != nil {
		return err
	}
	found, err := plan.DescribeArch(x.Space, x.Arch, x.Config.Cost)
	if err != nil {
		return err
	}
	e := evalReport{Arch: found, Dataset: d.Name, Split: split, Images: r.Images, Top1: r.Top1, Loss: r.Loss,
		Classes: pipeline.ByClass(d.Classes, r), Bad: pipeline.LeftOut(d, split, r), TrainedOn: split == "search" && file.AllImages, Weights: file.Weights}
	if len(d.Classes) > 5 {
		e.Top5 = &r.Top5
	}
	return a.showEval(e)
}

// evalRun works in a run folder.
func (a *app) evalRun(ctx context.Context, r *pipeline.Run) error {
	if a.opt.arch != "" {
		found, res, err := r.ScoreArch(ctx, a.opt.arch, a.opt.request())
		if err != nil {
			return err
		}
		return a.showEval(evalReport{Arch: found, Dataset: r.Data.Name, Split: "search", Images: res.Images, Top1: res.Top1, Loss: res.Loss})
	}
	best, err := plan.BestOf(r.Folder)
	if err != nil {
		return err
	}
	res, err := r.Test(ctx, best)
	if err != nil {
		return err
	}
	return a.showResult(r.Folder, res)
}
