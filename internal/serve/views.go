package serve

import (
	"fmt"
	"html/template"
	"strings"

	"oneshot/internal/plan"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
	"oneshot/internal/serve/choices"
	"oneshot/internal/ui"
	"oneshot/lanas"
)

// stateView is the head of the page: what goes on, in one look.
type stateView struct {
	State   state
	Stage   string
	Done    int
	Total   int
	Left    string
	Doing   string
	Figures []figure
	Changed string
	Problem string
	Stop    string // what became of a request to stop
}

// figure is a name with a value; Key is by what the script finds it.
type figure struct{ Key, Name, Value string }

func (x *run) stateView() stateView {
	v := stateView{State: x.state(), Stage: x.stage, Doing: x.doing(), Stop: x.request.text}
	if m, ok := x.latest[x.stage]; ok {
		v.Done, v.Total, v.Left = m.Step, x.total(x.stage), x.left(x.stage)
		for _, f := range []struct {
			key, name string
			v         *float64
			format    string
		}{{"loss", "loss", m.Loss, "%.4f"}, {"lr", "learning rate", m.LR, "%.4g"}} {
			if f.v != nil {
				v.Figures = append(v.Figures, figure{f.key, f.name, fmt.Sprintf(f.format, *f.v)})
			}
		}
	}
	if i := x.bestLine(); i >= 0 {
		v.Figures = append(v.Figures, figure{"best", "best score", report.Percent(x.lines[i].Score)})
	}
	if r := x.results.result; r != nil {
		v.Figures = append(v.Figures, figure{"test", "test accuracy", report.Percent(r.TestTop1)})
	}
	if !x.changed.IsZero() {
		v.Changed = x.changed.Format("2006-01-02 15:04:05")
	}
	switch {
	case x.wrong != nil:
		v.Problem = x.wrong.Error()
	case x.results.wrong != nil:
		v.Problem = "the stages cannot be told: " + x.results.wrong.Error()
	case x.results.stale("search"):
		v.Problem = "the search is stale: what it has found is left out"
	case x.results.stale("test"):
		v.Problem = "the result is stale: it is left out"
	}
	return v
}

// bestLine is the sample of the highest score, the first of equal ones; -1 where none has a score, or where the scores are
// of another supernet than is there now.
func (x *run) bestLine() int {
	best := -1
	if x.results.stale("search") {
		return best
	}
	for i, l := range x.lines {
		if l.Failed == "" && (best < 0 || l.Score > x.lines[best].Score) {
			best = i
		}
	}
	return best
}

// foundView is what the search has found, as far as it has come.
type foundView struct {
	Arch *rundir.Arch
	Rows [][2]string
}

func (x *run) foundView() foundView {
	var v foundView
	row := func(name, value string) { v.Rows = append(v.Rows, [2]string{name, value}) }
	switch best, i := x.results.best, x.bestLine(); {
	case best != nil:
		v.Arch = &rundir.Arch{Hash: best.Hash, Text: best.Arch, Params: best.Params, MAdds: best.MAdds}
		row("score", report.Percent(best.Score)+fmt.Sprintf(", the best of %d", best.Samples))
		if best.RecheckScore != nil {
			row("scored again, on all search images", report.Percent(*best.RecheckScore))
		}
		row("random networks", report.Percent(best.RandomScore)+" on average")
		for _, b := range best.Baselines {
			row(b.Algo+" at equal budget", report.Percent(b.BestScore))
		}
	case i >= 0:
		l := x.lines[i]
		v.Arch = &rundir.Arch{Hash: l.Hash, Text: l.Arch, Params: l.Params, MAdds: l.MAdds}
		row("score so far", report.Percent(l.Score)+fmt.Sprintf(", the best of %d", len(x.lines)))
	}
	if r := x.results.result; r != nil {
		row("test accuracy", fmt.Sprintf("%s of %d images", report.Percent(r.TestTop1), r.TestCount))
	}
	if v.Arch != nil {
		row("retrained network", ui.Count(v.Arch.Params)+" parameters, "+ui.Count(v.Arch.MAdds)+" multiply-adds")
	}
	return v
}

// curvesView are the trainings' curves.
func (x *run) curvesView() (out []template.HTML, err error) {
	for _, t := range []struct{ stage, name string }{{"train", "Supernet"}, {"retrain", "The network retrained"}} {
		for _, f := range []struct{ key, title, y string }{{"loss", "training loss", "loss"}, {"lr", "learning rate", "learning rate"}} {
			c := x.curves[t.stage+"/"+f.key]
			if c == nil || len(c.means) < 2 {
				continue
			}
			html, err := report.Chart{Title: t.name + ": " + f.title, X: "steps", Y: f.y, Each: c.per, Series: []report.Series{{Name: f.title, Y: c.means}}}.HTML()
			if err != nil {
				return nil, err
			}
			out = append(out, html)
		}
	}
	return out, nil
}

// searchView are the scores against samples and against cost.
type searchView struct {
	Charts []template.HTML
	Failed []rundir.Sample
	Others int // failed ones that are not listed
	N      int
}

// mostFailed are listed with their reasons, and mostDots are drawn beside the front.
const (
	mostFailed = 12
	mostDots   = 600
)

func (x *run) searchView() (v searchView, err error) {
	if v.N = len(x.lines); v.N == 0 || x.results.stale("search") {
		return searchView{}, nil
	}
	scores := make([]float64, v.N)
	for i, l := range x.lines {
		scores[i] = 100 * l.Score
		if l.Failed != "" {
			v.Failed = append(v.Failed, l)
		}
	}
	if n := len(v.Failed); n > mostFailed {
		v.Failed, v.Others = v.Failed[n-mostFailed:], n-mostFailed
	}
	chart := report.Chart{Title: "Best score so far", X: "samples", Y: "score, percent",
		Series: []report.Series{{Name: "best so far", Y: report.BestSoFar(x.lines), Steps: true}, {Name: "each sample", Y: scores}}}
	found := ""
	if best := x.results.best; best != nil {
		found = best.Hash
	}
	scatter := report.ScoreByMAdds(x.lines, found)
	scatter.Title += ", with the Pareto front"
	var dots []report.ScatterPoint
	every := max(1, v.N/mostDots)
	for i, p := range scatter.Points {
		if p.Front || p.Marked || i%every == 0 {
			dots = append(dots, p)
		}
	}
	scatter.Points = dots
	one, err := chart.HTML()
	if err != nil {
		return v, err
	}
	two, err := scatter.HTML()
	v.Charts = []template.HTML{one, two}
	return v, err
}

// choicesView is what single choices say of the score.
type choicesView struct {
	Drawings []choices.Parallel
	Ranked   []rankedChoice
	N        int
}

type rankedChoice struct {
	Name, Share, Best, Mean string
	Bar                     float64 // of 100
	N                       int
}

// mostChoices are listed.
const mostChoices = 16

func (x *run) choicesView() (v choicesView) {
	if x.space == nil || x.results.stale("search") {
		return v
	}
	var samples []choices.Sample
	for i, l := range x.lines {
		if code := x.code(i); code != nil {
			samples = append(samples, choices.Sample{Name: l.Hash, Code: code, Score: l.Score, Failed: l.Failed})
		}
	}
	ranked := choices.Rank(samples, choices.Of(samples, x.space.Dim(), x.space.Feature))
	v.N, v.Drawings = len(samples), choices.Draw(samples, ranked)
	for _, r := range ranked[:min(len(ranked), mostChoices)] {
		v.Ranked = append(v.Ranked, rankedChoice{r.Choice.Name, fmt.Sprintf("%.0f %%", 100*r.Share), r.Best, report.Percent(r.Mean), 100 * r.Share, r.N})
	}
	return v
}

// treeView is the tree that the search has grown, in words.
type treeView struct {
	HTML template.HTML
	N    int
	Live bool
}

func (x *run) treeView() (v treeView, err error) {
	regions, live, err := x.regions()
	if err != nil || len(regions) == 0 {
		return v, err
	}
	t := report.SearchTree(regions, func(i int) string { return strings.TrimSpace(x.space.Feature(i)) }, 0)
	t.Title = ""
	v.HTML, err = t.HTML()
	v.N, v.Live = len(x.lines), live
	return v, err
}

// regions are those of the search's tree: of its file once that is written, before that of the samples, which say all
// that the search knows (docs/decisions/runs.md). live says that it is the latter.
func (x *run) regions() (regions []lanas.Region, live bool, err error) {
	if x.space == nil || len(x.lines) == 0 || x.results.stale("search") {
		return nil, false, nil
	}
	if t := x.results.tree; t != nil && t.Samples == len(x.lines) {
		return report.StoredTree(*t).Regions, false, nil
	}
	p := plan.Plan{Config: *x.config, Space: x.space}
	p.Config.Search.MaxParams, p.Config.Search.MaxMAdds = 0, 0 // which decide what is drawn, not how it is divided
	within, err := p.SearchSpace()
	if err != nil {
		return nil, false, err
	}
	s, err := p.NewSearch(p.Config.Search.Algo, within)
	if err != nil {
		return nil, false, err
	}
	for i, l := range x.lines {
		if code := x.code(i); code != nil {
			if err := s.Tell(code, l.Score); err != nil {
				return nil, false, err
			}
		}
	}
	if t, ok := s.(interface{ Tree() []lanas.Region }); ok {
		return t.Tree(), true, nil
	}
	return nil, false, nil
}
