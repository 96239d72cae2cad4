package audit

import (
	"fmt"

	"oneshot/data"
	"oneshot/data/source"
)

// Collection is what is known of a collection, whoever looked at it.
type Collection struct {
	Data   string `json:"data"`   // folder or file, as it was named
	Format string `json:"format"` // as --dataset takes it
	About  string `json:"about"`  // "folder of 10 class folders"
	// SHA256 and Provenance are those of data.Dataset; "" where no run could open the data.
	SHA256     string `json:"sha256"`
	Provenance string `json:"provenance"`
	// Decoder is what decodes JPEG files, "" where there are only plain pixels.
	Decoder string   `json:"decoder"`
	Roles   string   `json:"roles"` // which split is used for what, for people
	Images  int      `json:"images"`
	Bytes   int64    `json:"bytes"` // stored
	Classes []string `json:"classes"`
	Splits  []Split  `json:"splits"`
	Looked  int      `json:"looked_at"` // images that Kinds and sizes are about
	Width   Range    `json:"width"`     // pixels, upright
	Height  Range    `json:"height"`
	Kinds   Kinds    `json:"kinds"`
	Notes   []string `json:"notes"` // what the reader of the format has to say
}

// Split is a split of the files.
type Split struct {
	Name    string `json:"name"` // "" where the files make no difference
	Role    string `json:"role"` // "train", "search", "test"; "" where it is not used
	Images  int    `json:"images"`
	Bytes   int64  `json:"bytes"`
	ByClass []int  `json:"by_class"` // images, in the order of Classes; Verify counts only good ones
}

// Range is a distribution in three numbers.
type Range struct {
	Min    int `json:"min"`
	Median int `json:"median"` // the lower of two
	Max    int `json:"max"`
}

// Kinds counts images by what their files say of them.
type Kinds struct {
	Formats map[string]int `json:"formats"` // "jpeg", "png", "webp", "gif", "bmp"; "raw" are plain pixels
	Grey    int            `json:"grey"`
	Alpha   int            `json:"alpha"` // dropped
	CMYK    int            `json:"cmyk"`
	Deep    int            `json:"bits_16"` // more than 8 bits a value
	Turned  int            `json:"turned"`  // by EXIF
}

// Report is what Verify found.
type Report struct {
	Collection
	OK         bool       `json:"ok"` // no Problems
	Problems   []Finding  `json:"problems"`
	Warnings   []Finding  `json:"warnings"`
	Bad        []Bad      `json:"bad"` // all, in the order of the files
	Duplicates Duplicates `json:"duplicates"`
}

// Finding is something that a user should know, or that keeps the data from being used.
type Finding struct {
	// Kind is one of the constants below.
	Kind    string   `json:"kind"`
	Text    string   `json:"text"`
	Hint    string   `json:"hint,omitempty"`
	Split   string   `json:"split,omitempty"`
	Count   int      `json:"count"`             // of records, pictures or classes
	Classes []string `json:"classes,omitempty"` // all of them
	Files   []string `json:"files,omitempty"`   // the first ones
}

// Kinds of findings. The first four keep the data from being used; bad records within the
// tolerance of Config.OnBadSample are only worth a warning.
const (
	BadRecords      = "bad-records"
	NoTraining      = "class-without-training-images"
	NoRoles         = "splits-without-roles"
	Unfit           = "unfit" // a run refuses the data for another reason
	MissingClass    = "class-missing-in-split"
	Uneven          = "classes-uneven"
	TwinsAcross     = "duplicates-across-splits"
	TwinsWithin     = "duplicates-within-split"
	TwinsRelabelled = "duplicates-with-different-classes"
)

// Bad is a record that cannot be used.
type Bad struct {
	Record
	Offset int64  `json:"offset"` // in the file, where the trouble is
	Reason string `json:"reason"`
}

// Record says where a record is.
type Record struct {
	File   string `json:"file"`
	Member string `json:"member,omitempty"` // of a tar
	At     int64  `json:"at,omitempty"`     // where its bytes begin in the file
	Split  string `json:"split"`
	Class  string `json:"class"` // "" where it is not known
}

func (r Record) String() string {
	if r.Member == "" && r.At > 0 {
		return fmt.Sprintf("%s: offset %d", r.File, r.At)
	}
	return r.name()
}

// name is String without an offset.
func (r Record) name() string { return source.Place{File: r.File, Member: r.Member}.String() }

// Duplicates are pictures that are stored more than once: equal size, equal pixels.
type Duplicates struct {
	Pictures   int `json:"pictures"`   // stored more than once
	Records    int `json:"records"`    // that show them
	Across     int `json:"across"`     // pictures in more than one split
	Within     int `json:"within"`     // pictures more than once in a split
	Relabelled int `json:"relabelled"` // pictures under more than one class
	// Groups are the first pictures, in the order of the files: at most 100 of all, and as
	// many of those in more than one split.
	Groups []Twins `json:"groups"`
}

// Twins are the records of one picture, at most 20 of them.
type Twins struct {
	Count   int      `json:"count"`
	Across  bool     `json:"across"`
	Records []Record `json:"records"`
}

// Options say how to read.
type Options struct {
	// Workers is the number of goroutines that decode, 0 for one a processor. It changes
	// nothing in a report.
	Workers int
	// Progress, if not nil, is told how many records have been read.
	Progress func(done, all int)
}

// describe says what is known before a record is read; roles is nil where there are none.
func describe(f *data.Files, roles *source.Roles) Collection {
	c := Collection{
		Data: f.Config.Dir, Format: f.Info.Format, About: f.Info.About, Decoder: f.Decoder,
		Images: f.Len(), Classes: f.Info.Classes, Notes: append([]string{}, f.Info.Notes...),
	}
	for i, s := range f.Info.Splits {
		split := Split{Name: s.Name, Images: len(s.Labels), ByClass: make([]int, len(f.Info.Classes))}
		for _, n := range s.Sizes {
			split.Bytes += n
		}
		if roles != nil {
			switch i {
			case roles.Train:
				split.Role = "train"
			case roles.Search:
				split.Role = "search"
			case roles.Test:
				split.Role = "test"
			}
		}
		c.Bytes += split.Bytes
		c.Splits = append(c.Splits, split)
	}
	return c
}
