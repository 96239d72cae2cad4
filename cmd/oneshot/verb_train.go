package main

import (
	"context"

	"github.com/spf13/cobra"
)

func (a *app) trainCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "train", Short: "Train the supernet only", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.opt.dryRun {
				return a.dryRun("tiny")
			}
			return a.inJob(cmd.Context(), jobOptions{preset: "tiny", create: true, trains: []string{"train"}, limit: a.opt.memoryLimit}, func(ctx context.Context, j *job) error {
				j.announce()
				if _, err := j.train(ctx); err != nil {
					return err
				}
				s, err := j.trainSummary()
				if err != nil {
					return err
				}
				if a.opt.json {
					return a.ui.json(struct {
						Run      string       `json:"run"`
						Supernet trainSummary `json:"supernet"`
					}{j.dir.base(), s})
				}
				a.ui.printf("supernet %d steps, loss %.4f\nfiles    %s: supernet/\nnext     oneshot search --out %s\n", s.Steps, s.Loss, j.dir.path, j.dir.path)
				return nil
			})
		},
	}
	a.opt.bindRun(cmd)
	a.opt.bindMemory(cmd)
	a.opt.bindSGD(cmd, "train")
	return cmd
}
