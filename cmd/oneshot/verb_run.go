package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
)

func (a *app) runCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Train the supernet, search it, retrain the winner, export it, test it once",
		Long: "run does the whole pipeline in one run folder. Ctrl-C saves and stops; the same\n" +
			"command with --resume continues to the same bytes, whatever had been finished.\n\nPresets:\n" + config.PresetHelp(),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.opt.resume && a.opt.out == "" {
				return noFolder
			}
			q := pipeline.Request{Preset: "tiny", Create: true, Sizes: []string{"train", "retrain", "search"},
				Redoes: []string{"train", "search", "retrain"}, Reads: pipeline.StageNames()}
			if a.opt.dryRun {
				return a.dryRun(cmd.Context(), q)
			}
			return a.inRun(cmd.Context(), q, func(ctx context.Context, r *pipeline.Run) error {
				res, err := r.All(ctx, func(s rundir.SearchSummary) {
					var b strings.Builder
					report.SearchText(&b, s)
					a.ui.Infof("%s", strings.TrimSuffix(b.String(), "\n"))
				})
				if err != nil {
					return err
				}
				return a.showResult(r.Folder, res)
			})
		},
	}
	a.opt.bindRun(cmd)
	a.opt.bindMemory(cmd)
	a.opt.bindSearch(cmd)
	return cmd
}

// noFolder refuses to continue where nothing says which run.
var noFolder = fault.Usage("name the folder: --resume --out DIR", "--resume without --out: which run?")

// showResult prints the result of a run.
func (a *app) showResult(d rundir.Folder, r rundir.Result) error {
	if a.opt.json {
		return a.ui.JSON(r)
	}
	var b strings.Builder
	report.ResultText(&b, d, r, pipeline.Tests(d))
	a.ui.Printf("%s", &b)
	return nil
}

// dryRun prints the configuration that would be used. What the stages would take is said
// on stderr, as far as the images can be opened.
func (a *app) dryRun(ctx context.Context, q pipeline.Request) error {
	if a.opt.memoryLimit > 0 {
		return fault.Usage("leave out one of them; a run with a limit writes what it chose to config.yaml", "--dry-run does not say what --memory-limit would choose")
	}
	q.Folder, q.Override = a.opt.out, a.opt.override
	q.Config, q.Resume = a.opt.request(), q.Resume || a.opt.resume
	trains := slices.Contains(q.Sizes, "train") || slices.Contains(q.Sizes, "retrain")
	v, err := pipeline.Look(ctx, pipeline.Process{UI: a.ui, Program: build(), Device: deviceFiles()}, q, trains && !a.opt.quiet)
	if err != nil {
		return err
	}
	for _, line := range v.Lines {
		a.ui.Infof("%s", line)
	}
	for _, f := range v.Forecasts {
		a.ui.Infof("%s", f)
	}
	if v.Unseen != nil {
		a.ui.Infof("ahead    memory and time are not known: %v", v.Unseen)
	}
	if a.opt.json {
		return a.ui.JSON(v.Config)
	}
	b, err := v.Config.YAML()
	if err != nil {
		return err
	}
	_, err = a.ui.Out.Write(b)
	return err
}
