package tars

import (
	"fmt"
	"io"
	"os"
	"slices"

	"oneshot/data/source"
	"oneshot/data/source/index"
)

// archives is a source whose records are ranges of bytes in files.
type archives struct {
	list *index.Listing
	root string
	pool *index.Pool
}

// NewSource returns a source of the records of l, which lie in archives: each of l.Files has
// a stamp, and is only read while it holds.
func NewSource(l *index.Listing, root string) (source.Source, error) {
	a, err := newSource(l, root, index.MaxOpen)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func newSource(l *index.Listing, root string, limit int) (*archives, error) {
	byPath := map[string]index.Stamp{}
	for _, s := range l.Stamps {
		byPath[s.Path] = s
	}
	stamps := make([]index.Stamp, len(l.Files))
	for i, f := range l.Files {
		s, ok := byPath[f]
		if !ok || s.Dir {
			return nil, fmt.Errorf("data: %s: the list of records has no stamp of it", index.Join(root, f))
		}
		stamps[i] = s
	}
	return &archives{list: l, root: root, pool: index.NewPool(root, stamps, limit)}, nil
}

func (a *archives) Info() *source.Info { return &a.list.Info }

func (a *archives) Where(split, record int) source.Place {
	r, err := a.list.Record(split, record)
	if err != nil {
		return source.Place{}
	}
	return a.place(r)
}

func (a *archives) place(r index.Record) source.Place {
	return source.Place{File: source.Shown(index.Join(a.root, a.list.Files[r.File])), Offset: r.Offset, Member: source.Shown(r.Name)}
}

// Read implements source.Source. Where an archive is not what was listed the error is an
// *index.ChangedError; an empty record and one that is too large are a *source.Fault.
func (a *archives) Read(split, record int, buf []byte) ([]byte, error) {
	r, err := a.list.Record(split, record)
	if err != nil {
		return nil, err
	}
	switch {
	case r.Size == 0:
		return nil, &source.Fault{Place: a.place(r), Msg: "is empty"}
	case r.Size > index.MaxRecord:
		return nil, &source.Fault{Place: a.place(r), Msg: fmt.Sprintf("has %d bytes, want at most %d", r.Size, index.MaxRecord)}
	}
	out := slices.Grow(buf[:0], int(r.Size))[:r.Size]
	changed, err := a.pool.With(r.File, func(f *os.File) error {
		_, err := f.ReadAt(out, r.Offset)
		return err
	})
	switch {
	case changed != "":
		return nil, a.list.Changed(a.place(r), changed)
	case err == io.EOF:
		return nil, a.list.Changed(a.place(r), "ends before the record does")
	case err != nil:
		return nil, fmt.Errorf("data: %s: offset %d: %w", a.place(r), r.Offset, err)
	}
	return out, nil
}

func (a *archives) Close() error { return a.pool.Close() }
