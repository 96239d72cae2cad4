package cifar

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"oneshot/data/source"
)

// Options says what to expect. The zero value takes whichever set is there.
type Options struct {
	// Format is "cifar10" or "cifar100", or "" for either.
	Format string
	// Strict wants the official number of images in every file. Otherwise a file may hold
	// any number of whole records, and a note names those that differ.
	Strict bool
}

// Set is an opened set. It implements source.Source; Read never returns an error that
// is the record's fault, because all records are checked when the set is opened.
type Set struct {
	info   source.Info
	splits [][]batch
}

// batch is one file of a split.
type batch struct {
	path   string
	file   *os.File // nil where the pixels are in memory
	first  int      // of its records in the split
	per    int      // labels of a record
	labels []byte   // (records, per); the last of a record is the class
	offset int64    // of the first image in the file
	stride int64    // from image to image
	pixels []byte   // (records, 3, 32, 32), where file is nil
}

func (b *batch) records() int { return len(b.labels) / b.per }

// class returns the label of record r that counts.
func (b *batch) class(r int) byte { return b.labels[r*b.per+b.per-1] }

// Open reads the labels of a set and checks all of its files. path is a folder, the
// parent of the official folder, or one of the files. Errors are *source.FileError.
func Open(path string, opts Options) (source.Source, error) {
	f, err := find(path, opts.Format)
	if err != nil {
		return nil, err
	}
	s := &Set{info: source.Info{
		Format:  f.layout.Format,
		About:   f.layout.Title + ", " + f.ver.title,
		Classes: f.layout.Classes,
		Raw:     &source.Raw{Height: side, Width: side, Channels: 3, Planar: true},
	}}
	if err := s.open(&f, opts.Strict); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Set) open(f *found, strict bool) error {
	names, notes, err := f.classes()
	if err != nil {
		return err
	}
	s.info.Notes = notes
	if names != nil {
		s.info.Classes, s.info.Named = names, true
	}
	parts := []struct {
		name  string
		files []string
		total int
	}{{"train", f.ver.train, f.layout.Train}, {"test", f.ver.test, f.layout.Test}}
	for _, part := range parts {
		split, count := source.Split{Name: part.name}, 0
		per := part.total / len(part.files)
		s.splits = append(s.splits, nil)
		at := &s.splits[len(s.splits)-1]
		for _, name := range part.files {
			want := 0
			if strict {
				want = per
			}
			b, err := f.read(name, want)
			if err != nil {
				return err
			}
			b.first = count
			*at = append(*at, b)
			n := b.records()
			for r := range n {
				split.Labels = append(split.Labels, int32(b.class(r)))
				split.Sizes = append(split.Sizes, planes)
			}
			if n != per {
				s.info.Notes = append(s.info.Notes, fmt.Sprintf("%s holds %d images, the official file %d", b.path, n, per))
			}
			count += n
		}
		s.info.Splits = append(s.info.Splits, split)
	}
	return nil
}

// read opens one file of the set. want is the number of its images, or 0 for any.
func (f *found) read(name string, want int) (batch, error) {
	path := filepath.Join(f.dir, name)
	b := batch{path: path, per: len(f.layout.labels)}
	file, size, err := f.openFile(path)
	if err != nil {
		return b, err
	}
	if f.python() {
		err = f.readPython(file, size, want, &b)
	} else {
		err = f.readBinary(file, size, want, &b)
	}
	if err != nil || b.file == nil {
		file.Close()
	}
	return b, err
}

// Info describes the set.
func (s *Set) Info() *source.Info { return &s.info }

// Read returns the 3072 bytes of an image, (3,32,32).
func (s *Set) Read(split, record int, buf []byte) ([]byte, error) {
	if err := s.info.Check(split, record); err != nil {
		return nil, err
	}
	b, i := s.at(split, record)
	buf = slices.Grow(buf[:0], planes)[:planes]
	if b.file == nil {
		copy(buf, b.pixels[i*planes:])
		return buf, nil
	}
	if _, err := b.file.ReadAt(buf, b.offset+int64(i)*b.stride); err != nil {
		return nil, fmt.Errorf("data: read %s: image %d: %w", b.path, i, err)
	}
	return buf, nil
}

// Where says where an image starts. In a text pickle, where its bytes do not stand as
// they are, that is the start of all of the pixels.
func (s *Set) Where(split, record int) source.Place {
	if s.info.Check(split, record) != nil {
		return source.Place{}
	}
	b, i := s.at(split, record)
	return source.Place{File: b.path, Offset: b.offset + int64(i)*b.stride}
}

// at returns the file of a record and its number in it.
func (s *Set) at(split, record int) (*batch, int) {
	batches := s.splits[split]
	k := len(batches) - 1
	for batches[k].first > record {
		k--
	}
	return &batches[k], record - batches[k].first
}

// Close closes the files.
func (s *Set) Close() error {
	var first error
	for _, split := range s.splits {
		for _, b := range split {
			if b.file != nil {
				if err := b.file.Close(); err != nil && first == nil {
					first = err
				}
			}
		}
	}
	return first
}
