package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/pipeline"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
)

func (a *app) searchCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "search", Short: "Search the supernet of a run folder", Args: noArgs,
		Long: "search scores subnetworks of the supernet in --out, scores the best of them again and\n" +
			"keeps the winner. It ends with the best, the Pareto front of score against\n" +
			"multiply-adds, the tree in words, and --baselines at equal budget; report.html in\n" +
			"the folder search draws them. If the training was stopped, it is finished first.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := pipeline.Request{Resume: true, Sizes: []string{"search"}, Frees: []string{"search", "retrain"}, Redoes: []string{"search"}, Reads: []string{"train", "search"}}
			if a.opt.dryRun {
				q.Preset = "tiny"
				return a.dryRun(cmd.Context(), q)
			}
			return a.inRun(cmd.Context(), q, func(ctx context.Context, r *pipeline.Run) error {
				r.Announce()
				best, _, err := r.Find(ctx)
				if err != nil {
					return err
				}
				if a.opt.json {
					return a.ui.JSON(struct {
						Run    string               `json:"run"`
						Search rundir.SearchSummary `json:"search"`
					}{r.Folder.Base(), best})
				}
				var b strings.Builder
				fmt.Fprintf(&b, "found    %s  (%s)\nsearch   %s\n", best.Arch, best.Hash, report.Headline(best))
				report.SearchText(&b, best)
				a.ui.Printf("%s", &b)
				return a.showNext(r.Folder)
			})
		},
	}
	a.opt.bindStage(cmd)
	a.opt.bindSearch(cmd)
	return cmd
}
