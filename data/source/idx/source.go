package idx

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"

	"oneshot/data/source"
)

// maxPixels is the largest image, as of package data/decode.
const maxPixels = 1 << 26

// Set is an opened set. It implements source.Source; Read never returns an error that is
// the record's fault, because any bytes are an image.
type Set struct {
	info   source.Info
	images []*array // per split
	size   int64    // bytes of an image
}

// Open reads the labels of a set and checks its files. path is a folder, one above the
// folder as torchvision makes them, or one of the files. A classes.txt beside the files
// names the classes, a line each. Errors are *source.FileError.
func Open(path string) (source.Source, error) {
	f, err := find(path)
	if err != nil {
		return nil, err
	}
	s := &Set{info: source.Info{Format: "mnist"}}
	if err := s.open(f); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Set) open(f *found) error {
	classes := 0
	for _, name := range []string{"train", "test"} {
		if f.files[name+" images"] == "" {
			s.info.Notes = append(s.info.Notes, "no test images: "+f.expected("test images")+" is missing")
			break
		}
		images, err := openArray(f.files[name+" images"])
		if err != nil {
			return err
		}
		s.images = append(s.images, images)
		raw, err := images.raw()
		if err != nil {
			return err
		}
		if s.info.Raw == nil {
			s.info.Raw, s.size = raw, int64(raw.Height*raw.Width*raw.Channels)
		} else if *raw != *s.info.Raw {
			return source.Wrong(images.path, 4, "", nil, "images are %s, those of the first file %s", shape(raw), shape(s.info.Raw))
		}
		split, err := readSplit(name, f.files[name+" labels"], images.dims[0], s.size)
		if err != nil {
			return err
		}
		classes = max(classes, int(slices.Max(split.Labels))+1)
		s.info.Splits = append(s.info.Splits, split)
	}
	s.info.About = "IDX files, " + shape(s.info.Raw)
	for y := range classes {
		s.info.Classes = append(s.info.Classes, strconv.Itoa(y))
	}
	return s.name(filepath.Join(f.dir, "classes.txt"))
}

func shape(r *source.Raw) string {
	return fmt.Sprintf("%dx%dx%d", r.Height, r.Width, r.Channels)
}

// raw says how the images of an array are stored: (n,H,W), or (n,H,W,C) of 1 or 3 channels.
func (a *array) raw() (*source.Raw, error) {
	r := &source.Raw{Channels: 1}
	if len(a.dims) < 3 {
		return nil, source.Wrong(a.path, 3, "", nil, "the array has %d dimensions, want 3 or 4", len(a.dims))
	}
	if a.dims[0] == 0 {
		return nil, source.Wrong(a.path, 4, "", nil, "file holds no images")
	}
	h, w := a.dims[1], a.dims[2]
	if h == 0 || w == 0 || h*w > maxPixels {
		return nil, source.Wrong(a.path, 8, "", nil, "images are of %dx%d pixels, want 1 to %d", h, w, maxPixels)
	}
	r.Height, r.Width = int(h), int(w)
	if len(a.dims) == 4 {
		if c := a.dims[3]; c != 1 && c != 3 {
			return nil, source.Wrong(a.path, 16, "", nil, "images have %d channels, want 1 or 3", c)
		}
		r.Channels = int(a.dims[3])
	}
	return r, nil
}

// readSplit reads the labels of n images of size bytes.
func readSplit(name, path string, n, size int64) (source.Split, error) {
	split := source.Split{Name: name}
	a, err := openArray(path)
	if err != nil {
		return split, err
	}
	defer a.Close()
	if len(a.dims) != 1 {
		return split, source.Wrong(path, 3, "", nil, "labels have %d dimensions, want 1", len(a.dims))
	}
	if a.dims[0] != n {
		return split, source.Wrong(path, 4, "", nil, "file holds %d labels, there are %d images", a.dims[0], n)
	}
	labels := make([]byte, n)
	if err := a.readAt(labels, 0); err != nil {
		return split, source.Wrong(path, a.start, "", err, "labels cannot be read")
	}
	split.Labels, split.Sizes = make([]int32, n), make([]int64, n)
	for i, y := range labels {
		split.Labels[i], split.Sizes[i] = int32(y), size
	}
	return split, nil
}

// name reads the names of the classes from a file, if it is there.
func (s *Set) name(path string) error {
	names, notes, err := source.ReadClasses(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(names) < len(s.info.Classes) || len(names) > 256 {
		return source.Wrong(path, 0, "", nil, "file names %d classes, the labels need %d", len(names), len(s.info.Classes))
	}
	s.info.Classes, s.info.Named = names, true
	s.info.Notes = append(s.info.Notes, notes...)
	return nil
}

// Info describes the set.
func (s *Set) Info() *source.Info { return &s.info }

// Read returns the bytes of an image, (H,W,C).
func (s *Set) Read(split, record int, buf []byte) ([]byte, error) {
	if err := s.info.Check(split, record); err != nil {
		return nil, err
	}
	buf = slices.Grow(buf[:0], int(s.size))[:s.size]
	if err := s.images[split].readAt(buf, int64(record)*s.size); err != nil {
		return nil, err
	}
	return buf, nil
}

// Where says where an image starts, in the unpacked file where that is gzipped.
func (s *Set) Where(split, record int) source.Place {
	if s.info.Check(split, record) != nil {
		return source.Place{}
	}
	a := s.images[split]
	return source.Place{File: a.path, Offset: a.start + int64(record)*s.size}
}

// Close closes the files.
func (s *Set) Close() error {
	var errs []error
	for _, a := range s.images {
		errs = append(errs, a.Close())
	}
	return errors.Join(errs...)
}
