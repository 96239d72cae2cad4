package index

import (
	"fmt"
	"hash/maphash"
	"math"
	"path"
	"path/filepath"

	"oneshot/data/source"
)

// MaxRecord is the largest record in bytes that is read: no photograph is as large, and
// a video that strayed into a class folder must not fill the memory.
const MaxRecord = 256 << 20

// Listing is what a source knows of its records. It is made by a [Builder].
type Listing struct {
	Info   source.Info
	Stamps []Stamp
	// Files are the folders or archives that hold the records, as slash-separated paths
	// from the source's root.
	Files []string

	splits []records // as Info.Splits
	path   string    // of the index file, or ""
}

// records are the columns of a split that Info does not have.
type records struct {
	files   []uint32 // (records), positions in Listing.Files
	offsets []int64  // (records), or nil where all are 0
	ends    []uint32 // (records), of each name within names
	names   string
}

// Record is where a record lies.
type Record struct {
	File   int    // position in Listing.Files
	Name   string // of the file within the folder, or of the member within the archive
	Offset int64  // of its bytes in the archive
	Size   int64  // in bytes
	// Link is the path by which Add was led to the record, slash-separated from the root,
	// where that is another than its own. It is not kept.
	Link string
}

// Record returns where a record lies, or an error if there is none.
func (l *Listing) Record(split, record int) (Record, error) {
	if err := l.Info.Check(split, record); err != nil {
		return Record{}, err
	}
	s := &l.splits[split]
	r := Record{File: int(s.files[record]), Name: s.name(record), Size: l.Info.Splits[split].Sizes[record]}
	if s.offsets != nil {
		r.Offset = s.offsets[record]
	}
	return r, nil
}

func (s *records) name(i int) string {
	start := uint32(0)
	if i > 0 {
		start = s.ends[i-1]
	}
	return s.names[start:s.ends[i]]
}

// Changed reports that the record at p is no longer what the listing says: msg tells how.
func (l *Listing) Changed(p source.Place, msg string) error {
	return &ChangedError{Place: p, Msg: msg, Index: l.path}
}

// Builder collects a Listing. The zero Builder is ready.
type Builder struct {
	l     Listing
	ids   map[string]uint32
	names [][]byte // of each split
	seen  map[uint64]added
	twice *twiceError
	err   error
}

// added is a record that was added, by its position.
type added struct{ split, record uint32 }

// Split adds a split and returns its position.
func (b *Builder) Split(name string) int {
	b.l.Info.Splits = append(b.l.Info.Splits, source.Split{Name: name})
	b.l.splits = append(b.l.splits, records{})
	b.names = append(b.names, nil)
	return len(b.l.splits) - 1
}

// File returns the position of a folder or archive, a slash-separated path from the root.
func (b *Builder) File(path string) int {
	id, ok := b.ids[path]
	if !ok {
		if b.ids == nil {
			b.ids = map[string]uint32{}
		}
		id = uint32(len(b.l.Files))
		b.ids[path] = id
		b.l.Files = append(b.l.Files, path)
	}
	return int(id)
}

// Add adds a record to a split. Labels may be changed afterwards in Info.
//
// A record that is there already, to which a link led again, is a fault in its own split. In
// another split it is an error of Listing: images would be tested on that were trained on.
func (b *Builder) Add(split int, label int32, r Record) {
	if old, again := b.again(split, r); again {
		b.reject(old, split, label, r)
		return
	}
	s, to := &b.l.splits[split], &b.l.Info.Splits[split]
	to.Labels = append(to.Labels, label)
	to.Sizes = append(to.Sizes, r.Size)
	s.files = append(s.files, uint32(r.File))
	if r.Offset != 0 && s.offsets == nil {
		s.offsets = make([]int64, len(s.files)-1)
	}
	if s.offsets != nil {
		s.offsets = append(s.offsets, r.Offset)
	}
	b.names[split] = append(b.names[split], r.Name...)
	if len(b.names[split]) > math.MaxUint32 && b.err == nil {
		b.err = fmt.Errorf("data: the names of split %q have more than 4 GiB", to.Name)
	}
	s.ends = append(s.ends, uint32(len(b.names[split])))
}

var seed = maphash.MakeSeed()

// again returns the record that r is again. It holds a hash of each record, and compares
// the records themselves where two are equal.
func (b *Builder) again(split int, r Record) (old added, again bool) {
	type key struct {
		file, offset int64
		name         string
	}
	h := maphash.Comparable(seed, key{int64(r.File), r.Offset, r.Name})
	old, hit := b.seen[h]
	if !hit {
		if b.seen == nil {
			b.seen = map[uint64]added{}
		}
		b.seen[h] = added{uint32(split), uint32(len(b.l.splits[split].files))}
		return old, false
	}
	s, i := &b.l.splits[old.split], old.record
	start := uint32(0)
	if i > 0 {
		start = s.ends[i-1]
	}
	offset := int64(0)
	if s.offsets != nil {
		offset = s.offsets[i]
	}
	same := int(s.files[i]) == r.File && offset == r.Offset && string(b.names[old.split][start:s.ends[i]]) == r.Name
	return old, same
}

// reject reports a record that is old again.
func (b *Builder) reject(old added, split int, label int32, r Record) {
	own, in := b.l.Files[r.File], &b.l.Info.Splits[old.split]
	if r.Offset == 0 { // a file of a folder
		own = path.Join(own, r.Name)
	}
	at, msg := r.Link, "is "+source.Shown(own)+" again, by a link"
	if at == "" {
		at, msg = own, "is there already, by a link"
	}
	if int(old.split) != split {
		if b.twice == nil {
			b.twice = &twiceError{source.Wrong(at, r.Offset, "an image may be in one split only: point --data-dir at a folder without the link", nil,
				"%s: one image would be in the splits %q and %q", msg, in.Name, b.l.Info.Splits[split].Name)}
		}
		return
	}
	if in.Labels[old.record] != label {
		msg += ", in another class"
	}
	b.Fault(at, "", r.Offset, msg)
}

// Fault adds a record that is left out. file is a slash-separated path from the root.
func (b *Builder) Fault(file, member string, offset int64, msg string) {
	b.l.Info.Faults = append(b.l.Info.Faults, &source.Fault{Place: source.Place{File: file, Offset: offset, Member: member}, Msg: msg})
}

// Note adds a note.
func (b *Builder) Note(format string, args ...any) {
	b.l.Info.Notes = append(b.l.Info.Notes, fmt.Sprintf(format, args...))
}

// Info is what the listing says of the whole so far.
func (b *Builder) Info() *source.Info { return &b.l.Info }

// Stamp adds a stamp.
func (b *Builder) Stamp(s Stamp) { b.l.Stamps = append(b.l.Stamps, s) }

// Listing ends the building.
func (b *Builder) Listing() (*Listing, error) {
	if b.twice != nil {
		return nil, b.twice
	}
	if b.err != nil {
		return nil, b.err
	}
	for i := range b.l.splits {
		b.l.splits[i].names = string(b.names[i])
		b.names[i] = nil
	}
	return &b.l, nil
}

// Join is the path of a file of the listing: rel is slash-separated, from root, or absolute.
func Join(root, rel string) string {
	rel = filepath.FromSlash(rel)
	if filepath.IsAbs(rel) {
		return rel
	}
	return filepath.Join(root, rel)
}
