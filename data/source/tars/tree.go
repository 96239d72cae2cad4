package tars

import (
	"archive/tar"
	"fmt"
	"path"
	"strings"

	"oneshot/data/source"
	"oneshot/data/source/folder"
	"oneshot/data/source/index"
)

// tree is the names of tar files as a folder.Tree. A file's class and split are its
// folders, and its own path says where its bytes are.
type tree struct {
	b     *index.Builder
	name  string
	dirs  map[string][]folder.Entry
	at    map[string]leaf
	twice int // members that a later one of the same name replaces
}

// leaf is where an entry stands.
type leaf struct {
	file   string // the tar file, from the root
	member string // its name in the file
	entry  int    // position in its folder, -1 for a folder
}

func newTree(b *index.Builder, name string) *tree {
	return &tree{b: b, name: name, dirs: map[string][]folder.Entry{".": nil}, at: map[string]leaf{}}
}

const (
	maxName  = 4096 // bytes of a member's name that is taken for a path: that of Linux
	maxDepth = 64   // folders around a member: each takes memory, and two bytes of the name
)

// addTar adds the members of a tar file below the folder that its own name says.
func (t *tree) addTar(root string, s shard, alone bool) error {
	file := index.Join(root, s.file)
	f, size, err := source.OpenFile(file)
	if err != nil {
		return err
	}
	defer f.Close()
	one := newTree(t.b, "")
	for m, err := range Members(f, size, file) {
		if err != nil {
			return err
		}
		one.addMember(s.file, m)
	}
	t.twice += one.twice
	base := one.unwrap()
	mount := s.split
	for _, e := range one.dirs[base] {
		if alone && e.Dir && source.Role(e.Name) != "" {
			mount, base = "", "." // it has splits of its own
			break
		}
	}
	t.graft(one, base, path.Join(".", mount))
	return nil
}

// addMember adds a member to the tree, or a fault for a name that is no path.
func (t *tree) addMember(file string, m Member) {
	name := path.Clean(m.Name)
	switch {
	case len(m.Name) > maxName:
		t.b.Fault(file, source.Shown(m.Name[:64]+"..."), m.Offset, fmt.Sprintf("has a name of %d bytes, want at most %d", len(m.Name), maxName))
		return
	case path.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") || strings.ContainsRune(name, 0):
		t.b.Fault(file, source.Shown(m.Name), m.Offset, "has a name that is no path within the archive")
		return
	case name == ".":
		return
	case strings.Count(name, "/") > maxDepth:
		t.b.Fault(file, source.Shown(m.Name), m.Offset, fmt.Sprintf("lies in %d folders, want at most %d", strings.Count(name, "/"), maxDepth))
		return
	}
	e := folder.Entry{Name: path.Base(name), Size: m.Size, Offset: m.Offset}
	switch m.Type {
	case tar.TypeDir:
		t.addDir(name)
		return
	case tar.TypeReg:
	case tar.TypeLink, tar.TypeSymlink:
		e.Fault = "is a link, which is not followed in an archive"
	default:
		e.Fault = "is no regular file"
	}
	dir := path.Dir(name)
	t.addDir(dir)
	if old, ok := t.at[name]; ok {
		if old.entry >= 0 {
			t.twice++
			t.dirs[dir][old.entry] = e
			t.at[name] = leaf{file, m.Name, old.entry}
		}
		return
	}
	t.at[name] = leaf{file, m.Name, len(t.dirs[dir])}
	t.dirs[dir] = append(t.dirs[dir], e)
}

// addDir adds a folder and those that it lies in. A file of its name gives way.
func (t *tree) addDir(dir string) {
	if _, ok := t.dirs[dir]; ok {
		return
	}
	t.dirs[dir] = nil
	parent := path.Dir(dir)
	t.addDir(parent)
	e := folder.Entry{Name: path.Base(dir), Dir: true}
	if old, ok := t.at[dir]; ok {
		t.twice++
		t.dirs[parent][old.entry] = e
	} else {
		t.dirs[parent] = append(t.dirs[parent], e)
	}
	t.at[dir] = leaf{entry: -1}
}

// unwrap passes through folders that hold nothing but one folder of folders.
func (t *tree) unwrap() string {
	dir := "."
	for {
		list := t.dirs[dir]
		if len(list) != 1 || !list[0].Dir {
			return dir
		}
		inner := path.Join(dir, list[0].Name)
		folders := 0
		for _, e := range t.dirs[inner] {
			if e.Dir {
				folders++
			} else if folder.IsImageName(e.Name) {
				return dir
			}
		}
		if folders == 0 {
			return dir
		}
		dir = inner
	}
}

// graft adds what one has below base to t below mount.
func (t *tree) graft(one *tree, base, mount string) {
	move := func(p string) (string, bool) {
		if base == "." {
			return path.Join(mount, p), true
		}
		rel, ok := strings.CutPrefix(p+"/", base+"/")
		return path.Join(mount, rel), ok
	}
	t.addDir(mount)
	for dir, entries := range one.dirs {
		if to, ok := move(dir); ok {
			t.addDir(to)
			for _, e := range entries {
				if !e.Dir {
					t.dirs[to] = append(t.dirs[to], e)
				}
			}
		}
	}
	for p, l := range one.at {
		if to, ok := move(p); ok && l.entry >= 0 {
			t.at[to] = l
		}
	}
}

// List implements folder.Tree.
func (t *tree) List(dir string) ([]folder.Entry, error) { return t.dirs[dir], nil }

// Name implements folder.Tree.
func (t *tree) Name(dir string) string {
	if dir == "." {
		return t.name
	}
	return t.name + ": " + dir
}

// Add implements folder.Tree.
func (t *tree) Add(split int, label int32, dir string, e folder.Entry) {
	l := t.at[path.Join(dir, e.Name)]
	t.b.Add(split, label, index.Record{File: t.b.File(l.file), Name: l.member, Offset: e.Offset, Size: e.Size})
}

// Fault implements folder.Tree.
func (t *tree) Fault(dir string, e folder.Entry) {
	l := t.at[path.Join(dir, e.Name)]
	t.b.Fault(l.file, source.Shown(l.member), e.Offset, e.Fault)
}
