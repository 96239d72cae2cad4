package main

import (
	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
)

func (a *app) reportCmd() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "report RUN [RUN...]", Short: "Write the page of a run, its curves as a table and for TensorBoard; or compare runs",
		Long: "report writes into the run folder, from what it holds: report.html, a page that needs nothing else and\n" +
			"can be sent to somebody; summary.csv, every figure of every step; and an event file for TensorBoard\n" +
			"(tensorboard --logdir RUN). A run that goes on meanwhile is shown as far as it has come.\n\n" +
			"With -o the page alone is written, to FILE. Of several runs it is a page that compares them: settings that\n" +
			"differ, results with intervals, curves of searches and trainings over one another, and the networks.",
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return fault.Usage("`oneshot serve runs` shows which there are", "report wants run folders")
			case len(args) > 1 && file == "":
				return fault.Usage("-o FILE says where; of one run alone the page lies in its folder", "report of %d runs compares them on one page, which is in none of their folders", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.report(args, file) },
	}
	cmd.Flags().StringVarP(&file, "out", "o", "", "write the page to `FILE`, which ends in .html")
	return cmd
}

// reportReport is of one run; Runs are those that a page compares.
type reportReport struct {
	Run   string   `json:"run,omitempty"`
	Runs  []string `json:"runs,omitempty"`
	Files []string `json:"files"`
}

func (a *app) report(runs []string, file string) (err error) {
	r := reportReport{Run: runs[0], Files: []string{file}}
	switch {
	case len(runs) > 1:
		r.Run, r.Runs = "", runs
		folders := make([]rundir.Folder, len(runs))
		for i, f := range runs {
			folders[i] = rundir.Folder(f)
		}
		err = pipeline.WriteComparison(folders, file)
	case file != "":
		err = pipeline.WriteRunPage(rundir.Folder(runs[0]), file)
	default:
		r.Files, err = pipeline.WriteReport(rundir.Folder(runs[0]))
	}
	if err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.JSON(r)
	}
	for _, p := range r.Files {
		a.ui.Printf("report   %s\n", p)
	}
	return nil
}
