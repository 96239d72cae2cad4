package main

import (
	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
)

func (a *app) reportCmd() *cobra.Command {
	return &cobra.Command{
		Use: "report RUN...", Short: "Write the page of a run, its curves as a table and for TensorBoard",
		Long: "report writes into each run folder, from what it holds: report.html, a page that needs nothing else and\n" +
			"can be sent to somebody; summary.csv, every figure of every step; and an event file for TensorBoard\n" +
			"(tensorboard --logdir RUN). A run that goes on meanwhile is shown as far as it has come.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fault.Usage("", "report wants run folders")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.report(args) },
	}
}

type reportReport struct {
	Run   string   `json:"run"`
	Files []string `json:"files"`
}

func (a *app) report(folders []string) error {
	for _, f := range folders {
		paths, err := pipeline.WriteReport(rundir.Folder(f))
		if err != nil {
			return err
		}
		if a.opt.json {
			if err := a.ui.JSON(reportReport{Run: f, Files: paths}); err != nil {
				return err
			}
			continue
		}
		for _, p := range paths {
			a.ui.Printf("report   %s\n", p)
		}
	}
	return nil
}
