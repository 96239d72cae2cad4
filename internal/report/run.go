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
	Run        string
	Images     string // what they are
	Stages     []Stage
	Trainings  []Training
	Faults     []string // what is wrong with metrics.jsonl, in words
	Search     *rundir.SearchSummary
	Samples    []rundir.Sample
	Others     [][]rundir.Sample // of the baselines
	Operations []OpShare         // of the samples
	Tree       Tree
	Top        *rundir.Top     // several architectures that were retrained
	Rank       *rundir.Ranking // networks whose truth is known
	Result     *rundir.Result
	Tests      int          // how often networks of the folder were tested; 0 is not known
	Seen       *rundir.Seen // what the test saw
	Arch       *rundir.Arch
	Network    []Drawing // the network that was found
	Blocks     Table     // and its parts
	Uses       []Use
	Spent      []Spent
	Made       [][2]string // how it was made: names and values
	Commands   []string    // to make it again
}

// Stage is how far a stage has come, in words.
type Stage struct{ Name, State, Why string }

// Use is how often an operation stands in the architecture.
type Use struct {
	Op string
	N  int
}

// parts are the sections of the page of a run, in their order; one that returns nil is left out.
var parts = []func(RunParts) *Section{
	findings,
	quality,
	network,
	searched,
	regret,
	front,
	operations,
	trainings,
	top,
	ranking,
	classes,
	confusion,
	examples,
	spent,
	made,
}

// Run is report.html: the whole of a run on a page.
func Run(p RunParts) Page {
	page := Page{Title: "Run " + p.Run}
	if p.Result != nil {
		page.Lines = append(page.Lines, found(*p.Result))
	}
	if p.Images != "" {
		page.Lines = append(page.Lines, "Images: "+p.Images+".")
	}
	for _, part := range parts {
		if s := part(p); s != nil {
			page.Sections = append(page.Sections, *s)
		}
	}
	return page
}

// found is the result in a sentence.
func found(r rundir.Result) string {
	e := Proportion(r.TestTop1, r.TestCount)
	return fmt.Sprintf("%.2f %% of %d test images are classified right (95 %% interval %s %%, Wilson's), by a network of %s parameters and %s multiply-adds, trained %s.",
		100*r.TestTop1, r.TestCount, e.between(), ui.Count(r.Arch.Params), ui.Count(r.Arch.MAdds), StartOf(r.Retrain.Start))
}

// StartOf says what a training began with; nil are weights that were drawn.
func StartOf(s *rundir.Start) string {
	if s == nil {
		return "from scratch"
	}
	return "from " + s.String()
}

// findings are the figures that one looks for first.
func findings(p RunParts) *Section {
	s := &Section{Title: "What was found"}
	for _, st := range p.Stages {
		if st.State == "stale" {
			s.Warnings = append(s.Warnings, fmt.Sprintf("stage %s is stale: %s. What it has found is left out.", st.Name, st.Why))
		}
	}
	t := Table{Head: []string{"figure", "", "meaning"}, Left: 3}
	row := func(name, value, meaning string) { t.Rows = append(t.Rows, []string{name, value, meaning}) }
	if r := p.Result; r != nil {
		row("test accuracy", fmt.Sprintf("%.2f %%", 100*r.TestTop1), "of the retrained network, which saw the test images once, after its last step")
		if r.TestTop5 != nil {
			row("among the likeliest five", fmt.Sprintf("%.2f %%", 100**r.TestTop5), "likewise")
		}
		if p.Tests > 1 {
			row("test images looked at", ui.Plural(p.Tests, "time", "times"), "in this folder, by its log, for whatever networks it had")
		}
		if r.Retrain.SearchTop1 != nil {
			row("search images", fmt.Sprintf("%.2f %%", 100**r.Retrain.SearchTop1), "the retrained network on the images that chose it")
		}
		if r.Retrain.Seeds != nil {
			row("all seeds", spreadOf(r.Retrain.Seeds.Test), "mean and deviation on the test images")
		}
	}
	if b := p.Search; b != nil {
		row("score of the network found", Percent(b.Score), b.Hash+", "+ofLoss(b.ScoreBy)+"with weights inherited from the supernet")
		row("random networks", Percent(b.RandomScore), fmt.Sprintf("mean score of the %d that were drawn first", b.Random))
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

func network(p RunParts) *Section {
	if len(p.Network) == 0 {
		return nil
	}
	s := &Section{Title: "The network", Lines: []string{p.Arch.Text}, Drawings: p.Network}
	for _, st := range p.Stages {
		if st.State == "stale" && (st.Name == "search" || st.Name == "retrain") {
			s.Warnings = append(s.Warnings, fmt.Sprintf("this network is of the stage %s as it was: that is stale.", st.Name))
		}
	}
	if len(p.Uses) > 0 {
		t := Table{Title: "Operations", Head: []string{"operation", "uses in the architecture"}, Left: 1}
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

// searched is the page of the search as a part of this one; the costs of its samples are in front.
func searched(p RunParts) *Section {
	if p.Search == nil || len(p.Samples) == 0 {
		return nil
	}
	s := Search(p.Run, *p.Search, p.Samples, p.Others, p.Tree).Sections[0]
	s.Title, s.Scatters = "The search", nil
	return &s
}

// made is how the run was made, and the commands that make it again.
func made(p RunParts) *Section {
	s := &Section{Title: "How to make it again", Commands: p.Commands}
	if len(p.Made) > 0 {
		t := Table{Title: "How it was made", Head: []string{"what", ""}, Left: 2}
		for _, m := range p.Made {
			t.Rows = append(t.Rows, []string{m[0], m[1]})
		}
		s.Tables = append(s.Tables, t)
	}
	return s
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
