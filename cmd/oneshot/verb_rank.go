package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
	"oneshot/internal/setting"
	"oneshot/internal/ui"
)

func (a *app) rankCmd() *cobra.Command {
	var spec pipeline.RankSpec
	var sampleSeed uint64
	cmd := &cobra.Command{
		Use: "rank", Short: "Say how well scores with inherited weights order networks whose truth is known", Args: noArgs,
		Long: "rank scores networks in the supernet of --out and compares the order of the scores with the truth, what\n" +
			"each network reaches when it is trained by itself. The truth is that of a table that others have made, or is\n" +
			"made here:\n\n" +
			"  rank --out DIR --table FILE [--sample N]   all networks of the table, or N drawn ones\n" +
			"  rank --out DIR --retrain K [--epochs E]    K networks drawn from the space, each retrained for E epochs\n" +
			"  rank --out DIR --archs FILE [--epochs E]   those that FILE names, a text a line\n\n" +
			"With --seeds N each is retrained N times, and the truth is the mean.\n\n" +
			"It prints Kendall's tau-b and Spearman's rho with 95 % intervals, for all networks and for the better half,\n" +
			"and what is left when multiply-adds are held; beside them what counts of multiply-adds and parameters give\n" +
			"by themselves, and how well one training of each network orders them as another one does, where several are\n" +
			"known. It warns where the scores are not shown to know more than a count. report.html has a picture.\n\n" +
			"A table names architectures by the texts of the run's space, with or without the name of the space. It is\n" +
			"an object of JSON, {\"ARCH\": 93.1} or {\"ARCH\": {\"test_acc\": [93.0, 93.2], \"params\": 1, \"flops\": 2}},\n" +
			"an object a line, {\"arch\": \"ARCH\", \"accuracy\": 0.931}, or CSV with columns arch and accuracy, or\n" +
			"accuracy_1, accuracy_2 and so on. Several accuracies are trainings from different seeds. They are percent\n" +
			"where any is above 1, else fractions. Networks that are equal are one, whose truth is the mean.\n\n" +
			"Scores and truths are kept in the folder rank of the run, so that nothing is computed twice, and a rank that\n" +
			"was stopped goes on. Only training and search images are used. If the training of the supernet was stopped,\n" +
			"it is finished first.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("sample-seed") {
				spec.SampleSeed = &sampleSeed
			}
			for _, flag := range []string{"sample", "retrain", "epochs", "steps", "seeds"} {
				if f := cmd.Flags().Lookup(flag); f.Changed && f.Value.String() == "0" {
					return fault.Usage("leave it out", "--%s is 0, want more", flag)
				}
			}
			if err := spec.Check(); err != nil {
				return err
			}
			q := pipeline.Request{Resume: true, Needs: spec.Needs(a.opt.override)}
			if a.opt.dryRun {
				return a.rankDryRun(cmd.Context(), q, &spec)
			}
			return a.inRun(cmd.Context(), q, func(ctx context.Context, r *pipeline.Run) error { return a.rankVerb(ctx, r, &spec) })
		},
	}
	a.opt.bindFolder(cmd)
	fs := cmd.Flags()
	fs.StringVar(&spec.Table, "table", "", "`file` with the truths of networks")
	wholeVar(fs, &spec.Sample, "sample", 0, "networks of the table that are drawn (default all); a larger sample holds a smaller one")
	fs.Var((*setting.Natural)(&sampleSeed), "sample-seed", "seed of what is drawn (default that of the run)")
	wholeVar(fs, &spec.Retrain, "retrain", 0, "networks that are drawn from the space and retrained")
	fs.StringVar(&spec.Archs, "archs", "", "`file` with the networks to retrain, a text a line")
	wholeVar(fs, &spec.Epochs, "epochs", 0, "passes over the training images of each (default retrain.epochs)")
	wholeVar(fs, &spec.Steps, "steps", 0, "steps of each, in place of passes (default retrain.steps)")
	wholeVar(fs, &spec.Seeds, "seeds", 0, "retrain each so many times, with seeds that count up: the truth is the mean, and the ceiling is known (default 1)")
	fs.BoolVar(&a.opt.dryRun, "dry-run", false, "say what would be computed and how long it takes, and stop")
	return cmd
}

type rankReport struct {
	Run string `json:"run"`
	rundir.Ranking
}

func (a *app) rankVerb(ctx context.Context, r *pipeline.Run, spec *pipeline.RankSpec) error {
	r.Announce()
	out, err := r.Rank(ctx, spec)
	if err != nil {
		return err
	}
	for _, w := range out.Warnings {
		a.ui.Warnf("%s", w)
	}
	if a.opt.json {
		out.Points = nil
		return a.ui.JSON(rankReport{r.Folder.Base(), out})
	}
	var b strings.Builder
	report.RankText(&b, out)
	a.ui.Printf("%s", &b)
	a.ui.Printf("files    %s: rank/rank.json, rank/scores.jsonl; `oneshot report %s` draws them\n", r.Folder, r.Folder.Arg())
	return nil
}

// rankDryRun says what rank would compute.
func (a *app) rankDryRun(ctx context.Context, q pipeline.Request, spec *pipeline.RankSpec) error {
	q.Folder, q.Override, q.Config = a.opt.out, a.opt.override, a.opt.request()
	v, err := pipeline.LookRank(ctx, pipeline.Process{UI: a.ui, Program: build(), Device: deviceFiles()}, q, spec, !a.opt.quiet)
	if err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(v)
	}
	done := ""
	if v.Trainings > 0 {
		done = fmt.Sprintf("; %d of %s are done", v.Trainings-v.TrainingsLeft, ui.Plural(v.Trainings, "training", "trainings"))
	}
	of := rundir.Ranking{Truths: v.Truths}
	of.N = v.Networks
	a.ui.Printf("truths   %s%s\n", report.Truths(of), done)
	for _, f := range v.Ahead {
		a.ui.Printf("%s\n", f)
	}
	a.ui.Printf("scores   %s\n", v.Scores())
	return nil
}
