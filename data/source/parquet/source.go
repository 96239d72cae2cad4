// Package parquet reads labelled images from parquet files as the Hugging Face hub and its
// datasets library write them: one file, or a folder of shards.
//
// The images stand in a column of structs of bytes and path, or of plain bytes; the labels
// in a column of numbers or of text. The names of the classes come from the metadata key
// "huggingface", from a classes.txt beside the files, or from the labels where those are text.
//
// When a set is opened the metadata, the headers of all pages and the labels are read. An
// image is read when it is asked for: the page that holds it is unpacked, and the pages
// used last are kept. Only definitions of the format come from parquet-go; pages are read
// here, because a page must not be able to ask for more memory than the file's size
// warrants. Every count and size that a file claims is checked against its real size
// before anything is reserved.
//
// All encodings of byte strings are read (plain, dictionary, delta length, delta), and the
// codecs Snappy, gzip, Brotli, Zstandard and LZ4_RAW. Not read are encrypted files, LZO, the
// abandoned codec LZ4, levels in the abandoned encoding BIT_PACKED, and lists of images.
package parquet

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"oneshot/data/source"
	"oneshot/data/source/index"
)

// Options says how to read. The zero value is fine.
type Options struct {
	// Image and Label name the columns. Default: image or img, and label, fine_label or
	// labels, or else the only ones that fit.
	Image, Label string
	// Cache is how many bytes of unpacked pages are kept; 0 means 256 MiB, which holds all of
	// CIFAR-10. A page in use takes its own size beyond that.
	Cache int64
}

// Set is an opened set. It implements source.Source.
//
// Split.Sizes are the mean of the page that a record lies in, because only unpacking every
// page would tell more. Their sum is right up to a few bytes per page.
type Set struct {
	info   source.Info
	shards []*shard
	splits [][]part
	cache  *cache
	pool   *index.Pool
}

// part is what a shard gives to a split.
type part struct {
	shard int
	first int     // of its records in the split
	rows  []int32 // of the records, or nil where every row is one
}

// Open reads the metadata and the labels of a set. path is a file, or a folder with the
// files in it, in data, or in a folder for each split; below a folder that names a
// configuration they are found where there is only one. Errors are *source.FileError.
//
// Rows without a label, or with Hugging Face's -1 for one, are left out with a note.
func Open(path string, opts Options) (source.Source, error) {
	f, err := find(path)
	if err != nil {
		return nil, err
	}
	if opts.Cache == 0 {
		opts.Cache = 256 << 20
	}
	s := &Set{cache: newCache(opts.Cache), info: source.Info{Format: "parquet", Notes: f.missing()}}
	if err := s.open(f, opts); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Set) open(f *found, opts Options) error {
	var stamps []index.Stamp
	var paths []string
	for _, file := range f.files {
		stamp, err := index.StampOf("", file.path)
		if err != nil {
			return source.Wrong(file.path, 0, "", err, "file cannot be opened")
		}
		stamps, paths = append(stamps, stamp), append(paths, file.path)
	}
	if a, b, same := source.SameFile(paths); same {
		return source.Wrong(paths[b], 0, "name a folder with one of the two", nil, "file is %s again, by a link", source.Shown(paths[a]))
	}
	s.pool = index.NewPool("", stamps, index.MaxOpen)
	for i, file := range f.files {
		sh := &shard{path: file.path, file: pooled{s.pool, i, file.path}}
		if err := sh.open(stamps[i].Size, opts); err != nil {
			return err
		}
		s.shards = append(s.shards, sh)
	}
	return s.index(f)
}

// index reads the labels of all shards and divides their rows into splits.
func (s *Set) index(f *found) error {
	all := make([]labels, len(s.shards))
	for i, sh := range s.shards {
		if first := s.shards[0]; sh.cols.label.typ != first.cols.label.typ {
			return source.Wrong(sh.path, 0, "", nil, "column %s is of another type than in %s", sh.cols.label.name(), first.path)
		} else if !slices.Equal(sh.cols.names, first.cols.names) {
			return source.Wrong(sh.path, 0, "", nil, "column %s has other names than in %s", sh.cols.label.name(), first.path)
		}
		var err error
		if all[i], err = sh.labels(); err != nil {
			return err
		}
	}
	if err := s.classes(f, all); err != nil {
		return err
	}
	for i, file := range f.files {
		n := len(s.info.Splits)
		if n == 0 || s.info.Splits[n-1].Name != file.split {
			s.info.Splits = append(s.info.Splits, source.Split{Name: file.split})
			s.splits = append(s.splits, nil)
			n++
		}
		if err := s.add(n-1, i, all[i].values); err != nil {
			return err
		}
	}
	for i := len(s.splits) - 1; i >= 0; i-- {
		if len(s.info.Splits[i].Labels) == 0 { // add has noted why
			s.info.Splits, s.splits = slices.Delete(s.info.Splits, i, i+1), slices.Delete(s.splits, i, i+1)
		}
	}
	if len(s.splits) == 0 {
		return source.Wrong(f.path, 0, "", nil, "no row has a label")
	}
	s.info.About = fmt.Sprintf("%d parquet files", len(f.files))
	if len(f.files) == 1 {
		s.info.About = "1 parquet file"
	}
	return nil
}

// add appends the records of a shard to a split.
func (s *Set) add(split, shard int, values []int64) error {
	sh, to := s.shards[shard], &s.info.Splits[split]
	y, rows, err := keep(values)
	if err != nil {
		return source.Wrong(sh.path, 0, "", nil, "%v", err)
	}
	s.splits[split] = append(s.splits[split], part{shard, len(to.Labels), rows})
	to.Labels = append(to.Labels, y...)
	if rows == nil {
		to.Sizes = sh.sizes(to.Sizes)
		return nil
	}
	s.info.Notes = append(s.info.Notes, fmt.Sprintf("%s: %d of %d rows have no label and were left out", sh.path, len(values)-len(rows), len(values)))
	sizes := sh.sizes(nil)
	for _, row := range rows {
		to.Sizes = append(to.Sizes, sizes[row])
	}
	return nil
}

// classes finds the names of the classes and brings the labels in line with them.
func (s *Set) classes(f *found, all []labels) error {
	names, file := s.shards[0].cols.names, s.shards[0].path
	text := false
	for _, l := range all {
		text = text || len(l.words) > 0
	}
	var notes []string
	var err error
	switch {
	case names == nil && !text:
		if names, notes, err = namesBeside(f.path, file); err != nil {
			return err
		}
	case !text:
		if names, notes, err = source.ClassNames(file, names); err != nil {
			return err
		}
	default:
		names = nil
		for _, l := range all {
			names = append(names, l.words...)
		}
		slices.Sort(names)
		names = slices.Compact(names)
		for _, l := range all {
			for i, y := range l.values {
				if y != noLabel {
					n, _ := slices.BinarySearch(names, l.words[y])
					l.values[i] = int64(n)
				}
			}
		}
	}
	limit := int64(len(names))
	if names == nil {
		limit = maxUnnamed
	}
	largest := int64(noLabel)
	for i, l := range all {
		most, err := s.shards[i].check(l.values, limit)
		if err != nil {
			return err
		}
		largest = max(largest, most)
	}
	s.info.Classes, s.info.Named = names, names != nil
	s.info.Notes = append(s.info.Notes, notes...)
	if names == nil {
		for y := range largest + 1 {
			s.info.Classes = append(s.info.Classes, strconv.FormatInt(y, 10))
		}
	}
	return nil
}

// namesBeside reads classes.txt, a name a line, in the folder given or in that of a file.
func namesBeside(path, file string) (names, notes []string, err error) {
	for _, dir := range []string{path, filepath.Dir(file)} {
		names, notes, err = source.ReadClasses(filepath.Join(dir, "classes.txt"))
		// A path that is a file holds no other.
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return names, notes, err
		}
	}
	return nil, nil, nil
}

// Info describes the set.
func (s *Set) Info() *source.Info { return &s.info }

// at returns the shard of a record and its row there.
func (s *Set) at(split, record int) (int, int64) {
	parts := s.splits[split]
	k, _ := slices.BinarySearchFunc(parts, record+1, func(p part, r int) int { return p.first - r })
	p := &parts[k-1]
	if p.rows != nil {
		return p.shard, int64(p.rows[record-p.first])
	}
	return p.shard, int64(record - p.first)
}

// Read returns the bytes of an image file. A page that is damaged and a row without bytes
// are the record's fault.
func (s *Set) Read(split, record int, buf []byte) ([]byte, error) {
	if err := s.info.Check(split, record); err != nil {
		return nil, err
	}
	i, row := s.at(split, record)
	sh := s.shards[i]
	g := sh.group(row)
	c := sh.groups[g].image
	k := c.pageOf(row - sh.groups[g].first)
	page, err := s.cache.get(pageKey{i, g, k}, func() (spans, error) {
		var dict *spans
		if isDictionary(c.pages[k].encoding) && c.dict != nil {
			d, err := s.cache.get(pageKey{i, g, -1}, func() (spans, error) {
				d, err := c.bytesDict(sh.file)
				if err != nil {
					return spans{}, err
				}
				return *d, nil
			})
			if err != nil {
				return spans{}, err
			}
			dict = &d
		}
		return c.bytesOf(sh.file, &c.pages[k], sh.cols.image.maxDef, dict)
	})
	var reading errRead
	switch {
	case errors.As(err, &reading) && !errors.Is(err, io.EOF):
		return nil, fmt.Errorf("data: read %s: row %d: %w", sh.path, row, reading.error)
	case err != nil:
		return nil, &source.Fault{Place: sh.place(row), Msg: "its page is damaged", Err: err}
	}
	b, ok := page.get(int(row - sh.groups[g].first - c.pages[k].first))
	if !ok {
		return nil, &source.Fault{Place: sh.place(row), Msg: "has no bytes in the file"}
	}
	return append(buf[:0], b...), nil
}

// Where says in which file and page a record lies, and its row.
func (s *Set) Where(split, record int) source.Place {
	if s.info.Check(split, record) != nil {
		return source.Place{}
	}
	i, row := s.at(split, record)
	return s.shards[i].place(row)
}

// Close closes the files.
func (s *Set) Close() error {
	if s.pool == nil {
		return nil
	}
	return s.pool.Close()
}

// pooled is a file of a pool.
type pooled struct {
	pool *index.Pool
	file int
	path string
}

// ReadAt implements io.ReaderAt. Where the file is no longer what was opened its error is
// an *index.ChangedError.
func (p pooled) ReadAt(b []byte, off int64) (n int, err error) {
	changed, err := p.pool.With(p.file, func(f *os.File) error {
		n, err = f.ReadAt(b, off)
		return err
	})
	if changed != "" {
		return n, &index.ChangedError{Place: source.Place{File: p.path, Offset: off}, Msg: changed}
	}
	return n, err
}
