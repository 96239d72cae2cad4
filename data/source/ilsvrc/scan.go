package ilsvrc

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"oneshot/data/source"
	"oneshot/data/source/index"
	"oneshot/data/source/tars"
)

// Format is the format's name.
const Format = "imagenet"

const (
	trainFile = "ILSVRC2012_img_train.tar"
	valFile   = "ILSVRC2012_img_val.tar"
	testFile  = "ILSVRC2012_img_test_v10102019.tar"
)

// Detect says which of ImageNet's archives lie in the folder path, "" where none does.
func Detect(root string) string {
	var found []string
	for _, f := range []string{trainFile, valFile} {
		if exists(root, f) {
			found = append(found, f)
		}
	}
	return strings.Join(found, " and ")
}

func exists(root, file string) bool {
	fi, err := os.Stat(filepath.Join(root, file))
	return err == nil && fi.Mode().IsRegular()
}

// Open opens the archives in root. An error is an *source.FileError where they are at fault.
func Open(root string, cache index.Cache) (source.Source, error) {
	l, err := index.Open(cache, Format, root, root, func() (*index.Listing, error) { return scan(root) })
	if err != nil {
		return nil, err
	}
	return tars.NewSource(l, root)
}

// scanner lists the archives of a folder.
type scanner struct {
	root   string
	b      *index.Builder
	wnids  map[string][]tars.Member // the training images by class
	val    []valImage
	others int // members that are no images of the layout
}

// valImage is a validation image, numbered from 1.
type valImage struct {
	tars.Member
	number int
	wnid   string
}

func scan(root string) (*index.Listing, error) {
	sc := &scanner{root: root, b: new(index.Builder), wnids: map[string][]tars.Member{}}
	hasTrain, hasVal := exists(root, trainFile), exists(root, valFile)
	if !hasTrain && !hasVal {
		return nil, &source.FileError{File: root, Msg: "holds neither " + trainFile + " nor " + valFile}
	}
	if fi, err := os.Stat(filepath.Join(root, "train")); !hasTrain && err == nil && fi.IsDir() {
		return nil, &source.FileError{File: root, Msg: "holds a folder train beside " + valFile, Hint: "keep both as archives, or sort both into class folders"}
	}
	if err := sc.stamp("."); err != nil {
		return nil, err
	}
	if hasTrain {
		if err := sc.train(); err != nil {
			return nil, err
		}
	}
	var kit *devkit
	if hasVal {
		var err error
		if kit, err = sc.devkit(); err != nil {
			return nil, err
		}
		if err := sc.validation(kit); err != nil {
			return nil, err
		}
	}
	sc.finish(hasTrain, hasVal, kit)
	records := 0
	for _, s := range sc.b.Info().Splits {
		records += len(s.Labels)
	}
	if records == 0 {
		return nil, &source.FileError{File: root, Msg: "holds archives without a single image"}
	}
	return sc.b.Listing()
}

func (sc *scanner) stamp(rel string) error {
	s, err := index.StampOf(sc.root, rel)
	if err != nil {
		return &source.FileError{File: index.Join(sc.root, rel), Msg: "cannot be read", Err: err}
	}
	sc.b.Stamp(s)
	return nil
}

// archive calls each with the regular members of an archive.
func (sc *scanner) archive(rel string, each func(f *os.File, m tars.Member) error) error {
	if err := sc.stamp(rel); err != nil {
		return err
	}
	file := index.Join(sc.root, rel)
	f, size, err := source.OpenFile(file)
	if err != nil {
		return err
	}
	defer f.Close()
	for m, err := range tars.Members(f, size, file) {
		if err != nil {
			return err
		}
		if m.Type == tar.TypeDir {
			continue
		}
		if m.Type != tar.TypeReg {
			sc.b.Fault(rel, source.Shown(m.Name), m.Offset, "is no regular file")
			continue
		}
		if err := each(f, m); err != nil {
			return err
		}
	}
	return nil
}

// train lists the tar files in the training archive.
func (sc *scanner) train() error {
	return sc.archive(trainFile, func(f *os.File, m tars.Member) error {
		base := path.Base(m.Name)
		wnid, ok := strings.CutSuffix(base, ".tar")
		if !ok || strings.HasPrefix(base, ".") {
			sc.others++
			return nil
		}
		file := index.Join(sc.root, trainFile) + ": " + m.Name
		if !source.IsClassName(wnid) {
			return &source.FileError{File: file, Offset: m.Offset, Msg: "is a class name that is no UTF-8, blank, or holds a control character"}
		}
		if _, ok := sc.wnids[wnid]; !ok {
			sc.wnids[wnid] = nil // a class, even if it holds nothing
		}
		for in, err := range tars.Members(io.NewSectionReader(f, m.Offset, m.Size), m.Size, file) {
			var wrong *source.FileError
			if errors.As(err, &wrong) {
				wrong.Offset += m.Offset
			}
			if err != nil {
				return err
			}
			hidden := strings.HasPrefix(path.Base(in.Name), ".")
			in.Offset += m.Offset
			in.Name = base + "/" + in.Name
			switch {
			case in.Type == tar.TypeDir:
			case in.Type != tar.TypeReg:
				sc.b.Fault(trainFile, source.Shown(in.Name), in.Offset, "is no regular file")
			case hidden:
				sc.others++
			default:
				sc.wnids[wnid] = append(sc.wnids[wnid], in)
			}
		}
		return nil
	})
}

// devkit reads the devkit, which the validation archive needs.
func (sc *scanner) devkit() (*devkit, error) {
	kit, err := readDevkit(sc.root)
	if errors.Is(err, errNoDevkit) {
		return nil, &source.FileError{File: filepath.Join(sc.root, devkitArchive), Msg: "is missing: without it nobody knows what the images of " + valFile + " show",
			Hint: "put " + devkitArchive + " (md5 " + devkitMD5 + ") beside it, or point --data-dir at a folder with the training archive alone"}
	}
	if err != nil {
		return nil, err
	}
	for _, rel := range kit.depends {
		if err := sc.stamp(rel); err != nil {
			return nil, err
		}
	}
	return kit, nil
}

// validation lists the validation archive.
func (sc *scanner) validation(kit *devkit) error {
	seen := make([]bool, len(kit.truth))
	err := sc.archive(valFile, func(_ *os.File, m tars.Member) error {
		n, ok := valNumber(path.Base(m.Name))
		wrong := ""
		switch {
		case !ok:
			sc.others++
			return nil
		case n > len(kit.truth):
			wrong = fmt.Sprintf("is validation image %d, and the devkit knows %d", n, len(kit.truth))
		case seen[n-1]:
			wrong = fmt.Sprintf("is validation image %d once more", n)
		case kit.wnids[kit.truth[n-1]] == "":
			wrong = fmt.Sprintf("has ILSVRC2012_ID %d, which no synset of %s has", kit.truth[n-1], metaFile)
		}
		if wrong != "" {
			sc.b.Fault(valFile, source.Shown(m.Name), m.Offset, wrong)
			return nil
		}
		seen[n-1] = true
		sc.val = append(sc.val, valImage{m, n, kit.wnids[kit.truth[n-1]]})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(sc.val, func(a, b valImage) int { return a.number - b.number })
	if missing := len(kit.truth) - len(sc.val); missing > 0 {
		sc.b.Note("validation images of the devkit that are not in %s: %d of %d", valFile, missing, len(kit.truth))
	}
	return nil
}

// valNumber reads the number in ILSVRC2012_val_00000001.JPEG.
func valNumber(name string) (int, bool) {
	rest, ok := strings.CutPrefix(name, "ILSVRC2012_val_")
	if !ok {
		return 0, false
	}
	digits, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(digits)
	return n, err == nil && n > 0
}

// finish decides the classes and adds the records.
func (sc *scanner) finish(hasTrain, hasVal bool, kit *devkit) {
	set := map[string]bool{}
	for wnid := range sc.wnids {
		set[wnid] = true
	}
	for _, v := range sc.val {
		set[v.wnid] = true
	}
	if !hasTrain {
		for _, s := range kit.synsets {
			if s.children == 0 {
				set[s.wnid] = true
			}
		}
	}
	in := sc.b.Info()
	for wnid := range set {
		in.Classes = append(in.Classes, wnid)
	}
	sort.Strings(in.Classes)
	in.Format, in.Named = Format, true
	in.About = fmt.Sprintf("ImageNet archives of %d classes", len(in.Classes))
	if hasTrain {
		sc.addTrain(in.Classes)
	}
	if hasVal {
		split, file := sc.b.Split("val"), sc.b.File(valFile)
		for _, v := range sc.val {
			label, _ := slices.BinarySearch(in.Classes, v.wnid)
			sc.b.Add(split, int32(label), index.Record{File: file, Name: v.Name, Offset: v.Offset, Size: v.Size})
		}
	} else {
		sc.b.Note("%s is not there: no validation images", valFile)
	}
	if exists(sc.root, testFile) {
		sc.b.Note("%s was left out: its images have no labels", testFile)
	}
	if sc.others > 0 {
		sc.b.Note("members of other names in the archives, left out: %d", sc.others)
	}
}

// addTrain adds the training images, by class and name.
func (sc *scanner) addTrain(classes []string) {
	split, file := sc.b.Split("train"), sc.b.File(trainFile)
	var empty []string
	for label, wnid := range classes {
		all := sc.wnids[wnid]
		if len(all) == 0 {
			empty = append(empty, wnid)
		}
		slices.SortStableFunc(all, func(a, b tars.Member) int { return strings.Compare(a.Name, b.Name) })
		for _, r := range all {
			sc.b.Add(split, int32(label), index.Record{File: file, Name: r.Name, Offset: r.Offset, Size: r.Size})
		}
	}
	if len(empty) > 0 {
		sc.b.Note("classes without training images: %d (%s the first)", len(empty), source.Shown(empty[0]))
	}
}
