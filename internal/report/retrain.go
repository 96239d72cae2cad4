package report

import (
	"fmt"
	"io"

	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// RetrainText writes what a retraining began with, and how it repeats.
func RetrainText(w io.Writer, r rundir.RetrainSummary) {
	if r.Start != nil {
		fmt.Fprintf(w, "start    %s\n", r.Start)
	}
	if r.Teacher != nil {
		fmt.Fprintf(w, "teacher  %s (sha256 %.12s)\n", r.Teacher.File, r.Teacher.SHA256)
	}
	if r.TrainedOnSearch {
		fmt.Fprintf(w, "check    none: the network was trained on the search images too\n")
	}
	if r.Seeds != nil {
		SeedsText(w, *r.Seeds)
	}
	if r.Top != nil {
		TopText(w, *r.Top)
	}
}

// SeedsText writes how trainings that differ in their seed came out.
func SeedsText(w io.Writer, s rundir.Seeds) {
	search := ""
	if s.Search != nil {
		search = "; " + spreadOf(*s.Search) + " on the search images"
	}
	fmt.Fprintf(w, "seeds    %s on the test images%s; mean and deviation of %s\n", spreadOf(s.Test), search, ui.Plural(len(s.Runs), "training", "trainings"))
	for _, r := range s.Runs {
		check := ""
		if r.SearchTop1 != nil {
			check = fmt.Sprintf(", %.2f %% on the search images", 100**r.SearchTop1)
		}
		fmt.Fprintf(w, "         seed %d: %.2f %%%s, loss %s  (%s)\n", r.Seed, 100*r.TestTop1, check, Loss(r.Loss), r.Weights)
	}
}

// spreadOf is "91.20 +- 0.31 %".
func spreadOf(s rundir.Spread) string {
	if s.Deviation == nil {
		return fmt.Sprintf("%.2f %%", 100*s.Mean)
	}
	return fmt.Sprintf("%.2f +- %.2f %%", 100*s.Mean, 100**s.Deviation)
}

// Seeds is retrain/report.html: an architecture trained several times. losses has the
// course of the loss of each training, in as many parts.
func Seeds(run string, s rundir.Seeds, losses [][]float64) Page {
	t := Table{Title: "The trainings", Left: 1, Head: []string{"seed", "test", "search", "loss"},
		Note: "Each network is that after its last step; it was tested once. Deviation is the unbiased standard deviation."}
	row := func(name string, test rundir.Spread, search *rundir.Spread, loss string) {
		check := "-"
		if search != nil {
			check = spreadOf(*search)
		}
		t.Rows = append(t.Rows, []string{name, spreadOf(test), check, loss})
	}
	for _, r := range s.Runs {
		var search *rundir.Spread
		if r.SearchTop1 != nil {
			search = &rundir.Spread{Mean: *r.SearchTop1}
		}
		row(fmt.Sprint(r.Seed), rundir.Spread{Mean: r.TestTop1}, search, Loss(r.Loss))
	}
	row("all", s.Test, s.Search, "")
	c := Chart{Title: "Training loss", X: "parts of the training", Y: "mean loss"}
	for i, y := range losses {
		c.Series = append(c.Series, Series{Name: fmt.Sprintf("seed %d", s.Runs[i].Seed), Y: y})
	}
	return Page{Title: "Retraining of " + run, Lines: []string{s.Arch}, Sections: []Section{{Tables: []Table{t}, Charts: []Chart{c}}}}
}
