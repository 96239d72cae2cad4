package tiny

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"oneshot/data/source"
	"oneshot/data/source/folder"
	"oneshot/data/source/index"
	"oneshot/internal/atomicfile"
)

// Format is the format's name.
const Format = "tiny-imagenet"

const (
	wnidsFile       = "wnids.txt"
	annotationsFile = "val/val_annotations.txt"
	valImages       = "val/images"

	maxText = 64 << 20 // bytes of a text file; words.txt has 2.7 MB
)

// Detect says what is in the folder path, "" where it is not Tiny ImageNet's.
func Detect(root string) string {
	for _, f := range []string{wnidsFile, annotationsFile, "train"} {
		if _, err := os.Stat(index.Join(root, f)); err != nil {
			return ""
		}
	}
	return "Tiny ImageNet"
}

// Open opens the folder at root. An error is an *source.FileError where the folder is at fault.
func Open(root string, cache index.Cache) (source.Source, error) {
	l, err := index.Open(cache, Format, root, root, func() (*index.Listing, error) { return scan(root) })
	if err != nil {
		return nil, err
	}
	return folder.NewSource(l, root)
}

type scanner struct {
	root string
	b    *index.Builder
}

func scan(root string) (*index.Listing, error) {
	sc := &scanner{root, new(index.Builder)}
	if err := sc.stamp("."); err != nil {
		return nil, err
	}
	if err := sc.classes(); err != nil {
		return nil, err
	}
	if err := sc.train(); err != nil {
		return nil, err
	}
	if err := sc.val(); err != nil {
		return nil, err
	}
	in := sc.b.Info()
	if len(in.Splits[0].Labels)+len(in.Splits[1].Labels) == 0 {
		return nil, &source.FileError{File: root, Msg: "holds no images where Tiny ImageNet has them: train/<wnid>/images and val/images"}
	}
	if _, err := os.Stat(index.Join(root, "test")); err == nil {
		sc.b.Note("test was left out: its images have no labels")
	}
	in.Format, in.Named = Format, true
	in.About = fmt.Sprintf("Tiny ImageNet of %d classes", len(in.Classes))
	return sc.b.Listing()
}

func (sc *scanner) stamp(rel string) error {
	s, err := index.StampOf(sc.root, rel)
	if err != nil {
		return sc.unreadable(rel, err)
	}
	sc.b.Stamp(s)
	return nil
}

func (sc *scanner) unreadable(rel string, err error) error {
	return &source.FileError{File: index.Join(sc.root, rel), Msg: "cannot be read", Err: err}
}

// text reads a text file of the folder.
func (sc *scanner) text(rel string) (string, error) {
	if err := sc.stamp(rel); err != nil {
		return "", err
	}
	b, err := atomicfile.ReadAtMost(index.Join(sc.root, rel), maxText)
	if err != nil {
		return "", sc.unreadable(rel, err)
	}
	return string(b), nil
}

// classes reads wnids.txt.
func (sc *scanner) classes() error {
	text, err := sc.text(wnidsFile)
	if err != nil {
		return err
	}
	in := sc.b.Info()
	number := 0
	for line := range strings.Lines(text) {
		number++
		wnid := strings.TrimSpace(line)
		if wnid == "" {
			continue
		}
		if !isName(wnid) || wnid == "." || wnid == ".." {
			return sc.wrongLine(wnidsFile, number, line, "the name of a folder")
		}
		if len(in.Classes) == source.MaxClasses {
			return &source.FileError{File: index.Join(sc.root, wnidsFile), Msg: fmt.Sprintf("names more than %d classes", source.MaxClasses)}
		}
		in.Classes = append(in.Classes, wnid)
	}
	sort.Strings(in.Classes)
	if n := len(in.Classes); n != len(slices.Compact(in.Classes)) {
		return &source.FileError{File: index.Join(sc.root, wnidsFile), Msg: "names a class twice"}
	}
	return nil
}

func (sc *scanner) wrongLine(rel string, number int, line, want string) error {
	return &source.FileError{File: index.Join(sc.root, rel), Msg: fmt.Sprintf("line %d is %.60q, want %s", number, strings.TrimRight(line, "\r\n"), want)}
}

// isName says that a word can be the name of a file in a folder, and a line of text.
func isName(s string) bool {
	return source.IsClassName(s) && !strings.ContainsAny(s, `/\`)
}

// list returns the files in a folder by name, with their sizes; links and folders are faults.
func (sc *scanner) list(dir string) (names []string, sizes map[string]int64, err error) {
	if err := sc.stamp(dir); err != nil {
		return nil, nil, err
	}
	entries, err := os.ReadDir(index.Join(sc.root, dir))
	if err != nil {
		return nil, nil, sc.unreadable(dir, err)
	}
	sizes = map[string]int64{}
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), ".") || strings.EqualFold(e.Name(), "thumbs.db") || strings.EqualFold(filepath.Ext(e.Name()), ".txt"):
		case !e.Type().IsRegular():
			sc.b.Fault(path.Join(dir, e.Name()), "", 0, "is no regular file")
		default:
			fi, err := e.Info()
			if err != nil {
				return nil, nil, sc.unreadable(path.Join(dir, e.Name()), err)
			}
			names = append(names, e.Name())
			sizes[e.Name()] = fi.Size()
		}
	}
	return names, sizes, nil
}

// train lists train/<wnid>/images of each class.
func (sc *scanner) train() error {
	split := sc.b.Split("train")
	if err := sc.stamp("train"); err != nil {
		return err
	}
	var empty []string
	for label, wnid := range sc.b.Info().Classes {
		dir := path.Join("train", wnid, "images")
		if _, err := os.Stat(index.Join(sc.root, dir)); errors.Is(err, fs.ErrNotExist) {
			sc.b.Stamp(index.Absent(dir))
			empty = append(empty, wnid)
			continue
		}
		names, sizes, err := sc.list(dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			sc.b.Add(split, int32(label), index.Record{File: sc.b.File(dir), Name: name, Size: sizes[name]})
		}
		if len(names) == 0 {
			empty = append(empty, wnid)
		}
	}
	if len(empty) > 0 {
		sc.b.Note("classes without training images: %d (%s the first)", len(empty), empty[0])
	}
	entries, err := os.ReadDir(index.Join(sc.root, "train"))
	if err != nil {
		return sc.unreadable("train", err)
	}
	for _, e := range entries {
		if _, known := slices.BinarySearch(sc.b.Info().Classes, e.Name()); !known && e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			sc.b.Note("train/%s was left out: %s does not name it", source.Shown(e.Name()), wnidsFile)
		}
	}
	return nil
}

// annotation is a line of val_annotations.txt.
type annotation struct {
	line        int
	image, wnid string
}

// readAnnotations reads val_annotations.txt. bad is the number of a line that has no image
// and class, 0 if there is none.
func readAnnotations(text string) (all []annotation, bad int) {
	in := bufio.NewScanner(strings.NewReader(text))
	in.Buffer(nil, maxText+1)
	for n := 1; in.Scan(); n++ {
		line := strings.TrimRight(in.Text(), "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		fields := strings.Split(line, "\t")
		if len(fields) < 2 || !isName(fields[0]) || !isName(fields[1]) {
			return all, n
		}
		all = append(all, annotation{n, fields[0], fields[1]})
	}
	return all, 0
}

// val lists the validation images that the annotations name.
func (sc *scanner) val() error {
	split := sc.b.Split("val")
	text, err := sc.text(annotationsFile)
	if err != nil {
		return err
	}
	all, bad := readAnnotations(text)
	if bad > 0 {
		return sc.wrongLine(annotationsFile, bad, strings.Split(text, "\n")[bad-1], "the name of an image, a tab and a wnid")
	}
	names, sizes, err := sc.list(valImages)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, a := range all {
		size, there := sizes[a.image]
		label, known := slices.BinarySearch(sc.b.Info().Classes, a.wnid)
		wrong := ""
		switch {
		case !there:
			wrong = fmt.Sprintf("is missing, and line %d of %s names it", a.line, annotationsFile)
		case seen[a.image]:
			wrong = fmt.Sprintf("is named again by line %d of %s", a.line, annotationsFile)
		case !known:
			wrong = fmt.Sprintf("has class %s by line %d of %s, which %s does not name", a.wnid, a.line, annotationsFile, wnidsFile)
		}
		seen[a.image] = true
		if wrong != "" {
			sc.b.Fault(path.Join(valImages, a.image), "", 0, wrong)
			continue
		}
		sc.b.Add(split, int32(label), index.Record{File: sc.b.File(valImages), Name: a.image, Size: size})
	}
	for _, name := range names {
		if !seen[name] {
			sc.b.Fault(path.Join(valImages, name), "", 0, "is named by no line of "+annotationsFile)
		}
	}
	return nil
}
