package tars

import (
	"archive/tar"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"

	"oneshot/data/source"
	"oneshot/data/source/folder"
	"oneshot/data/source/index"
)

// Format is the format's name.
const Format = "webdataset"

// Open opens the tar files that path names: a folder, a file or a pattern. An error
// is an *source.FileError where they are at fault.
func Open(path string, cache index.Cache) (source.Source, error) {
	s, err := find(path)
	if err != nil {
		return nil, err
	}
	l, err := index.Open(cache, Format, path, s.root, func() (*index.Listing, error) { return scan(path, s) })
	if err != nil {
		return nil, err
	}
	return NewSource(l, s.root)
}

// Detect says which tar files path names, "" where it names none. It opens no file.
func Detect(path string) string {
	s, err := find(path)
	if err != nil {
		return ""
	}
	for _, sh := range s.list {
		if !isTarName(sh.file) {
			return ""
		}
	}
	if len(s.list) == 1 {
		return "a tar file"
	}
	return fmt.Sprintf("%d tar files", len(s.list))
}

// scan lists the samples of the shards, or else the files of class folders in them.
func scan(path string, s *shards) (*index.Listing, error) {
	sc := &scanner{shards: s, b: new(index.Builder), splits: map[string]int{}}
	if err := sc.begin(); err != nil {
		return nil, err
	}
	err := sc.samples()
	if errors.Is(err, errNoLabels) {
		sc = &scanner{shards: s, b: new(index.Builder)}
		if err := sc.begin(); err != nil {
			return nil, err
		}
		err = sc.folders(path)
	}
	if err != nil {
		return nil, err
	}
	sc.b.Info().Format = Format
	return sc.b.Listing()
}

type scanner struct {
	*shards
	b      *index.Builder
	splits map[string]int // positions by name
	labels labels

	unlabelled []leaf // images without a label
	offsets    []int64
	others     int // samples with neither image nor label
}

// begin stamps what the listing depends on and reads the names of the classes.
func (sc *scanner) begin() error {
	for _, d := range sc.dirs {
		st, err := index.StampOf(sc.root, d)
		if err != nil {
			return &source.FileError{File: index.Join(sc.root, d), Msg: "cannot be read", Err: err}
		}
		sc.b.Stamp(st)
	}
	var paths []string
	for _, sh := range sc.list {
		paths = append(paths, index.Join(sc.root, sh.file))
	}
	if a, b, same := source.SameFile(paths); same {
		return &source.FileError{File: paths[b], Msg: fmt.Sprintf("is %s again, by a link", source.Shown(paths[a])), Hint: "no image may be there twice, or in two splits: name a folder or a pattern with one of the two"}
	}
	for _, sh := range sc.list {
		st, err := index.StampOf(sc.root, sh.file)
		if err != nil {
			return &source.FileError{File: index.Join(sc.root, sh.file), Msg: "cannot be read", Err: err}
		}
		sc.b.Stamp(st)
	}
	for _, name := range []string{"classes.txt", "classnames.txt"} {
		st, err := index.StampOf(sc.root, name)
		if errors.Is(err, fs.ErrNotExist) {
			sc.b.Stamp(index.Absent(name))
			continue
		}
		if err != nil {
			return &source.FileError{File: index.Join(sc.root, name), Msg: "cannot be read", Err: err}
		}
		sc.b.Stamp(st)
		if sc.labels.classes == nil {
			var notes []string
			if sc.labels.classes, notes, err = source.ReadClasses(index.Join(sc.root, name)); err != nil {
				return err
			}
			for _, n := range notes {
				sc.b.Note("%s", n)
			}
		}
	}
	sc.b.Info().Notes = append(sc.b.Info().Notes, sc.notes...)
	return nil
}

// errNoLabels says that images have no labels beside them.
var errNoLabels = errors.New("no image has a label beside it")

// maxUnlabelled is after how many images without a label, where none has had one, the tar
// file is taken for one of class folders.
const maxUnlabelled = 1000

// samples lists the samples of all shards.
func (sc *scanner) samples() error {
	for _, sh := range sc.list {
		split, ok := sc.splits[sh.split]
		if !ok {
			split = sc.b.Split(sh.split)
			sc.splits[sh.split] = split
		}
		if err := sc.shard(sh, split); err != nil {
			return err
		}
	}
	in := sc.b.Info()
	if sc.labels.count() == 0 && len(sc.unlabelled) > 0 {
		return errNoLabels
	}
	for i, u := range sc.unlabelled {
		sc.b.Fault(u.file, u.member, sc.offsets[i], "has no label beside it, .cls or .json")
	}
	if sc.others > 0 {
		sc.b.Note("samples with neither image nor label, left out: %d", sc.others)
	}
	if sc.labels.count() == 0 {
		e := &source.FileError{File: index.Join(sc.root, sc.list[0].file), Msg: "holds no images with labels", Hint: hint}
		if len(in.Faults) > 0 {
			e.Msg += fmt.Sprintf("; the first of %d samples: %s", len(in.Faults), in.Faults[0].Msg)
		}
		return e
	}
	in.About = fmt.Sprintf("%d tar files of samples", len(sc.list))
	return sc.labels.finish(in, sc.root)
}

const hint = "want a label beside each image, 0001.jpg and 0001.cls or 0001.json; or class folders"

// shard lists the samples of one tar file.
func (sc *scanner) shard(sh shard, split int) error {
	file := index.Join(sc.root, sh.file)
	f, size, err := source.OpenFile(file)
	if err != nil {
		return err
	}
	defer f.Close()
	id := sc.b.File(sh.file)
	r := &ahead{r: f}
	g := grouper{emit: func(s *sample) error {
		m, wrong, err := sc.sample(s, sh.file, split, id, r)
		if err != nil {
			return &source.FileError{File: file, Offset: m.Offset, Msg: "cannot be read", Err: err}
		}
		if wrong != "" {
			sc.b.Fault(sh.file, source.Shown(m.Name), m.Offset, wrong)
		}
		return nil
	}}
	end := int64(0)
	for m, err := range Members(f, size, file) {
		if err != nil {
			return err
		}
		end = m.Offset + (m.Size+block-1)/block*block
		if err := g.add(m); err != nil {
			return err
		}
		if sc.labels.count() == 0 && len(sc.unlabelled) >= maxUnlabelled {
			return errNoLabels
		}
	}
	if size < end+block {
		sc.b.Note("%s has no end mark: it may be cut short", source.Shown(sh.file))
	}
	return g.flush()
}

// sample adds a sample. wrong is what is wrong with member m of it.
func (sc *scanner) sample(s *sample, file string, split, id int, r *ahead) (m Member, wrong string, err error) {
	image, hasImage, more := s.image()
	at, hasLabel := s.labelMember()
	switch {
	case !hasImage && !hasLabel:
		sc.others++
		return m, "", nil
	case !hasImage:
		return at, "has no image beside it", nil
	case !hasLabel:
		for _, m := range s.members {
			if _, ext, _ := keyOf(m.Name); imageKeys[ext[strings.LastIndex(ext, ".")+1:]] {
				sc.unlabelled = append(sc.unlabelled, leaf{file: file, member: source.Shown(m.Name)})
				sc.offsets = append(sc.offsets, m.Offset)
			}
		}
		return m, "", nil
	case more:
		return image, "is one of several images of a sample", nil
	case image.Type != tar.TypeReg:
		return image, "is no regular file", nil
	}
	l, wrong, err := readLabel(r, at)
	if wrong != "" || err != nil {
		return at, wrong, err
	}
	y, wrong := sc.labels.add(l, source.Place{File: file, Offset: at.Offset, Member: at.Name})
	if wrong != "" {
		return at, wrong, nil
	}
	sc.b.Add(split, y, index.Record{File: id, Name: image.Name, Offset: image.Offset, Size: image.Size})
	return m, "", nil
}

// folders lists the images of class folders: of one tar file, or of one for each split.
func (sc *scanner) folders(path string) error {
	first := index.Join(sc.root, sc.list[0].file)
	seen := map[string]bool{}
	for _, sh := range sc.list {
		if seen[sh.split] {
			return &source.FileError{File: first, Msg: "holds images without labels", Hint: hint + " in one tar file, or one for each split"}
		}
		seen[sh.split] = true
	}
	t := newTree(sc.b, source.Shown(path))
	for _, sh := range sc.list {
		if err := t.addTar(sc.root, sh, len(sc.list) == 1); err != nil {
			return err
		}
	}
	if err := folder.Arrange(t, sc.b); err != nil {
		var e *source.FileError
		if errors.As(err, &e) && e.Hint == folder.Wanted {
			e.Hint = hint + ": " + folder.Wanted
		}
		return err
	}
	if t.twice > 0 {
		sc.b.Note("members that a later one of the same name replaces: %d", t.twice)
	}
	in := sc.b.Info()
	in.About = fmt.Sprintf("tar file of %d class folders", len(in.Classes))
	if len(sc.list) > 1 {
		in.About = fmt.Sprintf("%d tar files of %d class folders", len(sc.list), len(in.Classes))
	}
	return nil
}

// sortedKeys returns the keys of m in byte order.
func sortedKeys(m map[string]int32) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
