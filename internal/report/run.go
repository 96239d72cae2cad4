package report

import (
	"fmt"
	"math"
	"strings"

	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/lanas"
)

// RunParts is what a run folder holds of the page of a whole run; nil and empty parts are left out.
type RunParts struct {
	Run    string
	Stages []Stage
	// Curves of the trainings: the mean loss in each of as many parts.
	Train, Retrain []float64
	TrainSteps     int
	RetrainSteps   int
	Search         *rundir.SearchSummary
	Samples        []rundir.Sample
	Others         [][]rundir.Sample // of the baselines
	Tree           Tree
	Result         *rundir.Result
	Arch           *rundir.Arch
	Network        []Drawing // the network that was found
	Blocks         Table     // and its parts
	Uses           []Use
	Made           [][2]string // how to make it again: names and values
}

// Stage is how far a stage has come, in words.
type Stage struct{ Name, State, Why string }

// Use is how often an operation stands in both cells of the network.
type Use struct {
	Op string
	N  int
}

// Run is report.html: the whole of a run on a page.
func Run(p RunParts) Page {
	page := Page{Title: "Run " + p.Run}
	if p.Result != nil {
		page.Lines = append(page.Lines, found(*p.Result))
	}
	page.Sections = append(page.Sections, findings(p))
	if len(p.Network) > 0 {
		page.Sections = append(page.Sections, network(p))
	}
	if p.Search != nil && len(p.Samples) > 0 {
		s := Search(p.Run, *p.Search, p.Samples, p.Others, p.Tree).Sections[0]
		s.Title = "The search"
		page.Sections = append(page.Sections, s)
	}
	if curves := trainings(p); len(curves.Charts) > 0 {
		page.Sections = append(page.Sections, curves)
	}
	if p.Result != nil && len(p.Result.Classes) > 0 {
		page.Sections = append(page.Sections, classes(*p.Result))
	}
	made := Section{Title: "How it was made", Tables: []Table{{Head: []string{"what", ""}, Left: 2}}}
	for _, m := range p.Made {
		made.Tables[0].Rows = append(made.Tables[0].Rows, []string{m[0], m[1]})
	}
	page.Sections = append(page.Sections, made)
	return page
}

// found is the result in a sentence.
func found(r rundir.Result) string {
	lo, hi := interval(r.TestTop1, r.TestCount)
	return fmt.Sprintf("%.2f %% of %s test images are classified right (95 %% interval %.2f to %.2f %%), by a network of %s parameters and %s multiply-adds, trained from scratch.",
		100*r.TestTop1, ui.Count(int64(r.TestCount)), 100*lo, 100*hi, ui.Count(r.Arch.Params), ui.Count(r.Arch.MAdds))
}

// interval is Wilson's 95 % interval of a fraction of n (Wilson 1927): it says how far another draw of as many test
// images may lead.
func interval(p float64, n int) (lo, hi float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959964
	k := float64(n)
	middle := (p + z*z/(2*k)) / (1 + z*z/k)
	half := z / (1 + z*z/k) * math.Sqrt(p*(1-p)/k+z*z/(4*k*k))
	return max(0, middle-half), min(1, middle+half)
}

// findings are the figures that one looks for first.
func findings(p RunParts) Section {
	s := Section{Title: "What was found"}
	t := Table{Head: []string{"figure", "", "meaning"}, Left: 3}
	row := func(name, value, meaning string) { t.Rows = append(t.Rows, []string{name, value, meaning}) }
	if r := p.Result; r != nil {
		row("test accuracy", fmt.Sprintf("%.2f %%", 100*r.TestTop1), "of the retrained network, which saw the test images once, after its last step")
		if r.TestTop5 != nil {
			row("among the likeliest five", fmt.Sprintf("%.2f %%", 100**r.TestTop5), "likewise")
		}
		if r.Retrain.SearchTop1 != nil {
			row("search images", fmt.Sprintf("%.2f %%", 100**r.Retrain.SearchTop1), "the retrained network on the images that chose it")
		}
		if r.Retrain.Seeds != nil {
			row("all seeds", spreadOf(r.Retrain.Seeds.Test), "mean and deviation on the test images")
		}
	}
	if b := p.Search; b != nil {
		row("score of the network found", scorePercent(b.Score), b.Hash+", with weights inherited from the supernet")
		row("random networks", scorePercent(b.RandomScore), fmt.Sprintf("mean score of the %d that were drawn first", b.Random))
		row("against random networks", fmt.Sprintf("%+.2f points", 100*(b.Score-b.RandomScore)), "what the search is worth, by the same scores")
		for _, o := range b.Baselines {
			row("against "+o.Algo, fmt.Sprintf("%+.2f points", 100*(b.HighestScore-o.BestScore)), fmt.Sprintf("best score against its best, %s each", ui.Plural(b.Samples, "sample", "samples")))
		}
	}
	if p.Arch != nil {
		size := ""
		if p.Arch.Params > 0 {
			size = ui.Count(p.Arch.Params) + " parameters, " + ui.Count(p.Arch.MAdds) + " multiply-adds"
		}
		if p.Search != nil && p.Search.Hash != p.Arch.Hash {
			size = strings.TrimPrefix(size+"; not the one that the search has found", "; ")
		}
		row("network retrained", p.Arch.Hash, size)
	}
	if len(t.Rows) > 0 {
		s.Tables = append(s.Tables, t)
	}
	stages := Table{Title: "Stages", Head: []string{"stage", "state", "why"}, Left: 3,
		Note: "fresh: complete and made of what is there now; partial: it goes on; stale: made of something else; none: not begun"}
	for _, st := range p.Stages {
		stages.Rows = append(stages.Rows, []string{st.Name, st.State, st.Why})
	}
	s.Tables = append(s.Tables, stages)
	return s
}

func network(p RunParts) Section {
	s := Section{Title: "The network", Lines: []string{p.Arch.Text}, Drawings: p.Network}
	if len(p.Uses) > 0 {
		t := Table{Title: "Operations", Head: []string{"operation", "uses in both cells"}, Left: 1}
		for _, u := range p.Uses {
			t.Rows = append(t.Rows, []string{u.Op, fmt.Sprint(u.N)})
		}
		s.Tables = append(s.Tables, t)
	}
	if len(p.Blocks.Rows) > 0 {
		s.Tables = append(s.Tables, p.Blocks)
	}
	return s
}

// trainings are the curves of both trainings.
func trainings(p RunParts) Section {
	s := Section{Title: "The trainings"}
	chart := func(title string, loss []float64, steps int) {
		if len(loss) > 1 {
			s.Charts = append(s.Charts, Chart{Title: title, X: fmt.Sprintf("parts of about %d steps", max(1, steps/len(loss))), Y: "mean loss", Series: []Series{{Name: "loss", Y: loss}}})
		}
	}
	chart("Supernet: a random path a step", p.Train, p.TrainSteps)
	chart("The network that was found, from scratch", p.Retrain, p.RetrainSteps)
	return s
}

// classes are the test images by class, with intervals.
func classes(r rundir.Result) Section {
	t := Table{Head: []string{"class", "right", "of", "share", "95 % interval"}, Left: 1, Note: "Test images. Intervals are Wilson's."}
	for _, c := range r.Classes {
		share := 0.0
		if c.Images > 0 {
			share = float64(c.Right) / float64(c.Images)
		}
		lo, hi := interval(share, c.Images)
		t.Rows = append(t.Rows, []string{c.Name, fmt.Sprint(c.Right), fmt.Sprint(c.Images), fmt.Sprintf("%.1f %%", 100*share), fmt.Sprintf("%.1f to %.1f %%", 100*lo, 100*hi)})
	}
	return Section{Title: "By class", Tables: []Table{t}}
}

// StoredTree is the tree of a search from its file, search/tree.json.
func StoredTree(t rundir.Tree) Tree {
	words := map[int]string{}
	value := func(v *float64) float64 {
		if v == nil {
			return math.NaN()
		}
		return *v
	}
	var regions []lanas.Region
	for _, r := range t.Regions {
		reg := lanas.Region{ID: r.ID, Parent: r.Parent, Depth: r.Depth, Good: r.Good, Leaf: r.Leaf, Threshold: r.Threshold,
			Samples: r.Samples, Visits: r.Visits, Mean: value(r.Mean), Best: value(r.Best), UCB: value(r.UCB), Share: r.Share}
		for _, term := range r.Terms {
			reg.Terms = append(reg.Terms, lanas.Term{Feature: term.Feature, Weight: term.Weight})
			words[term.Feature] = term.Words
		}
		regions = append(regions, reg)
	}
	return SearchTree(regions, func(i int) string { return strings.TrimSpace(words[i]) }, 0)
}
