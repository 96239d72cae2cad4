package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) searchCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "search", Short: "Search the supernet of a run folder", Args: noArgs,
		Long: "search scores subnetworks of the supernet in --out, scores the best of them again and\n" +
			"keeps the winner. It ends with the best, the Pareto front of score against\n" +
			"multiply-adds, the tree in words, and --baselines at equal budget; report.html in\n" +
			"the folder search draws them. If the training was stopped, it is finished first.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.opt.dryRun {
				return a.dryRun("tiny")
			}
			return a.inJob(cmd.Context(), jobOptions{cont: true, free: searchFree}, func(ctx context.Context, j *job) error {
				j.announce()
				best, _, err := j.findArch(ctx)
				if err != nil {
					return err
				}
				if a.opt.json {
					return a.ui.json(struct {
						Run    string        `json:"run"`
						Search searchSummary `json:"search"`
					}{j.dir.base(), best})
				}
				var b strings.Builder
				fmt.Fprintf(&b, "found    %s  (%s)\nsearch   %s\n", best.Arch, best.Hash, best.headline())
				best.table(&b)
				a.ui.printf("%snext     oneshot retrain --out %s\n", &b, j.dir.path)
				return nil
			})
		},
	}
	a.opt.bindRun(cmd)
	a.opt.bindSearch(cmd)
	return cmd
}

// searchFree: what only the search and later stages use may change until the
// search has started; which baselines it is compared with, at any time.
func searchFree(d *runDir, key string) bool {
	section, _, _ := strings.Cut(key, ".")
	return key == "search.baselines" || (section == "score" || section == "search") && !d.has("search", "samples.jsonl") || retrainFree(d, key)
}

// retrainFree is the same for the retraining.
func retrainFree(d *runDir, key string) bool {
	return strings.HasPrefix(key, "retrain.") && !d.has("retrain")
}
