package data

import (
	"fmt"
	"slices"
	"strings"

	"oneshot/data/source"
)

// describe says which split is used for what.
func (o *opening) describe(d *Dataset) string {
	name := func(i int) string {
		if n := o.info.Splits[i].Name; n != "" {
			return "split " + n
		}
		if len(o.info.Splits) > 1 {
			return "the split without a name"
		}
		return "the only split"
	}
	parts := []string{fmt.Sprintf("train %d from %s", d.Train.Len(), name(o.roles.Train))}
	part := func(role string, n, from int) {
		if from >= 0 {
			parts = append(parts, fmt.Sprintf("%s %d from %s", role, n, name(from)))
			return
		}
		how := "drawn from %s by class"
		if o.c.Untrained {
			how = "all of %s"
		}
		parts = append(parts, fmt.Sprintf("%s %d "+how, role, n, name(o.roles.Train)))
	}
	if !o.c.Untrained {
		part("search", d.Search.Len(), o.roles.Search)
	}
	part("test", d.Test.Len(), o.roles.Test)
	for i, s := range o.info.Splits {
		if i != o.roles.Train && i != o.roles.Search && i != o.roles.Test {
			parts = append(parts, fmt.Sprintf("%s (%d) is not used", name(i), len(s.Labels)))
		}
	}
	return strings.Join(parts, "; ")
}

// Uneven is how many times more training images than the smallest class the largest one has
// before that is worth a word.
const Uneven = 10

// coverage warns about classes that are missing in a split, or very uneven.
func coverage(d *Dataset) (notes []string) {
	counts := d.ClassCounts()
	for k, name := range []string{"train", "search", "test"} {
		var none []string
		for c, n := range counts[k] {
			if n == 0 {
				none = append(none, d.Classes[c])
			}
		}
		if len(none) > 0 {
			notes = append(notes, fmt.Sprintf("no %s images of %s", name, source.Counted(none, "class", "classes")))
		}
	}
	most, least := slices.Max(counts[0]), slices.Min(counts[0])
	if most >= Uneven*max(1, least) {
		notes = append(notes, fmt.Sprintf("classes are very uneven: %s has %d training images, %s has %d",
			d.Classes[slices.Index(counts[0], most)], most, d.Classes[slices.Index(counts[0], least)], least))
	}
	return notes
}

// ClassCounts are the images of train, search and test, each by class.
func (d *Dataset) ClassCounts() (counts [3][]int) {
	for k, s := range []*split{&d.Train.train, &d.Search.search, &d.Test.test} {
		counts[k] = make([]int, len(d.Classes))
		for _, i := range s.img.good(s.idx) {
			counts[k][s.img.y[i]]++
		}
	}
	return counts
}
