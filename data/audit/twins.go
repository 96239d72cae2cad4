package audit

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"oneshot/data"
	"oneshot/data/source"
)

const (
	mostGroups = 100 // of twins in a report
	mostTwins  = 20  // records of a group
)

// prints are the fingerprints of records by number; zero for those that are bad. With the
// order that finds equal ones that is 12 bytes a record.
type prints []uint64

// equal returns the numbers of records whose fingerprint another one has, in runs of the
// same.
func (p prints) equal() (runs [][]int32) {
	order := make([]int32, 0, len(p))
	for i, v := range p {
		if v != 0 {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Or(cmp.Compare(p[a], p[b]), cmp.Compare(a, b)) })
	for first := 0; first < len(order); {
		end := first + 1
		for end < len(order) && p[order[end]] == p[order[first]] {
			end++
		}
		if end-first > 1 {
			runs = append(runs, order[first:end])
		}
		first = end
	}
	return runs
}

// twins are the numbers of records that show the same picture, ascending; groups stand in
// the order of their first record.
func twins(ctx context.Context, f *data.Files, o Options, at numbering, p prints) (groups [][]int32, err error) {
	o.Progress = nil // it is over soon
	runs := p.equal()
	var candidates []int32
	for _, r := range runs {
		candidates = append(candidates, r...)
	}
	digests := make([][16]byte, len(candidates))
	hashers := make([]hasher, o.workers(len(candidates)))
	err = each(ctx, f, o, len(candidates), func(w int, r *data.FileReader, k int) error {
		rec, err := r.Read(at.at(int(candidates[k])))
		var bad *source.Fault
		if errors.As(err, &bad) {
			return nil // it was good before: someone is changing the files
		}
		if err == nil {
			digests[k] = hashers[w].digest(rec.Image)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	k := 0
	for _, run := range runs {
		same := map[[16]byte][]int32{}
		for _, i := range run {
			same[digests[k]] = append(same[digests[k]], i)
			k++
		}
		for d, g := range same {
			if len(g) > 1 && d != [16]byte{} {
				groups = append(groups, g)
			}
		}
	}
	slices.SortFunc(groups, func(a, b []int32) int { return cmp.Compare(a[0], b[0]) })
	return groups, nil
}

// twinCount counts what groups of twins mean.
type twinCount struct {
	f          *data.Files
	at         numbering
	d          Duplicates
	across     Finding
	relabelled Finding
	within     []Finding // by split
	listed     int       // groups across splits that are in d.Groups
}

func countTwins(f *data.Files, at numbering, groups [][]int32) *twinCount {
	c := &twinCount{f: f, at: at, within: make([]Finding, len(f.Info.Splits))}
	c.d.Groups = []Twins{}
	for _, g := range groups {
		c.add(g)
	}
	return c
}

func (c *twinCount) add(g []int32) {
	bySplit := make([][]int32, len(c.within))
	labels := map[int32]bool{}
	splits, again := 0, false
	for _, i := range g {
		s, r := c.at.at(int(i))
		bySplit[s] = append(bySplit[s], i)
		labels[c.f.Info.Splits[s].Labels[r]] = true
	}
	var firsts []int32 // of every split
	for s, in := range bySplit {
		if len(in) > 0 {
			splits++
			firsts = append(firsts, in[0])
		}
		if len(in) > 1 {
			again = true
			c.note(&c.within[s], in)
		}
	}
	c.d.Pictures++
	c.d.Records += len(g)
	if again {
		c.d.Within++
	}
	if splits > 1 {
		c.d.Across++
		c.note(&c.across, firsts)
	}
	if len(labels) > 1 {
		c.d.Relabelled++
		c.note(&c.relabelled, g)
	}
	c.list(g, splits > 1)
}

// note counts a picture and names two of its records.
func (c *twinCount) note(f *Finding, records []int32) {
	f.Count++
	if len(f.Files) < mostNamed {
		f.Files = append(f.Files, where(c.f, c.at, records[0]).String(), where(c.f, c.at, records[1]).String())
	}
}

// list puts a group into the report, as long as there is room.
func (c *twinCount) list(g []int32, across bool) {
	if len(c.d.Groups) >= mostGroups && !(across && c.listed < mostGroups) {
		return
	}
	if across {
		c.listed++
	}
	t := Twins{Count: len(g), Across: across}
	for _, i := range g[:min(len(g), mostTwins)] {
		t.Records = append(t.Records, where(c.f, c.at, i))
	}
	c.d.Groups = append(c.d.Groups, t)
}

// where says where a record is.
func where(f *data.Files, at numbering, i int32) Record {
	s, r := at.at(int(i))
	split := f.Info.Splits[s]
	p := f.Where(s, r)
	return Record{File: source.Shown(p.File), Member: shownMember(p.Member), At: p.Offset, Split: split.Name, Class: f.Info.Classes[split.Labels[r]]}
}

func shownMember(name string) string {
	if name == "" {
		return ""
	}
	return source.Shown(name)
}
