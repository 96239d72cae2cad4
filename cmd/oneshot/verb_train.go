package main

import (
	"context"

	"github.com/spf13/cobra"

	"oneshot/internal/pipeline"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
)

func (a *app) trainCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "train", Short: "Train the supernet only", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.opt.resume && a.opt.out == "" {
				return noFolder
			}
			q := pipeline.Request{Preset: "tiny", Create: true, Sizes: []string{"train"}, Redoes: []string{"train"}, Reads: []string{"train"}}
			if a.opt.dryRun {
				return a.dryRun(cmd.Context(), q)
			}
			return a.inRun(cmd.Context(), q, func(ctx context.Context, r *pipeline.Run) error {
				r.Announce()
				if _, err := r.Train(ctx); err != nil {
					return err
				}
				s, err := r.TrainSummary()
				if err != nil {
					return err
				}
				if a.opt.json {
					return a.ui.JSON(struct {
						Run      string              `json:"run"`
						Supernet rundir.TrainSummary `json:"supernet"`
					}{r.Folder.Base(), s})
				}
				a.ui.Printf("supernet %d steps, loss %s\nfiles    %s: supernet/\n", s.Steps, report.Loss(s.Loss), r.Folder)
				return a.showNext(r.Folder)
			})
		},
	}
	a.opt.bindRun(cmd)
	a.opt.bindMemory(cmd)
	a.opt.bindSGD(cmd, "train")
	return cmd
}
