package main

import (
	"context"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/measure"
	"oneshot/internal/pipeline"
	"oneshot/lanas"
)

func (a *app) benchSearchCmd() *cobra.Command {
	f := measure.Races{FirstSeed: 1}
	cmd := &cobra.Command{
		Use: "search", Short: "Race search algorithms on tables of known scores", Args: noArgs,
		Long: `search runs every algorithm of --algo on every --table, --seeds times each, and tells how
good its samples are. Nothing is trained: a table knows the score of every architecture.

A table is a file, either NAS-Bench-Macro's JSON or
  {"name": "mine", "choices": [5,5,3], "scores": {"0.1.2": 94.37, ...}}
with scores in percent by the candidates of each choice block, or generated, as in gen:nk
or gen:nk:7, where 7 is its seed (default 1):
` + measure.FamilyHelp() + `
Figures are medians over the seeds 1, 2, ... (--seed S: S, S+1, ...). best@N is the score of
the best of N samples, "last 100" the mean of the last 100 samples, "to top 0.1 %" the number
of samples until one is among the best thousandth of the table. Where scores are noisy the
algorithms see the noise, and the figures are the true scores of what they found: best@N is
that of the sample that looked best.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.opt.noSpace("search"); err != nil {
				return err
			}
			c, err := a.opt.resolve("")
			if err != nil {
				return err
			}
			for _, out := range []string{f.HTML, f.WriteTable} {
				if out == "" {
					continue
				}
				if err := pipeline.CheckOutput(out); err != nil {
					return err
				}
			}
			f.Threads = c.Run.ThreadCount()
			if cmd.Flags().Changed("seed") {
				f.FirstSeed = c.Seed
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			context.AfterFunc(ctx, stop) // a second signal ends the process
			if err := f.Run(ctx, a.ui, a.opt.json); ctx.Err() == nil {
				return err
			}
			return fault.ErrStopped
		},
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&f.Tables, "table", nil, "table `FILE` or gen:FAMILY[:SEED] (repeatable)")
	fs.StringSliceVar(&f.Algos, "algo", []string{"all"}, "algorithms, joined by commas: "+strings.Join(lanas.Algorithms(), ", ")+"; all of these, or ablations")
	wholeVar(fs, &f.Budget, "budget", 300, "samples of a search")
	wholeVar(fs, &f.Seeds, "seeds", 20, "searches of each algorithm")
	wholeVar(fs, &f.Batch, "batch", 1, "architectures asked for before their scores are told")
	fs.Float64Var(&f.LimitParams, "limit-params", 0, "most weights of an architecture, where the table knows; 0 for any")
	fs.Float64Var(&f.LimitFlops, "limit-flops", 0, "most multiply-adds of an architecture, where the table knows; 0 for any")
	fs.StringVar(&f.HTML, "html", "", "write a page with the curves and the final tree to `FILE`")
	fs.StringVar(&f.WriteTable, "write-table", "", "write the table to `FILE` and run nothing")
	return cmd
}
