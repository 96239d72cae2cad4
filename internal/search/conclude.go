package search

import (
	"math/big"

	"oneshot/internal/report"
	"oneshot/internal/rundir"
	"oneshot/lanas"
)

// conclude writes what the samples say: tree.json, report.html and, last, as it
// means that the search is done, best.json.
func (s *Stage) conclude(sum rundir.SearchSummary, t *trail, others [][]rundir.Sample) (rundir.SearchSummary, error) {
	tree := t.search.tree()
	regions := report.Regions(tree, s.plan.Space.Feature)
	sum.Tree = report.Summary(regions)
	b, err := rundir.Indented(rundir.Tree{Schema: rundir.TreeSchema, Algo: sum.Algo, Samples: sum.Samples, Regions: regions})
	if err != nil {
		return sum, err
	}
	if _, err := s.folder.Update(b, "search", "tree.json"); err != nil {
		return sum, err
	}
	if b, err = report.Search(s.folder.Base(), sum, t.lines, others, s.tree(tree)).Render(); err != nil {
		return sum, err
	}
	if _, err := s.folder.Update(b, "search", "report.html"); err != nil {
		return sum, err
	}
	if b, err = rundir.Indented(sum); err != nil {
		return sum, err
	}
	had := s.folder.Has("search", "best.json")
	changed, err := s.folder.Update(b, "search", "best.json")
	if err == nil && had && changed && s.wrote == 0 {
		// The samples are the truth; the file is only their summary.
		s.ui.Warnf("%s did not agree with the samples: written again", s.folder.File("search", "best.json"))
	}
	return sum, err
}

// tree is the tree of a search as its page shows it.
func (s *Stage) tree(regions []lanas.Region) report.Tree {
	size, _ := new(big.Float).SetInt(s.plan.Space.Size()).Float64()
	if s.plan.Limited() {
		size = 0 // shares are of the part below the ceilings
	}
	return report.SearchTree(regions, s.plan.Space.Feature, size)
}
