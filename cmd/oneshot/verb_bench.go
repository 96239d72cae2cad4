package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/measure"
	"oneshot/internal/plan"
	"oneshot/supernet/space"
)

func (a *app) benchCmd() *cobra.Command {
	var names []string
	cmd := &cobra.Command{
		Use: "bench step|eval|retrain|infer|score|ops|kernels|archs|search", Short: "Measure this machine: training steps, scoring, kernels; race search algorithms",
		Long: `bench measures on random images, without a data set. Without flags, step and eval take
the reference job: 8 cells, 16 channels, 5 nodes, images 32x32, batch 64 (eval: 250);
with another --space its usual network;
retrain and infer, of one architecture, take 20 cells of 36 channels and batch 96 (infer: 250).
--preset takes a recipe's network. --arch names an architecture instead of random ones; with --recipe a
step has all that the recipe says, the preparation of its batch on drawn images of 32x32 included.

For each of --archs random architectures, or of those in --archs-file, the median and the best of --reps repetitions
count; what is printed is their mean. With --device cuda a step trains another architecture
each time, on images that lie on the GPU; score and kernels are most useful there. floor is the time that arithmetic or memory at this
machine's measured peak would need for a perfectly fused step.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fault.Usage("`oneshot bench --help` lists them", "bench wants one of: %s", strings.Join(names, ", "))
			}
			return fault.Usage("`oneshot bench --help` lists them", "bench wants one of: %s, but got %q%s",
				strings.Join(names, ", "), args[0], fault.DidYouMean(args[0], names))
		},
		RunE: func(*cobra.Command, []string) error { return nil }, // Args refuses everything
	}
	cmd.AddCommand(
		a.benchNetCmd("step", "net", "train.batch", "A training step of the supernet, a path a time"),
		a.benchNetCmd("eval", "net", "score.batch", "A forward pass of the supernet with running statistics"),
		a.benchNetCmd("retrain", "retrain", "retrain.batch", "A training step of one architecture"),
		a.benchNetCmd("infer", "retrain", "score.batch", "A forward pass of one architecture with running statistics"),
		a.benchScoreCmd(), a.benchOpsCmd(), a.benchKernelsCmd(), a.benchArchsCmd(), a.benchSearchCmd())
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return cmd
}

// measured is a report that can be shown to people.
type measured interface{ Text(w io.Writer) }

// showBench prints what a measurement found.
func (a *app) showBench(r measured, err error) error {
	if err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(r)
	}
	var b strings.Builder
	r.Text(&b)
	a.ui.Printf("%s", &b)
	return nil
}

func (a *app) bench() measure.Bench {
	return measure.Bench{UI: a.ui, Device: deviceFiles(), KeepGC: gcIsSet()}
}

// benchFlags are what every measurement of a network asks for. The network's
// own flags are keys of the configuration.
type benchFlags struct {
	archsFile string
	measure.Job
}

// job checks the flags and resolves the configuration.
func (f *benchFlags) job(o *options, preset string) (measure.Job, error) {
	if err := f.check(); err != nil {
		return f.Job, err
	}
	if err := f.followArch(o); err != nil {
		return f.Job, err
	}
	var err error
	if f.Config, err = o.resolve(preset); err != nil || f.archsFile == "" {
		return f.Job, err
	}
	s, err := plan.OpenSpace(f.Config)
	if err != nil {
		return f.Job, err
	}
	err = plan.ReadArchsFile(f.archsFile, s, func(of space.Space, a space.Arch) error {
		if of.Name() != s.Name() {
			return fmt.Errorf("the architecture is of space %s, and what is measured of %s", of.Name(), s.Name())
		}
		f.Given = append(f.Given, a)
		return nil
	})
	return f.Job, err
}

// followArch has the configuration begin with the space of the architecture that is measured,
// and so with its size, where that is of another kind and none is asked for.
func (f *benchFlags) followArch(o *options) error {
	if f.Arch == "" || o.request().Gives("net.space") {
		return nil
	}
	s, _, err := space.ParseAny(f.Arch)
	if err != nil {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	if n := s.Named(); n.Space != space.Cell {
		o.sets = slices.Insert(o.sets, 0, spaceSets(n)...)
	}
	return nil
}

// spaceSets is a space as --set has it.
func spaceSets(n space.Named) []string {
	sets := []string{"net.space=" + n.Space}
	if n.Blocks != "" {
		sets = append(sets, "net.blocks="+n.Blocks)
	}
	return sets
}

// bind declares the flags that say which architectures.
func (f *benchFlags) bind(cmd *cobra.Command, o *options) {
	fs := cmd.Flags()
	o.keyFlag(fs, "ops", "", "net.ops", "name", "candidate operations: "+strings.Join(space.Families(), ", "))
	o.keyFlag(fs, "nodes", "", "net.nodes", "number", "nodes of a cell")
	wholeVar(fs, &f.Archs, "archs", 8, "random architectures, those of the seeds 1, 2, ...")
	fs.StringVar(&f.archsFile, "archs-file", "", "measure the architectures of this `FILE`, one a line, instead of random ones")
	f.Image, f.Reps, f.Classes = 32, 1, 10 // of a verb without these flags
}

func (f *benchFlags) check() error {
	if f.archsFile != "" && f.Arch != "" {
		return fault.Usage("leave out one of them", "--arch and --archs-file both say what is measured")
	}
	for _, n := range []struct {
		flag   string
		got    int
		lo, hi int
	}{{"archs", f.Archs, 1, 10000}, {"reps", f.Reps, 1, 10000}, {"image", f.Image, 8, 4096}, {"classes", f.Classes, 2, 65535}} {
		if n.got < n.lo || n.got > n.hi {
			return fault.Usage("", "--%s %d: want %d..%d", n.flag, n.got, n.lo, n.hi)
		}
	}
	return nil
}

func (a *app) benchNetCmd(what, section, batch, short string) *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use: what, Short: short, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			preset := ""
			if section == "retrain" {
				preset = "lanas-oneshot" // the CIFAR-10 form: 20 cells of 36 channels
			}
			if batch == "score.batch" && a.opt.config == "" { // the reference job's, whatever a preset says
				a.opt.sets = slices.Insert(a.opt.sets, 0, "score.batch=250")
			}
			j, err := f.job(a.opt, preset)
			if err != nil {
				return err
			}
			if j.Config.Train.MicroBatch != 0 && what == "step" || j.Config.Retrain.MicroBatch != 0 && what == "retrain" {
				return fault.Usage("--batch measures a smaller batch", "bench measures whole batches, not micro_batch")
			}
			if j.Recipe && j.Image != 32 {
				return fault.Usage("without --recipe a step takes images of any size", "--image %d: the images of --recipe are 32x32", j.Image)
			}
			r, err := a.bench().Network(what, j)
			return a.showBench(r, err)
		},
	}
	fs := cmd.Flags()
	f.bind(cmd, a.opt)
	a.opt.keyFlag(fs, "layers", "", section+".layers", "number", "cells")
	a.opt.keyFlag(fs, "channels", "", section+".channels", "number", "channels of the first cell")
	a.opt.keyFlag(fs, "stem-multiplier", "", section+".stem_multiplier", "number", "stem channels in units of --channels")
	a.opt.keyFlag(fs, "batch", "b", batch, "number", "images at a time")
	wholeVar(fs, &f.Image, "image", 32, "side of the square images in pixels")
	wholeVar(fs, &f.Reps, "reps", 3, "repetitions of each architecture")
	if section == "retrain" {
		fs.StringVar(&f.Arch, "arch", "", "architecture instead of random ones: a published name, text or JSON")
		wholeVar(fs, &f.Classes, "classes", 10, "outputs of the network")
		a.opt.keyFlag(fs, "imagenet", "", "retrain.imagenet", "bool", "the form for large images")
		fs.Lookup("imagenet").NoOptDefVal = "true"
	}
	if what == "retrain" {
		fs.BoolVar(&f.Aux, "aux", false, "with the auxiliary head")
		fs.BoolVar(&f.Recipe, "recipe", false, "with all of the recipe, the preparation of batches included")
	}
	return cmd
}

func (a *app) benchScoreCmd() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use: "score", Short: "Scoring a subnetwork: 20 batches of 64 re-estimate statistics, 5,000 images are classified", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			j, err := f.job(a.opt, "")
			if err != nil {
				return err
			}
			r, err := a.bench().Score(j)
			return a.showBench(r, err)
		},
	}
	f.bind(cmd, a.opt)
	wholeVar(cmd.Flags(), &f.Reps, "reps", 3, "repetitions of each architecture")
	return cmd
}

func (a *app) benchKernelsCmd() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use: "kernels", Short: "The kernels of one training step on a GPU, against the speed of a copy", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			j, err := f.job(a.opt, "")
			if err != nil {
				return err
			}
			r, err := a.bench().Kernels(j)
			return a.showBench(r, err)
		},
	}
	f.bind(cmd, a.opt)
	a.opt.keyFlag(cmd.Flags(), "batch", "b", "train.batch", "number", "images at a time")
	return cmd
}

// noSpace refuses a space where no network is measured.
func (o *options) noSpace(what string) error {
	if !o.request().Gives("net.space") {
		return nil
	}
	return fault.Usage("`oneshot bench step --space NAME` and eval, retrain, infer, score measure networks of a space", "bench %s measures no network: --space would change nothing", what)
}

func (a *app) benchOpsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "ops", Short: "The kernels, against the machine's peaks", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := a.opt.noSpace("ops"); err != nil {
				return err
			}
			c, err := a.opt.resolve("")
			if err != nil {
				return err
			}
			r, err := a.bench().Ops(c.Run.ThreadCount())
			return a.showBench(r, err)
		},
	}
}

func (a *app) benchArchsCmd() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use: "archs", Short: "Print the architectures that the others measure", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			j, err := f.job(a.opt, "")
			if err != nil {
				return err
			}
			l, err := measure.Archs(j)
			return a.showBench(l, err)
		},
	}
	f.bind(cmd, a.opt)
	return cmd
}
