package main

import (
	"context"
	"fmt"
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
				return fault.Usage("name the folder: --resume --out DIR", "--resume without --out: which run?")
			}
			if a.opt.dryRun && a.opt.memoryLimit > 0 {
				return fault.Usage("a run with a limit writes what it chose to config.yaml", "--dry-run opens no data, so it cannot say what --memory-limit would choose")
			}
			if a.opt.dryRun {
				return a.dryRun("tiny")
			}
			q := pipeline.Request{Preset: "tiny", Create: true, Sizes: []string{"train", "retrain", "search"}}
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

// showResult prints the result of a run.
func (a *app) showResult(d rundir.Folder, r rundir.Result) error {
	if a.opt.json {
		return a.ui.JSON(r)
	}
	var b strings.Builder
	report.ResultText(&b, d, r)
	_, err := fmt.Fprint(a.ui.Out, b.String())
	return err
}

// dryRun prints the configuration that would be used.
func (a *app) dryRun(preset string) error {
	c, err := a.opt.resolve(preset)
	if err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(c)
	}
	b, err := c.YAML()
	if err != nil {
		return err
	}
	_, err = a.ui.Out.Write(b)
	return err
}
