package prepare

import (
	"fmt"

	"oneshot/data"
	"oneshot/internal/atomicfile"
)

// Options say what to write.
type Options struct {
	// Size is what the shorter side becomes, 8 to 4096 pixels. Smaller images stay as they are.
	Size int
	// Quality of JPEG, 1 to 100.
	Quality int
	// ShardSize is the most images in a tar file, 1 to 10 million.
	ShardSize int
	// Workers is the number of goroutines that decode and encode, 0 for one a processor. It
	// changes no byte.
	Workers int
	// Progress, if not nil, is told how many images of how many are written.
	Progress func(done, all int)
	// FS is where to write; nil is the machine's file system.
	FS atomicfile.FS
}

// Default are the options of a caller who asks for no others.
func Default() Options { return Options{Size: 256, Quality: 90, ShardSize: 10_000} }

// Check reports the first bad option as a *data.ConfigError.
func (o Options) Check() error {
	for _, f := range []struct {
		field       string
		n, min, max int
	}{{"size", o.Size, 8, 4096}, {"quality", o.Quality, 1, 100}, {"shard-size", o.ShardSize, 1, 10_000_000}, {"workers", o.Workers, 0, 1024}} {
		if f.n < f.min || f.n > f.max {
			return &data.ConfigError{Field: f.field, Msg: fmt.Sprintf("%d, want %d to %d", f.n, f.min, f.max), Hint: "--" + f.field + " sets it"}
		}
	}
	return nil
}

// Report is prepare.json. Nothing in it depends on when or where it was written.
type Report struct {
	Format string `json:"format"` // Version
	// From is what the images were made of: "folder of 10 class folders, sha256 0123456789ab".
	From       string `json:"from"`
	FromFormat string `json:"from_format"`
	FromSHA256 string `json:"from_sha256"` // see data.Dataset
	Size       int    `json:"size"`        // most pixels of a shorter side that was larger
	Quality    int    `json:"quality"`
	Decoder    string `json:"decoder"` // "libturbojpeg 2"
	Encoder    string `json:"encoder"` // "image/jpeg of go1.26.8"
	Classes    int    `json:"classes"`
	// Splits are in the order of the source.
	Splits []Split `json:"splits"`
	// LeftOut are splits of the source that are none of train, val and test.
	LeftOut []string `json:"left_out"`
	Bad     []Bad    `json:"bad"` // records left out, in the order of the source
}

// Version is Report.Format. The number grows when the layout changes.
const Version = "oneshot prepare 1"

// Split counts what a split became.
type Split struct {
	Name   string   `json:"name"` // "train"
	Images int      `json:"images"`
	Copied int      `json:"copied"` // byte for byte
	Bytes  int64    `json:"bytes"`  // of images
	Shards []string `json:"shards"`
	// Samples is how many images each of Shards has.
	Samples []int `json:"samples"`
}

// Bad is a record that was left out.
type Bad struct {
	Record string `json:"record"`
	Reason string `json:"reason"`
}
