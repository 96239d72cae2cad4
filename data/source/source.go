// Package source reads collections of labelled images as people keep them: each
// format is a package below this one, and all of them open to a [Source].
//
// A source knows its classes, its splits and the labels of their records when it is
// opened, and gives the stored bytes of a record when asked: a JPEG file, or plain
// pixels. What the bytes show is package data/decode's business; what a split is used
// for is decided by [Assign].
package source

import (
	"fmt"
	"io"
)

// Source is an opened collection. All methods may be called from several goroutines at once.
type Source interface {
	// Info describes the collection. It does not change and must not be changed.
	Info() *Info
	// Read returns the stored bytes of a record, in buf where they fit. The caller owns the
	// result, and may change it. An error is a *Fault where the record is at fault, and something else where reading is.
	Read(split, record int, buf []byte) ([]byte, error)
	// Where says in which file a record lies. It is the zero Place of a record that is not there.
	Where(split, record int) Place
	io.Closer
}

// Info is what a source knows without decoding an image.
type Info struct {
	// Format is a name of the format, as Config.Name of package data takes it: "folder".
	Format string
	// About says what was found, in a few words: "folder of 10 class folders".
	About string
	// Classes are the names of the labels, in order. Where the files name none they are
	// the numbers from 0.
	Classes []string
	// Named says that Classes come from the files.
	Named  bool
	Splits []Split
	// Raw is how plain pixels are stored; nil where records are image files.
	Raw *Raw
	// Faults are records that were left out, because they cannot be read as what they
	// claim to be: a link out of the folder, a label that is no number.
	Faults []*Fault
	// Notes are what a user should know besides: "12 files that are no images were left out".
	Notes []string
}

// Check says that a record is there: its error names what is.
func (in *Info) Check(split, record int) error {
	if split < 0 || split >= len(in.Splits) {
		return fmt.Errorf("data: split %d of a source of %d", split, len(in.Splits))
	}
	if s := &in.Splits[split]; record < 0 || record >= len(s.Labels) {
		return fmt.Errorf("data: record %d of split %q, which has %d", record, s.Name, len(s.Labels))
	}
	return nil
}

// Split is a part of a collection as its files divide it.
type Split struct {
	Name   string  // "train", as the files call it; "" where they make no difference
	Labels []int32 // (records), in the order of the files
	Sizes  []int64 // (records), stored bytes; of parquet the mean of a record's page
}

// Raw is how records of plain pixels are stored: a byte per value, row by row.
type Raw struct {
	Height, Width int
	Channels      int  // 1 or 3
	Planar        bool // (C,H,W), or else (H,W,C)
}

// Place is where a record lies.
type Place struct {
	File   string // path as opened
	Offset int64  // of the record's bytes in the file
	Member string // its name within the file, of a tar; or ""
}

func (p Place) String() string {
	if p.Member != "" {
		return p.File + ": " + p.Member
	}
	return p.File
}
