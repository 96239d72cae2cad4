package main

import (
	"context"

	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/supernet"
)

func (a *app) evalCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "eval", Short: "Evaluate an exported network, or score an architecture in a run's supernet", Args: noArgs,
		Long: "eval --weights FILE [--arch A]   top-1 of an exported network on --split\n" +
			"eval --out DIR --arch A          score of A with the weights it inherits, as the search sees it;\n" +
			"                                 a stopped supernet is trained to its end first\n" +
			"eval --out DIR                   the result of the run; looks at the test images if nothing has yet",
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case a.opt.weights != "" && a.opt.out != "":
				return fault.Usage("", "--weights and --out exclude each other")
			case a.opt.weights != "":
				return a.evalFile(cmd.Context())
			case a.opt.out == "":
				return fault.Usage("`oneshot eval --help` shows the three forms", "eval wants --weights FILE or --out DIR")
			}
			return a.inJob(cmd.Context(), jobOptions{cont: true}, a.evalRun)
		},
	}
	fs := cmd.Flags()
	fs.StringVarP(&a.opt.out, "out", "o", "", "run `folder`")
	fs.StringVar(&a.opt.weights, "weights", "", "exported `file` (safetensors)")
	fs.StringVar(&a.opt.split, "split", "test", "images to use with --weights: test or search")
	a.opt.bindArch(cmd, "architecture: text, JSON file, 0/1 mask, or 'best' of the run")
	return cmd
}

type evalReport struct {
	Arch    resultArch `json:"arch"`
	Dataset string     `json:"dataset"`
	Split   string     `json:"split"`
	Images  int        `json:"images"`
	Top1    float64    `json:"top1"`
	Loss    float64    `json:"loss"`
}

func (a *app) showEval(r evalReport) error {
	if a.opt.json {
		return a.ui.json(r)
	}
	a.ui.printf("top-1    %.2f %% on %d images of %s/%s (loss %.4f)\narch     %s  (%s)\n",
		100*r.Top1, r.Images, r.Dataset, r.Split, r.Loss, r.Arch.Text, r.Arch.Hash)
	return nil
}

// evalFile needs nothing but the file and the data it names.
func (a *app) evalFile(ctx context.Context) error {
	if a.opt.split != "test" && a.opt.split != "search" {
		return fault.Usage("", "--split %q: want test or search", a.opt.split)
	}
	_, meta, err := readMeta(a.opt.weights)
	if err != nil {
		return err
	}
	base := config.Default()
	base.Seed, base.Data = meta.Seed, meta.Data
	c, err := a.opt.request().Resolve(&base, "")
	if err != nil {
		return err
	}
	rt, err := a.ui.newRuntime(c.Run)
	if err != nil {
		return err
	}
	defer rt.Close()
	l, err := loadExport(a.opt.weights, a.opt.arch, rt)
	if err != nil {
		return err
	}
	d, err := openData(c)
	if err != nil {
		return err
	}
	if d.SHA256 != meta.DataSHA256 {
		a.ui.warnf("these are not the images the network was made with (sha256 %.12s, was %.12s)", d.SHA256, meta.DataSHA256)
	}
	if len(d.Classes) != len(meta.Classes) {
		return fault.Usage("", "the network has %d classes, %s has %d", len(meta.Classes), d.Name, len(d.Classes))
	}
	if d.Image != meta.Image {
		return fault.Usage("", "the network takes images of %d pixels, those of %s have %d", meta.Image, d.Name, d.Image)
	}
	if d.Mean != meta.Mean || d.Std != meta.Std {
		a.ui.warnf("the images are normalised with other statistics than those the network was trained with")
	}
	batches, total := d.Test.Batches(evalBatch), d.Test.Len()
	if a.opt.split == "search" {
		if source := c.Data; c.Seed != meta.Seed || source.SearchSize != meta.Data.SearchSize || source.TrainSize != meta.Data.TrainSize {
			return fault.Usage("leave out --seed and the sizes of the data", "another search split than the network's would hold images it was trained on")
		}
		batches, total = d.Search.Batches(evalBatch), d.Search.Len()
	}
	j := &job{cfg: c, ui: a.ui, data: d, rt: rt, space: l.space}
	r, err := j.evaluate(ctx, a.opt.split, l.net, l.arch, batches, total)
	if err != nil {
		return err
	}
	found, err := resultOf(l.space, l.arch, l.config.Cost)
	if err != nil {
		return err
	}
	return a.showEval(evalReport{
		Arch: found, Dataset: d.Name, Split: a.opt.split, Images: r.Images, Top1: r.Top1, Loss: r.Loss,
	})
}

// evalRun works in a run folder.
func (a *app) evalRun(ctx context.Context, j *job) error {
	if a.opt.arch == "" {
		best, err := bestOf(j.dir)
		if err != nil {
			return err
		}
		if !j.dir.has("export", "model.safetensors") {
			return fault.Usage("run `oneshot retrain --out "+j.dir.path+"` first", "nothing is exported in %s", j.dir.path)
		}
		r, err := j.conclude(ctx, best)
		if err != nil {
			return err
		}
		return j.show(r, a.opt.json)
	}
	arch, err := j.wantedArch(a.opt.arch)
	if err != nil {
		return err
	}
	if j.space.Encode(arch) == nil { // before a supernet is trained for it
		return fault.Usage("`oneshot retrain --arch` trains it by itself", "%s is no path of a supernet: its outputs or pairs are its own", j.space.Format(arch))
	}
	n, err := j.train(ctx)
	if err != nil {
		return err
	}
	s, err := supernet.NewScorer(n, j.data.Train, j.data.Search.Part(j.cfg.Score.Images), j.scoreConfig(false))
	if err != nil {
		return err
	}
	defer s.Close()
	r, err := s.Score(ctx, arch)
	if err != nil {
		return err
	}
	found, err := resultOf(j.space, arch, j.netConfig().Cost)
	if err != nil {
		return err
	}
	return a.showEval(evalReport{
		Arch: found, Dataset: j.data.Name, Split: "search", Images: r.Images, Top1: r.Top1, Loss: r.Loss,
	})
}
