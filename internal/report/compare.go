package report

import (
	"fmt"
	"slices"
	"strings"

	"oneshot/internal/ui"
)

// Compared is a run on the page that compares several.
type Compared struct {
	Name       string // no other has it
	Settings   map[string]string
	TestImages string // what tells the test images apart; "" where it is not known
	RunParts
}

// Compare is the page of several runs beside one another.
func Compare(runs []Compared) Page {
	page := Page{Title: fmt.Sprintf("%d runs compared", len(runs))}
	for _, r := range runs {
		page.Lines = append(page.Lines, r.Name)
	}
	for _, part := range []func([]Compared) *Section{compareResults, compareSettings, compareSearches, compareTrainings, compareNetworks} {
		if s := part(runs); s != nil {
			page.Sections = append(page.Sections, *s)
		}
	}
	return page
}

// compareResults has the figures of each run, and the differences to the first.
func compareResults(runs []Compared) *Section {
	s := &Section{Title: "Results"}
	t := Table{Title: "What each has found", Left: 3, Head: []string{"run", "state", "network", "test accuracy", "95 % interval", "over seeds", "score", "95 % interval", "random mean", "parameters", "multiply-adds"},
		Note: "Intervals are Wilson's. Scores are of weights inherited from a run's own supernet: those of two supernets do not compare. Over seeds are mean and deviation of several trainings, and how many."}
	for _, r := range runs {
		row := []string{r.Name, stateOf(r), "-", "-", "-", "-", "-", "-", "-", "-", "-"}
		if r.Arch != nil {
			row[2] = r.Arch.Hash
			if r.Arch.Params > 0 {
				row[9], row[10] = ui.Count(r.Arch.Params), ui.Count(r.Arch.MAdds)
			}
		}
		if r.Result != nil {
			e := Proportion(r.Result.TestTop1, r.Result.TestCount)
			row[3], row[4] = e.percent(), e.between()
			if s := r.Result.Retrain.Seeds; s != nil {
				row[5] = fmt.Sprintf("%s (%d)", spreadOf(s.Test), len(s.Runs))
			}
		}
		if r.Search != nil && len(r.Samples) > 0 {
			row[6], row[8] = Percent(r.Search.Score), Percent(r.Search.RandomScore)
			if by := r.Search.ScoreBy; by != "" {
				row[6] += " by " + by
			} else {
				e := Proportion(r.Search.Score, r.Samples[0].Images)
				row[6], row[7] = e.percent(), e.between()
			}
		}
		t.Rows = append(t.Rows, row)
		for _, st := range r.Stages {
			if st.State == "stale" {
				s.Warnings = append(s.Warnings, fmt.Sprintf("%s: stage %s is stale: %s. What it has found is left out.", r.Name, st.Name, st.Why))
			}
		}
		for _, f := range r.Faults {
			s.Warnings = append(s.Warnings, r.Name+": "+f)
		}
	}
	s.Tables = append(s.Tables, t)
	if d := differences(runs); len(d.Rows) > 0 {
		s.Tables = append(s.Tables, d)
	}
	return s
}

// stateOf are the stages of a run that are not fresh, in words.
func stateOf(r Compared) string {
	var parts []string
	for _, st := range r.Stages {
		if st.State != "fresh" {
			parts = append(parts, st.Name+" "+st.State)
		}
	}
	if len(parts) == 0 {
		return "complete"
	}
	return strings.Join(parts, ", ")
}

// differences are those of test accuracies to that of the first run that has one.
func differences(runs []Compared) Table {
	at := slices.IndexFunc(runs, func(r Compared) bool { return r.Result != nil })
	if at < 0 {
		return Table{}
	}
	first := runs[at]
	t := Table{Title: "Test accuracy against " + first.Name, Left: 1, Head: []string{"run", "difference", "95 % interval, points", "images"},
		Note: "Newcombe's interval (1998, method 10), as of different images; of the same ones the true interval is narrower. It is of the draw of the images: that of the training is told by retrain.seeds alone."}
	for _, r := range runs[at+1:] {
		if r.Result == nil {
			continue
		}
		if r.TestImages == "" || r.TestImages != first.TestImages {
			t.Rows = append(t.Rows, []string{r.Name, "-", "-", "not the same test images"})
			continue
		}
		d := Proportion(r.Result.TestTop1, r.Result.TestCount).Minus(Proportion(first.Result.TestTop1, first.Result.TestCount))
		t.Rows = append(t.Rows, []string{r.Name, d.points(), d.between(), "the same"})
	}
	return t
}

// compareSettings are the settings that differ.
func compareSettings(runs []Compared) *Section {
	t := Table{Head: []string{"setting"}, Left: len(runs) + 1}
	keys := map[string]bool{}
	for _, r := range runs {
		t.Head = append(t.Head, r.Name)
		for key := range r.Settings {
			keys[key] = true
		}
	}
	var all []string
	for key := range keys {
		all = append(all, key)
	}
	slices.Sort(all)
	for _, key := range all {
		row, differ := []string{key}, false
		for _, r := range runs {
			v := r.Settings[key]
			differ = differ || v != runs[0].Settings[key]
			if v == "" {
				v = "-"
			}
			row = append(row, v)
		}
		if differ {
			t.Rows = append(t.Rows, row)
		}
	}
	s := &Section{Title: "Settings that differ"}
	if len(t.Rows) == 0 {
		s.Lines = []string{"None."}
		return s
	}
	s.Tables = []Table{t}
	return s
}

// compareSearches lays the searches over one another.
func compareSearches(runs []Compared) *Section {
	best := Chart{Title: "Best score so far", X: "samples", Y: "score, percent"}
	mean := Chart{Title: fmt.Sprintf("Mean score of the last %d samples", meanWindow), X: "samples", Y: "score, percent"}
	for _, r := range runs {
		if r.Search == nil || len(r.Samples) == 0 {
			continue
		}
		name := r.Name + " (" + r.Search.Algo + ")"
		best.Series = append(best.Series, Series{Name: name, Y: BestSoFar(r.Samples), Steps: true})
		mean.Series = append(mean.Series, Series{Name: name, Y: movingMean(r.Samples)})
	}
	if len(best.Series) == 0 {
		return nil
	}
	return &Section{Title: "The searches", Charts: []Chart{best, mean}}
}

// compareTrainings lays the trainings over one another, those of one kind in one chart.
func compareTrainings(runs []Compared) *Section {
	s := &Section{Title: "The trainings"}
	var titles []string
	for _, r := range runs {
		for _, t := range r.Trainings {
			if !slices.Contains(titles, t.Title) {
				titles = append(titles, t.Title)
			}
		}
	}
	for _, title := range titles {
		loss := Chart{Title: title + ": loss", X: "steps", Y: "mean loss"}
		top1 := Chart{Title: title + ": accuracy on the images it trains on", X: "steps", Y: "percent"}
		for _, r := range runs {
			for _, t := range r.Trainings {
				if t.Title != title {
					continue
				}
				name := r.Name
				if t.From != "" {
					name += ", " + t.From
				}
				if t.Stale {
					name += " (stale)"
				}
				if len(t.Loss) > 1 {
					loss.Series = append(loss.Series, t.series(name, t.Loss))
				}
				if len(t.Top1) > 1 {
					top1.Series = append(top1.Series, t.series(name, percents(t.Top1)))
				}
			}
		}
		for _, c := range []Chart{loss, top1} {
			if len(c.Series) > 0 {
				s.Charts = append(s.Charts, c)
			}
		}
	}
	if len(s.Charts) == 0 {
		return nil
	}
	return s
}

// compareNetworks draws the networks one after another, and counts their operations.
func compareNetworks(runs []Compared) *Section {
	s := &Section{Title: "The networks"}
	uses := Table{Title: "Operations", Head: []string{"operation"}, Left: 1, Note: "Uses in the architecture."}
	var ops []string
	var with []Compared
	for _, r := range runs {
		for _, d := range r.Network {
			d.Title = r.Name + ": " + d.Title
			s.Drawings = append(s.Drawings, d)
		}
		if len(r.Uses) == 0 {
			continue
		}
		with = append(with, r)
		uses.Head = append(uses.Head, r.Name)
		for _, u := range r.Uses {
			if !slices.Contains(ops, u.Op) {
				ops = append(ops, u.Op)
			}
		}
	}
	for _, op := range ops {
		row := []string{op}
		for _, r := range with {
			n := 0
			for _, u := range r.Uses {
				if u.Op == op {
					n = u.N
				}
			}
			row = append(row, fmt.Sprint(n))
		}
		uses.Rows = append(uses.Rows, row)
	}
	if len(uses.Rows) > 0 {
		s.Tables = append(s.Tables, uses)
	}
	if len(s.Drawings) == 0 {
		return nil
	}
	return s
}
