package folder

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"oneshot/data/source"
)

// Entry is a file or folder in a Tree.
type Entry struct {
	Name   string
	Dir    bool
	Size   int64
	Offset int64  // of the bytes of a file, in a tree within an archive
	Real   string // of a link: the path that it leads to
	Link   string // of a file in Add: the path that led to it, where that is another
	Fault  string // why the entry cannot be read, or ""
}

// Tree is what is arranged: a folder, or the names in an archive. Paths are
// slash-separated from the top, which is ".".
type Tree interface {
	// List returns the entries of a folder, in any order.
	List(dir string) ([]Entry, error)
	// Name is the path of a folder as the user knows it.
	Name(dir string) string
	// Add adds the file e in the folder dir as a record.
	Add(split int, label int32, dir string, e Entry)
	// Fault adds the entry e in the folder dir as one that is left out for e.Fault.
	Fault(dir string, e Entry)
}

// Wanted says which layout is read.
const Wanted = "want train/<class>/<image> and val/<class>/<image>, or <class>/<image>"

// part is a split, or the whole where there are none.
type part struct {
	name string // as the folder is called
	dir  string
	as   string // dir without following a link
}

// layout is where class folders lie.
type layout struct {
	parts []part // by source.RoleNames
	notes []string
}

// maxWrapping is how many folders around the collection are passed through.
const maxWrapping = 4

// find looks for the split folders, or else the class folders.
func (a *arranger) find() (*layout, error) {
	dir := "."
	for range maxWrapping {
		dirs, files, err := a.list(dir)
		if err != nil {
			return nil, err
		}
		l, err := a.splits(dir, dirs, files)
		if l != nil || err != nil {
			return l, err
		}
		if len(dirs) == 0 {
			if n := a.countRecords(files); n > 0 {
				return nil, a.wrong(dir, fmt.Sprintf("holds %d files and no class folders", n), Wanted)
			}
			return nil, a.wrong(dir, "holds no class folders", Wanted)
		}
		// A folder that holds nothing but folders, alone: an archive's own, or a class
		// without images. One class is no use, so it is passed through.
		if len(dirs) == 1 && a.countRecords(files) == 0 {
			inner, innerFiles, err := a.list(dirs[0].path(dir))
			if err != nil {
				return nil, err
			}
			if len(inner) > 0 && a.countRecords(innerFiles) == 0 {
				dir = dirs[0].path(dir)
				continue
			}
		}
		return &layout{parts: []part{{"", dir, dir}}}, nil
	}
	return nil, a.wrong(dir, "lies in folders in folders", Wanted)
}

// splits returns the layout where dir holds split folders, nil where it does not. A folder
// called train beside others may be the class of trains: it is a split if it
// holds folders, or if there is nothing else.
func (a *arranger) splits(dir string, dirs, files []Entry) (*layout, error) {
	found := map[string]Entry{}
	var others []string
	for _, e := range dirs {
		s := source.Role(e.Name)
		if s == "" {
			others = append(others, e.Name)
			continue
		}
		if before, ok := found[s]; ok {
			return nil, a.wrong(dir, fmt.Sprintf("holds %s and %s, two folders for one split", before.Name, e.Name), "give one of them another name")
		}
		found[s] = e
	}
	if len(found) == 0 {
		return nil, nil
	}
	if len(others) > 0 {
		train, ok := found["train"]
		if !ok {
			return nil, nil
		}
		inner, _, err := a.list(train.path(dir))
		if err != nil {
			return nil, err
		}
		if len(inner) == 0 {
			return nil, nil
		}
	}
	l := new(layout)
	for _, s := range source.RoleNames() {
		e, ok := found[s]
		if !ok {
			continue
		}
		p := part{e.Name, e.path(dir), path.Join(dir, e.Name)}
		classes, files, err := a.list(p.dir)
		if err != nil {
			return nil, err
		}
		n := a.countRecords(files)
		switch {
		case len(classes) > 0:
			l.parts = append(l.parts, p)
		case s != "train" && n == 0:
			l.notes = append(l.notes, fmt.Sprintf("%s was left out: it is empty", shown(p.dir)))
		case s == "test":
			l.notes = append(l.notes, fmt.Sprintf("%s was left out: it holds %d files and no class folders", shown(p.dir), n))
		case s == "val":
			return nil, a.wrong(p.dir, fmt.Sprintf("holds %d files and no class folders", n),
				"sort them into class folders; of ImageNet, keep ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz in one folder instead, which are read as they are")
		default:
			return nil, a.wrong(p.dir, fmt.Sprintf("holds %d files and no class folders", n), Wanted)
		}
	}
	for _, e := range files {
		if archives[extension(e.Name)] {
			others = append(others, e.Name)
		}
	}
	if len(others) > 0 {
		l.notes = append(l.notes, fmt.Sprintf("left out beside the split folders: %s", some(others)))
	}
	if len(l.parts) == 0 {
		return nil, a.wrong(dir, "holds no class folders", Wanted)
	}
	return l, nil
}

// list returns the folders and files in dir in byte order of their paths, without hidden
// ones and what operating systems leave behind.
func (a *arranger) list(dir string) (dirs, files []Entry, err error) {
	all, err := a.sorted(dir)
	for _, e := range all {
		if e.Dir {
			dirs = append(dirs, e)
		} else {
			files = append(files, e)
		}
	}
	return dirs, files, err
}

// sorted is list with folders and files together.
func (a *arranger) sorted(dir string) ([]Entry, error) {
	all, err := a.tree.List(dir)
	if err != nil {
		return nil, err
	}
	kept := make([]Entry, 0, len(all))
	for _, e := range all {
		if !isLitter(e.Name) {
			kept = append(kept, e)
		}
	}
	// A folder's files have its name and a slash before theirs.
	slices.SortFunc(kept, func(x, y Entry) int {
		if !x.Dir && !y.Dir {
			return cmp.Compare(x.Name, y.Name)
		}
		return cmp.Compare(x.key(), y.key())
	})
	return kept, nil
}

func (e Entry) key() string {
	if e.Dir {
		return e.Name + "/"
	}
	return e.Name
}

// path is where a folder in dir is listed: where it leads, for a link.
func (e Entry) path(dir string) string {
	if e.Real != "" {
		return e.Real
	}
	return path.Join(dir, e.Name)
}

// wrong is an error about a folder of the tree.
func (a *arranger) wrong(dir, msg, hint string) error {
	return &source.FileError{File: a.tree.Name(dir), Msg: msg, Hint: hint}
}

func shown(name string) string { return source.Shown(name) }

// some names up to five things, and how many more there are.
func some(names []string) string {
	const most = 5
	var b strings.Builder
	for i, n := range names[:min(len(names), most)] {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(shown(n))
	}
	if len(names) > most {
		fmt.Fprintf(&b, " and %d more", len(names)-most)
	}
	return b.String()
}
