package audit

import (
	"context"
	"errors"
	"io"

	"oneshot/data"
	"oneshot/data/source"
)

// Stats is what Survey found.
type Stats struct {
	Collection
	// Train, Search and Test are the images that a run uses, in the order of Classes.
	Train  []int `json:"train"`
	Search []int `json:"search"`
	Test   []int `json:"test"`
	Image  int   `json:"image"` // side in pixels of what networks see
	// Mean and Std of R, G and B in [0,1] are what a run normalises by: of its training images
	// as networks see them, of 2,048 of them where they do not fit into memory, or what was
	// published about a known set.
	Mean [3]float32 `json:"mean"`
	Std  [3]float32 `json:"std"`
	Bad  int        `json:"bad"` // records that were met and left out; Verify looks at all
}

// headers is how many image files Survey looks into.
const headers = 4096

// Survey reads what a training needs to know, and the headers of at most 4,096 images, which
// are spread evenly. Errors are those of data.OpenContext, but bad records are only counted.
func Survey(ctx context.Context, f *data.Files, o Options) (*Stats, error) {
	roles, err := f.Roles()
	if err != nil {
		return nil, err
	}
	s := &Stats{Collection: describe(f, &roles)}
	for i, split := range f.Info.Splits {
		for _, y := range split.Labels {
			s.Splits[i].ByClass[y]++
		}
	}
	if err := s.look(ctx, f, Options{Workers: o.Workers}); err != nil {
		return nil, err
	}
	d, err := f.Dataset(ctx, o.Progress)
	if err != nil {
		return nil, err
	}
	s.SHA256, s.Provenance, s.Roles = d.SHA256, d.Provenance, d.Roles
	s.Notes = append(s.Notes[:0], d.Notes...)
	s.Image, s.Mean, s.Std, s.Bad = d.Image, d.Mean, d.Std, len(d.Bad())
	counts := d.ClassCounts()
	s.Train, s.Search, s.Test = counts[0], counts[1], counts[2]
	return s, nil
}

// look reads headers.
func (s *Stats) look(ctx context.Context, f *data.Files, o Options) error {
	at := number(f)
	n := min(at.all(), headers)
	tallies := make([]*tally, o.workers(n))
	for w := range tallies {
		tallies[w] = newTally(0, 0)
	}
	err := each(ctx, f, o, n, func(w int, r *data.FileReader, k int) error {
		rec, err := r.Header(at.at(k * at.all() / n))
		var bad *source.Fault
		if err == nil {
			tallies[w].look(rec.Header)
		} else if errors.As(err, &bad) {
			return nil
		}
		return err
	})
	for _, t := range tallies[1:] {
		tallies[0].add(t)
	}
	tallies[0].show(&s.Collection)
	return err
}

// Text writes the figures for people.
func (s *Stats) Text(w io.Writer) {
	s.head(w)
	if s.Looked < s.Images {
		line(w, "", "kinds and sizes are those of %d images", s.Looked)
	}
	line(w, "network", "sees %dx%d pixels, normalised by mean %.4f %.4f %.4f and deviation %.4f %.4f %.4f (R, G, B in [0,1])",
		s.Image, s.Image, s.Mean[0], s.Mean[1], s.Mean[2], s.Std[0], s.Std[1], s.Std[2])
	if s.Bad > 0 {
		line(w, "bad", "%s cannot be decoded; `oneshot data verify` lists them", plural(s.Bad, "record", "records"))
	}
	line(w, "files", "images by split of the files:")
	s.table(w)
	line(w, "run", "images by what a run uses them for:")
	table(w, s.Classes, []column{{"train", s.Train}, {"search", s.Search}, {"test", s.Test}})
}
