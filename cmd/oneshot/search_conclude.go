package main

import (
	"bytes"
	"encoding/json"
	"os"

	"oneshot/internal/atomicfile"
)

// conclude writes what the samples say: tree.json, report.html and, last, as it
// means that the search is done, best.json.
func (s *searchStage) conclude(sum searchSummary, t *trail, others [][]sampleLine) (searchSummary, error) {
	j := s.j
	tree := t.search.tree()
	regions := describeTree(tree, j.space.Feature)
	sum.Tree = summariseTree(regions)
	b, err := indented(treeFile{treeSchema, sum.Algo, sum.Samples, regions})
	if err != nil {
		return sum, err
	}
	if _, err := j.dir.update(b, "search", "tree.json"); err != nil {
		return sum, err
	}
	if b, err = sum.page(j.dir.base(), t.lines, others, j.tree(tree)).render(); err != nil {
		return sum, err
	}
	if _, err := j.dir.update(b, "search", "report.html"); err != nil {
		return sum, err
	}
	if b, err = indented(sum); err != nil {
		return sum, err
	}
	had := j.dir.has("search", "best.json")
	changed, err := j.dir.update(b, "search", "best.json")
	if err == nil && had && changed && s.wrote == 0 {
		// The samples are the truth; the file is only their summary.
		j.ui.warnf("%s did not agree with the samples: written again", j.dir.file("search", "best.json"))
	}
	j.searched = s.wrote > 0
	return sum, err
}

func indented(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}

// update writes a file unless it has these bytes already.
func (d *runDir) update(b []byte, parts ...string) (changed bool, err error) {
	path := d.file(parts...)
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, b) {
		return false, nil
	}
	return true, atomicfile.WriteFile(path, b, 0o644)
}
