package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"

	"oneshot/data/source"
)

const (
	magic   = "1shotidx"
	version = 1
	header  = len(magic) + 1 + sha256.Size
)

// encode writes l as the index of the source of that format at path.
func encode(w io.Writer, l *Listing, format, path string) error {
	var e encoder
	e.text(format)
	e.text(path)
	e.number(len(l.Stamps))
	for _, s := range l.Stamps {
		e.text(s.Path)
		e.flag(s.Dir)
		e.int64(s.Size)
		e.int64(s.Time)
	}
	in := &l.Info
	e.text(in.Format)
	e.text(in.About)
	e.flag(in.Named)
	e.texts(in.Classes)
	e.texts(in.Notes)
	e.number(len(in.Faults))
	for _, f := range in.Faults {
		e.text(f.File)
		e.int64(f.Offset)
		e.text(f.Member)
		e.text(f.Msg)
	}
	e.texts(l.Files)
	e.number(len(in.Splits))
	for i := range in.Splits {
		e.split(&in.Splits[i], &l.splits[i])
	}
	sum := sha256.Sum256(e.b)
	head := append([]byte(magic), version)
	if _, err := w.Write(append(head, sum[:]...)); err != nil {
		return err
	}
	_, err := w.Write(e.b)
	return err
}

type encoder struct{ b []byte }

func (e *encoder) number(n int)  { e.b = binary.AppendUvarint(e.b, uint64(n)) }
func (e *encoder) int64(n int64) { e.b = binary.AppendVarint(e.b, n) }
func (e *encoder) text(s string) { e.number(len(s)); e.b = append(e.b, s...) }
func (e *encoder) texts(s []string) {
	e.number(len(s))
	for _, s := range s {
		e.text(s)
	}
}

func (e *encoder) flag(v bool) {
	n := 0
	if v {
		n = 1
	}
	e.number(n)
}

func (e *encoder) split(s *source.Split, r *records) {
	e.text(s.Name)
	e.number(len(s.Labels))
	for _, v := range s.Labels {
		e.number(int(v))
	}
	for _, v := range s.Sizes {
		e.number(int(v))
	}
	for _, v := range r.files {
		e.number(int(v))
	}
	e.flag(r.offsets != nil)
	for _, v := range r.offsets {
		e.number(int(v))
	}
	start := uint32(0)
	for _, end := range r.ends {
		e.number(int(end - start))
		start = end
	}
	e.text(r.names)
}

var errDamaged = errors.New("index: damaged")

// decode reads an index file. Its error says that the file is no index of this version, or
// damaged: no count is believed that the remaining bytes could not hold.
func decode(b []byte) (l *Listing, format, path string, err error) {
	if len(b) < header || string(b[:len(magic)]) != magic {
		return nil, "", "", errDamaged
	}
	if v := b[len(magic)]; v != version {
		return nil, "", "", fmt.Errorf("index: version %d, want %d", v, version)
	}
	sum := sha256.Sum256(b[header:])
	if !bytes.Equal(sum[:], b[len(magic)+1:header]) {
		return nil, "", "", errDamaged
	}
	d := decoder{b: b[header:], ok: true}
	l = new(Listing)
	format, path = d.text(), d.text()
	for range d.count(4) {
		l.Stamps = append(l.Stamps, Stamp{Path: d.text(), Dir: d.flag(), Size: d.int64(), Time: d.int64()})
	}
	in := &l.Info
	in.Format, in.About, in.Named = d.text(), d.text(), d.flag()
	in.Classes, in.Notes = d.texts(), d.texts()
	for range d.count(4) {
		p := source.Place{File: d.text(), Offset: d.int64(), Member: d.text()}
		in.Faults = append(in.Faults, &source.Fault{Place: p, Msg: d.text()})
	}
	l.Files = d.texts()
	if slices.ContainsFunc(l.Files, func(f string) bool { return !filepath.IsLocal(filepath.FromSlash(f)) }) {
		return nil, "", "", errDamaged
	}
	for range d.count(4) {
		s, r := d.split(len(in.Classes), len(l.Files))
		in.Splits, l.splits = append(in.Splits, s), append(l.splits, r)
	}
	if !d.ok || len(d.b) != 0 {
		return nil, "", "", errDamaged
	}
	return l, format, path, nil
}

// decoder takes values off b. After the first that is not there, ok is false and all others are 0.
type decoder struct {
	b  []byte
	ok bool
}

func (d *decoder) fail() { d.b, d.ok = nil, false }

// number takes a number from 0 to below limit.
func (d *decoder) number(limit uint64) uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v >= limit {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count takes the number of values that follow, each of at least size bytes.
func (d *decoder) count(size int) int { return int(d.number(uint64(len(d.b)/size) + 1)) }

func (d *decoder) flag() bool { return d.number(2) == 1 }

func (d *decoder) int64() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) text() string {
	n := d.count(1)
	if n > len(d.b) { // the count's own bytes are gone by now
		d.fail()
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) texts() []string {
	var s []string
	for range d.count(1) {
		s = append(s, d.text())
		if !d.ok {
			return nil
		}
	}
	return s
}

// split takes the records of a split, of labels below classes in files below files.
func (d *decoder) split(classes, files int) (source.Split, records) {
	s := source.Split{Name: d.text()}
	n := d.count(4) // a byte at least each of label, size, file and length of name
	s.Labels, s.Sizes = make([]int32, n), make([]int64, n)
	r := records{files: make([]uint32, n), ends: make([]uint32, n)}
	for i := range s.Labels {
		s.Labels[i] = int32(d.number(uint64(classes)))
	}
	for i := range s.Sizes {
		s.Sizes[i] = int64(d.number(math.MaxInt64))
	}
	for i := range r.files {
		r.files[i] = uint32(d.number(uint64(files)))
	}
	if d.flag() {
		if len(d.b) < n {
			d.fail()
			return s, r
		}
		r.offsets = make([]int64, n)
		for i := range r.offsets {
			r.offsets[i] = int64(d.number(uint64(math.MaxInt64 - s.Sizes[i])))
		}
	}
	end := uint64(0)
	for i := range r.ends {
		end += d.number(math.MaxUint32 - end)
		r.ends[i] = uint32(end)
	}
	r.names = d.text()
	if uint64(len(r.names)) != end {
		d.fail()
	}
	return s, r
}
