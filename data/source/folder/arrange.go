package folder

import (
	"fmt"
	"path"
	"slices"
	"sort"
	"strings"

	"oneshot/data/source"
	"oneshot/data/source/index"
)

// Arrange finds the splits, classes and records of a tree, which adds records to b.
func Arrange(tree Tree, b *index.Builder) error {
	a := &arranger{tree: tree, b: b}
	l, err := a.find()
	if err != nil {
		return err
	}
	return a.arrange(l)
}

type arranger struct {
	tree Tree
	b    *index.Builder

	noImages []string // files left out for their extension
	stray    []string // files outside class folders
	empty    []string // class folders without files
	visited  map[string]bool
}

// class is a class folder of a part.
type class struct {
	split int
	entry Entry
	dir   string
	as    string // the class folder, without following links
}

// arrange adds the records below the class folders of l.
func (a *arranger) arrange(l *layout) error {
	var classes []class
	names := map[string]bool{}
	for _, p := range l.parts {
		split := a.b.Split(p.name)
		all, err := a.sorted(p.dir)
		if err != nil {
			return err
		}
		for _, e := range all {
			switch {
			case e.Dir && e.Fault == "":
				if !source.IsClassName(e.Name) {
					return a.wrong(path.Join(p.dir, e.Name), "is a class name that is no UTF-8, blank, or holds a control character", "rename the folder")
				}
				names[e.Name] = true
				classes = append(classes, class{split, e, p.dir, path.Join(p.as, e.Name)})
			case e.Fault != "":
				a.tree.Fault(p.dir, e)
			case p.name != "" || !isSide(e.Name):
				a.stray = append(a.stray, path.Join(p.dir, e.Name))
			}
		}
	}
	in := a.b.Info()
	for n := range names {
		in.Classes = append(in.Classes, n)
	}
	sort.Strings(in.Classes)
	in.Named = true
	for _, c := range classes {
		label, _ := slices.BinarySearch(in.Classes, c.entry.Name)
		if err := a.class(c, int32(label)); err != nil {
			return err
		}
	}
	in.Notes = append(in.Notes, l.notes...)
	a.notes()
	records := 0
	for _, s := range in.Splits {
		records += len(s.Labels)
	}
	if records == 0 {
		msg := "holds no images in its class folders"
		if n := len(in.Faults); n > 0 {
			msg += fmt.Sprintf(", but %d that are not read, the first: %s %s", n, shown(in.Faults[0].File), in.Faults[0].Msg)
		}
		return a.wrong(".", msg, Wanted)
	}
	return nil
}

const holdsIt = "is a link to a folder that holds it"

// class adds the records of a class folder.
func (a *arranger) class(c class, label int32) error {
	dir := c.entry.path(c.dir)
	if c.entry.Real != "" && holds(dir, c.dir) {
		c.entry.Fault = holdsIt
		a.tree.Fault(c.dir, c.entry)
		return nil
	}
	a.visited = map[string]bool{dir: true}
	n, err := a.walk(c.split, label, dir, c.as)
	if n == 0 && err == nil {
		a.empty = append(a.empty, path.Join(c.dir, c.entry.Name))
	}
	return err
}

// walk adds the files in and below dir, and returns their number. Of a class it lists
// every folder once, so that links to folders cannot make it endless. as is dir without
// following links.
func (a *arranger) walk(split int, label int32, dir, as string) (n int, err error) {
	all, err := a.sorted(dir)
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		switch {
		case e.Fault != "":
			a.tree.Fault(dir, e)
		case e.Dir:
			at := e.path(dir)
			if e.Real != "" && holds(at, dir) {
				e.Fault = holdsIt
			} else if a.visited[at] {
				e.Fault = fmt.Sprintf("is the folder %s again, which another link led to", shown(at))
			}
			if e.Fault != "" {
				a.tree.Fault(dir, e)
				continue
			}
			a.visited[at] = true
			m, err := a.walk(split, label, at, path.Join(as, e.Name))
			if err != nil {
				return n, err
			}
			n += m
		case isText(e.Name):
			a.noImages = append(a.noImages, path.Join(dir, e.Name))
		default:
			in, link := dir, path.Join(as, e.Name)
			if e.Real != "" {
				in, e = path.Dir(e.Real), Entry{Name: path.Base(e.Real), Size: e.Size}
			}
			if link != path.Join(in, e.Name) {
				e.Link = link
			}
			a.tree.Add(split, label, in, e)
			n++
		}
	}
	return n, nil
}

// holds says that dir is in outer, or outer itself.
func holds(outer, dir string) bool {
	return outer == "." || dir == outer || strings.HasPrefix(dir, outer+"/")
}

// countRecords counts the files that could be images.
func (a *arranger) countRecords(files []Entry) (n int) {
	for _, e := range files {
		if !isSide(e.Name) {
			n++
		}
	}
	return n
}

func (a *arranger) notes() {
	if n := len(a.noImages); n > 0 {
		a.b.Note("files that are no images by their extension, left out: %d (%s)", n, some(a.noImages))
	}
	if n := len(a.stray); n > 0 {
		a.b.Note("files outside class folders, left out: %d (%s)", n, some(a.stray))
	}
	if n := len(a.empty); n > 0 {
		a.b.Note("class folders without images: %d (%s)", n, some(a.empty))
	}
}
