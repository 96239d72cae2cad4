package folder

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"oneshot/data/source"
	"oneshot/data/source/index"
)

// Format is the format's name.
const Format = "folder"

// Open opens the folder at root. An error is a *source.FileError where the folder is at fault.
func Open(root string, cache index.Cache) (source.Source, error) {
	l, err := index.Open(cache, Format, root, root, func() (*index.Listing, error) { return scan(root) })
	if err != nil {
		return nil, err
	}
	return NewSource(l, root)
}

func scan(root string) (*index.Listing, error) {
	b := new(index.Builder)
	d, err := newDisk(root, b)
	if err != nil {
		return nil, err
	}
	if err := Arrange(d, b); err != nil {
		return nil, err
	}
	in := b.Info()
	in.Format = Format
	in.About = fmt.Sprintf("folder of %d class folders", len(in.Classes))
	return b.Listing()
}

// Detect says what folder path holds, "" where it holds no class folders with images. It
// looks at a few folders only, and into files only where no name is that of an image.
func Detect(root string) string {
	b := new(index.Builder)
	d, err := newDisk(root, b)
	if err != nil {
		return ""
	}
	a := &arranger{tree: names{d}, b: b}
	l, err := a.find()
	if err != nil {
		return ""
	}
	about := "class folders"
	if l.parts[0].name != "" {
		about = "split folders of class folders"
	}
	const looks = 20 // folders; the first ones may hold no images
	for _, p := range l.parts {
		classes, _, err := a.list(p.dir)
		if err != nil {
			return ""
		}
		for _, c := range classes[:min(len(classes), looks)] {
			if a.hasImage(d, c.path(p.dir), 4) {
				return about
			}
		}
	}
	return ""
}

// hasImage says that there is an image in dir, or in the first folder of each of depth levels
// below: a file with an image's name, or among the first without a known extension one that
// starts as an image does.
func (a *arranger) hasImage(d *disk, dir string, depth int) bool {
	dirs, files, err := a.list(dir)
	if err != nil {
		return false
	}
	if slices.ContainsFunc(files, func(e Entry) bool { return IsImageName(e.Name) }) {
		return true
	}
	files = slices.DeleteFunc(files, func(e Entry) bool { return isSide(e.Name) || e.Fault != "" })
	const looks = 3 // files; the first may be empty
	for _, e := range files[:min(len(files), looks)] {
		at := path.Join(dir, e.Name)
		if e.Real != "" {
			at = e.Real
		}
		if startsAsImage(index.Join(d.real, at)) {
			return true
		}
	}
	return depth > 0 && len(dirs) > 0 && a.hasImage(d, dirs[0].path(dir), depth-1)
}

// startsAsImage says that a file starts as JPEG, PNG, GIF, WebP or BMP files do.
func startsAsImage(file string) bool {
	f, _, err := source.OpenFile(file)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [12]byte
	if _, err := io.ReadFull(f, head[:]); err != nil {
		return false
	}
	s := string(head[:])
	return strings.HasPrefix(s, "\xff\xd8\xff") || strings.HasPrefix(s, "\x89PNG\r\n\x1a\n") || strings.HasPrefix(s, "GIF8") ||
		strings.HasPrefix(s, "RIFF") && s[8:] == "WEBP" || strings.HasPrefix(s, "BM") && s[6:10] == "\x00\x00\x00\x00"
}

// names is a disk of which only names are wanted.
type names struct{ *disk }

func (n names) List(dir string) ([]Entry, error) {
	entries, err := os.ReadDir(index.Join(n.real, dir))
	list := make([]Entry, 0, len(entries))
	for _, de := range entries {
		e := Entry{Name: de.Name(), Dir: de.IsDir()}
		if de.Type()&fs.ModeSymlink != 0 {
			n.follow(index.Join(n.real, dir), &e)
		}
		list = append(list, e)
	}
	return list, err
}

// files is a source whose records are files of their own.
type files struct {
	list *index.Listing
	name string   // of the root, as the user knows it
	root *os.Root // through which files are opened
}

// NewSource returns a source of the files of l, whose Files are folders below root.
func NewSource(l *index.Listing, root string) (source.Source, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, missing(root, err)
	}
	return &files{list: l, name: root, root: r}, nil
}

func (f *files) Info() *source.Info { return &f.list.Info }

func (f *files) Where(split, record int) source.Place {
	r, err := f.list.Record(split, record)
	if err != nil {
		return source.Place{}
	}
	return f.place(r)
}

func (f *files) place(r index.Record) source.Place {
	return source.Place{File: shown(index.Join(f.name, path.Join(f.list.Files[r.File], r.Name)))}
}

// Read implements source.Source. A record of another size than listed, or gone, is an
// *index.ChangedError; an empty one, one that is too large or may not be read is a *source.Fault.
func (f *files) Read(split, record int, buf []byte) ([]byte, error) {
	r, err := f.list.Record(split, record)
	if err != nil {
		return nil, err
	}
	// A pipe that took the file's place must not make this wait for a writer.
	file, err := f.root.OpenFile(index.Join(".", path.Join(f.list.Files[r.File], r.Name)), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, f.list.Changed(f.place(r), "is gone")
	case errors.Is(err, fs.ErrPermission):
		return nil, &source.Fault{Place: f.place(r), Msg: "may not be read", Err: err}
	case err != nil:
		return nil, fmt.Errorf("data: %s: %w", f.place(r), err)
	}
	defer file.Close()
	fi, err := file.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("data: %s: %w", f.place(r), err)
	case !fi.Mode().IsRegular():
		return nil, f.list.Changed(f.place(r), "is no regular file any more")
	case fi.Size() != r.Size:
		return nil, f.list.Changed(f.place(r), fmt.Sprintf("has %d bytes, and had %d", fi.Size(), r.Size))
	case r.Size == 0:
		return nil, &source.Fault{Place: f.place(r), Msg: "is empty"}
	case r.Size > index.MaxRecord:
		return nil, &source.Fault{Place: f.place(r), Msg: fmt.Sprintf("has %d bytes, want at most %d", r.Size, index.MaxRecord)}
	}
	out := slices.Grow(buf[:0], int(r.Size))[:r.Size]
	if _, err := io.ReadFull(file, out); err != nil {
		return nil, fmt.Errorf("data: %s: %w", f.place(r), err)
	}
	return out, nil
}

func (f *files) Close() error { return f.root.Close() }
