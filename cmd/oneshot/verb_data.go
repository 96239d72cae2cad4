package main

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/data"
	"oneshot/data/audit"
	"oneshot/data/prepare"
	"oneshot/data/source"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/ui"
)

func (a *app) dataCmd() *cobra.Command {
	names := []string{"verify", "stats", "prepare"}
	cmd := &cobra.Command{
		Use: "data verify|stats|prepare", Short: "Look into a data set: what is wrong with it, what it holds, smaller copies",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fault.Usage("`oneshot data --help` lists them", "data wants one of: %s", strings.Join(names, ", "))
			}
			return fault.Usage("`oneshot data --help` lists them", "data wants one of: %s, but got %q%s",
				strings.Join(names, ", "), args[0], fault.DidYouMean(args[0], names))
		},
		RunE: func(*cobra.Command, []string) error { return nil }, // Args refuses everything
	}
	cmd.AddCommand(a.dataVerifyCmd(), a.dataStatsCmd(), a.dataPrepareCmd())
	return cmd
}

// withFiles runs do on what --data-dir names. do is told how many goroutines to use, and
// what to call when so many images are done.
func (a *app) withFiles(what string, do func(f *data.Files, workers int, progress func(done, all int)) error) error {
	c, err := a.opt.resolve("tiny")
	if err != nil {
		return err
	}
	c.Data.Seed, c.Data.Cache = c.Seed, c.Run.Cache
	f, err := data.OpenFiles(c.Data)
	if err != nil {
		return unhinted(err)
	}
	defer f.Close()
	m := a.ui.Meter(what, 0, f.Len())
	last := 0
	err = do(f, c.Run.ThreadCount(), func(done, _ int) {
		m.Update(done, done-last, "")
		last = done
	})
	m.Finish()
	return unhinted(err)
}

// unhinted gives an error its code, without the advice to use these very verbs.
func unhinted(err error) error {
	var file *source.FileError
	if errors.As(err, &file) && file.Hint == "" {
		return fault.Wrap(fault.ExitInvalid, err, "")
	}
	return fault.WithCode(err, fault.ExitInvalid, "")
}

func (a *app) dataVerifyCmd() *cobra.Command {
	return &cobra.Command{
		Use: "verify", Short: "Decode every image and say what is wrong", Args: noArgs,
		Long: `verify decodes every image of every split. It names files that cannot be decoded, classes
without images or with very few, and pictures that are there more than once: those that are
trained on and tested on make a result worthless.

It ends with exit code 3 where a run could not use the data: a file that cannot be decoded (unless
--on-bad-sample skip:N allows for it), a class without training images. Everything else is
a warning.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var r *audit.Report
			err := a.withFiles("verify", func(f *data.Files, workers int, progress func(done, all int)) (err error) {
				r, err = audit.Verify(cmd.Context(), f, audit.Options{Workers: workers, Progress: progress})
				return err
			})
			if err := a.showBench(r, err); err != nil {
				return err
			}
			if p := r.Problems; len(p) > 0 {
				return fault.New(fault.ExitInvalid, p[0].Hint, "data: %s: %s", r.Data, p[0].Text)
			}
			return nil
		},
	}
}

func (a *app) dataStatsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "stats", Short: "Count classes, splits, sizes and what a run would use", Args: noArgs,
		Long: `stats counts without decoding more than a run does before it starts: images by class and
split, what is trained on, searched with and tested on, and what images are normalised by. Kinds and
sizes are read from at most 4,096 files. verify looks at all of them.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dataStats(cmd.Context()) },
	}
}

func (a *app) dataStats(ctx context.Context) error {
	var s *audit.Stats
	err := a.withFiles("stats", func(f *data.Files, workers int, progress func(done, all int)) (err error) {
		s, err = audit.Survey(ctx, f, audit.Options{Workers: workers, Progress: progress})
		return err
	})
	return a.showBench(s, err)
}

func (a *app) dataPrepareCmd() *cobra.Command {
	o := prepare.Default()
	cmd := &cobra.Command{
		Use: "prepare", Short: "Write a smaller copy of the images as WebDataset shards", Args: noArgs,
		Long: `prepare makes every image small, so that its shorter side has --size pixels, and packs the
images into tar files that oneshot and WebDataset for PyTorch read:

  DIR/train-000000.tar   00000000.jpg 00000000.cls 00000001.jpg ...   (also val, test)
  DIR/classes.txt        names of the classes, a line each
  DIR/train-index.json   the tar files of a split and how many images each has, for wids
  DIR/prepare.json       what it was made of

A JPEG that is small enough already is copied as it is, with whatever its camera wrote into it. The same
images give the same bytes, on any number of processors. If it is stopped, or the disk is full,
nothing of it is left.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.dataPrepare(cmd.Context(), o) },
	}
	fs := cmd.Flags()
	fs.StringVarP(&a.opt.out, "out", "o", "", "`folder` to write, which must be missing or empty")
	wholeVar(fs, &o.Size, "size", o.Size, "pixels of the shorter side; smaller images keep theirs")
	wholeVar(fs, &o.Quality, "quality", o.Quality, "JPEG quality, 1 to 100")
	wholeVar(fs, &o.ShardSize, "shard-size", o.ShardSize, "most images in a tar file")
	return cmd
}

func (a *app) dataPrepare(ctx context.Context, o prepare.Options) error {
	if a.opt.out == "" {
		return fault.Usage("as in --out photographs-256", "prepare wants --out, the folder to write")
	}
	if err := pipeline.OutsideRuns("--out", a.opt.out); err != nil {
		return err
	}
	ctx, sig := watchSignals(ctx, "cleaning up", a.ui.Err, os.Exit)
	defer sig.close()
	var r *prepare.Report
	err := a.withFiles("prepare", func(f *data.Files, workers int, progress func(done, all int)) (err error) {
		o.Workers, o.Progress = workers, progress
		r, err = prepare.Write(ctx, f, a.opt.out, o)
		return err
	})
	var out *prepare.OutputError
	switch {
	case errors.As(err, &out):
		return fault.Wrap(fault.ExitUsage, err, out.Hint)
	case errors.Is(err, fault.ErrStopped):
		return fault.Wrap(fault.ExitStopped, err, "what was written of "+a.opt.out+" is removed again; the same command starts anew")
	case fault.Classify(err).Code == fault.ExitSpace:
		return fault.Wrap(fault.ExitSpace, err, "what was written of "+a.opt.out+" is removed again; it needs more space, or another disk with --out")
	case err != nil:
		return err
	}
	if a.opt.json {
		return a.ui.JSON(r)
	}
	return a.showPrepared(r)
}

func (a *app) showPrepared(r *prepare.Report) error {
	a.ui.Printf("from     %s\n", r.From)
	for _, s := range r.Splits {
		a.ui.Printf("%-8s %s in %s, %s", s.Name, ui.Plural(s.Images, "image", "images"),
			ui.Plural(len(s.Shards), "tar file", "tar files"), audit.Bytes(s.Bytes))
		if s.Copied > 0 {
			a.ui.Printf("; %d copied byte for byte", s.Copied)
		}
		a.ui.Printf("\n")
	}
	for _, name := range r.LeftOut {
		a.ui.Warnf("split %s is none of train, val and test, and was left out", name)
	}
	if n := len(r.Bad); n > 0 {
		a.ui.Warnf("%s left out, which cannot be decoded; prepare.json names them", ui.Plural(n, "record", "records"))
	}
	a.ui.Printf("next     oneshot run --data-dir %s\n", a.opt.out)
	return nil
}
