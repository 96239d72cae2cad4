package report

import (
	"cmp"
	"fmt"
	"slices"

	"oneshot/internal/rundir"
)

// classes are the test images by class, with intervals.
func classes(p RunParts) *Section {
	if p.Result == nil || len(p.Result.Classes) == 0 {
		return nil
	}
	t := Table{Head: []string{"class", "right", "of", "share", "95 % interval"}, Left: 1, Note: "Test images. Intervals are Wilson's."}
	for _, c := range p.Result.Classes {
		share, between := "-", "-"
		if c.Images > 0 {
			e := Proportion(rate(c), c.Images)
			share, between = e.percent(), e.between()+" %"
		}
		t.Rows = append(t.Rows, []string{c.Name, fmt.Sprint(c.Right), fmt.Sprint(c.Images), share, between})
	}
	return &Section{Title: "By class", Tables: []Table{t}}
}

// class is the name of a class.
func (p RunParts) class(i int) string {
	if i >= 0 && i < len(p.Result.Classes) {
		return p.Result.Classes[i].Name
	}
	return fmt.Sprint("class ", i)
}

// mostPairs is how many pairs the table of confusions has.
const mostPairs = 15

// confusion is who was taken for whom.
func confusion(p RunParts) *Section {
	if p.Result == nil {
		return nil
	}
	s := &Section{Title: "What is taken for what"}
	if p.Seen == nil {
		s.Lines = []string{"The figures are not there: " + rundir.SeenFile + " is missing, as in a run of an earlier version. The test images are not looked at again for it."}
		return s
	}
	pairs := slices.Clone(p.Seen.Confused)
	if k := len(p.Seen.Confusion); k > 0 {
		h := Heat{Title: "Test images by class", Row: "what they are", Column: "what they were taken for", Counts: p.Seen.Confusion}
		for i := range k {
			h.Names = append(h.Names, p.class(i))
		}
		s.Heats = append(s.Heats, h)
		s.Lines = append(s.Lines, "A row has the images of a class, a column those that were taken for one; right ones lie on the diagonal. The stronger the colour of a cell, the larger its share of the row.")
		for y, row := range p.Seen.Confusion {
			for x, n := range row {
				if x != y && n > 0 {
					pairs = append(pairs, rundir.Confused{Label: y, Guess: x, Images: n})
				}
			}
		}
		slices.SortStableFunc(pairs, func(a, b rundir.Confused) int { return cmp.Compare(b.Images, a.Images) })
	} else {
		s.Lines = append(s.Lines, fmt.Sprintf("There are more than %d classes, so only the pairs that are confused most often were kept.", rundir.MostConfusion))
	}
	t := Table{Title: "Most often confused", Head: []string{"class", "taken for", "images", "of"}, Left: 2}
	for _, c := range pairs[:min(len(pairs), mostPairs)] {
		of := "-"
		if c.Label >= 0 && c.Label < len(p.Result.Classes) {
			of = fmt.Sprint(p.Result.Classes[c.Label].Images)
		}
		t.Rows = append(t.Rows, []string{p.class(c.Label), p.class(c.Guess), fmt.Sprint(c.Images), of})
	}
	if len(t.Rows) > 0 {
		s.Tables = append(s.Tables, t)
	}
	return s
}

// examples are test images right and wrong.
func examples(p RunParts) *Section {
	if p.Result == nil || p.Seen == nil {
		return nil
	}
	shown := func(title, note string, of []rundir.Example) Pictures {
		out := Pictures{Title: title, Note: note}
		for _, e := range of {
			sure := fmt.Sprintf("%.1f %%", 100*e.Probability)
			is := p.class(e.Label)
			if e.Guess != e.Label {
				is += ", taken for " + p.class(e.Guess)
			}
			out.All = append(out.All, Picture{Side: e.Side, RGB: e.RGB, Caption: []string{is, sure}, Alt: fmt.Sprintf("test image %d: %s", e.Image, is)})
		}
		return out
	}
	s := &Section{Title: "Example images", Lines: []string{"Test images as the network sees them, chosen by the probability that it gives its answer."}}
	if len(p.Seen.Right) > 0 {
		s.Pictures = append(s.Pictures, shown("Right", "First those that it is surest of, then those that it is least sure of.", p.Seen.Right))
	}
	if len(p.Seen.Wrong) > 0 {
		s.Pictures = append(s.Pictures, shown("Wrong", "Those that it is surest of.", p.Seen.Wrong))
	}
	return s
}
