package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) searchCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "search", Short: "Search the supernet of a run folder", Args: noArgs,
		Long: "search scores subnetworks of the supernet in --out and keeps the best. If the\n" +
			"training was stopped, it is finished first.",
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
				a.ui.printf("found    %s  (%s)\nsearch   %.2f %% with inherited weights, best of %d; random ones have %.2f %% on average\nnext     oneshot retrain --out %s\n",
					best.Arch, best.Hash, 100*best.Score, best.Samples, 100*best.RandomScore, j.dir.path)
				return nil
			})
		},
	}
	a.opt.bindRun(cmd)
	a.opt.keyFlag(cmd.Flags(), "samples", "n", "search.samples", "number", "subnetworks to score in all")
	return cmd
}

// searchFree: what only the search and later stages use may change until the
// search has started.
func searchFree(d *runDir, key string) bool {
	section, _, _ := strings.Cut(key, ".")
	return (section == "score" || section == "search") && !d.has("search", "samples.jsonl") || retrainFree(d, key)
}

// retrainFree is the same for the retraining.
func retrainFree(d *runDir, key string) bool {
	return strings.HasPrefix(key, "retrain.") && !d.has("retrain")
}
