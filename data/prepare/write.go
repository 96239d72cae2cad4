package prepare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"oneshot/data"
	"oneshot/data/decode"
	"oneshot/data/source"
	"oneshot/internal/atomicfile"
)

// maxShards is as many as six digits tell apart.
const maxShards = 1_000_000

// Write writes the splits of f to the folder dir, which must be missing or empty. Records
// that are bad are left out, as many as f.Config.OnBadSample tolerates. On an error, ctx's
// among them, it removes what it has written.
//
// Errors are *OutputError for dir, *data.ConfigError for options, *source.Fault for a bad
// record, *source.FileError for a collection that no run could open, and those of the disk.
func Write(ctx context.Context, f *data.Files, dir string, o Options) (r *Report, err error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if most := f.Len() / o.ShardSize; most >= maxShards {
		return nil, &data.ConfigError{Field: "shard-size", Msg: fmt.Sprintf("%d makes %d tar files, want fewer than %d", o.ShardSize, most, maxShards), Hint: "--shard-size sets it"}
	}
	if o.FS == nil {
		o.FS = atomicfile.OS
	}
	w := &writing{f: f, o: o, all: f.Len(), Report: Report{
		Format: Version, FromFormat: f.Info.Format, Size: o.Size, Quality: o.Quality,
		Encoder: "image/jpeg of " + runtime.Version(), Classes: len(f.Info.Classes), LeftOut: []string{}, Bad: []Bad{},
	}}
	if f.Decoder != "" {
		w.Decoder = decode.Version(f.Decoder)
	}
	// What a run knows of the source, before any work is done.
	untrained := *f
	untrained.Config.Untrained = true
	d, err := untrained.Identity(ctx, false)
	if err != nil {
		return nil, err
	}
	w.From, w.FromSHA256 = d.Provenance, d.SHA256
	for _, fault := range f.Info.Faults {
		if err := w.leaveOut(fault); err != nil {
			return nil, err
		}
	}
	if err := apart(dir, f.Config.Dir); err != nil {
		return nil, err
	}
	if w.out, err = openFolder(o.FS, dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.out.abandon())
		}
	}()
	for i, s := range f.Info.Splits {
		name := shardName(f.Info, i)
		if name == "" {
			w.LeftOut = append(w.LeftOut, s.Name)
			w.progress(len(s.Labels))
			continue
		}
		if err := w.split(ctx, i, name); err != nil {
			return nil, err
		}
	}
	if err := w.describe(d.Classes); err != nil {
		return nil, err
	}
	return &w.Report, w.out.finish()
}

// shardName is what the shards of a split are called: train, val or test, as others expect
// and package data/source/tars reads; "" for a split that is none of these.
func shardName(info *source.Info, split int) string {
	name := source.Role(info.Splits[split].Name)
	if name == "" && len(info.Splits) == 1 {
		return "train"
	}
	return name
}

// writing is a folder in the making.
type writing struct {
	Report
	f         *data.Files
	o         Options
	out       *folder
	done, all int
}

func (w *writing) progress(n int) {
	w.done += n
	if w.o.Progress != nil {
		w.o.Progress(w.done, w.all)
	}
}

// leaveOut takes note of a bad record, or returns it where it is one too many.
func (w *writing) leaveOut(fault *source.Fault) error {
	bad := len(w.Bad) + 1 // with this one
	if !w.f.Config.Tolerates(bad) {
		return fault
	}
	reason := fmt.Sprintf("offset %d: %s", fault.Offset, fault.Msg)
	if fault.Err != nil {
		reason += ": " + fault.Err.Error()
	}
	w.Bad = append(w.Bad, Bad{source.Shown(fault.Place.String()), reason})
	return nil
}

// describe writes the files beside the shards.
func (w *writing) describe(classes []string) error {
	err := w.out.write("classes.txt", func(to io.Writer) error {
		_, err := io.WriteString(to, strings.Join(classes, "\n")+"\n")
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range w.Splits {
		if err := w.json(s.Name+"-index.json", indexOf(s)); err != nil {
			return err
		}
	}
	return w.json("prepare.json", w.Report)
}

// json writes v to a file, indented.
func (w *writing) json(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	return w.out.write(name, func(to io.Writer) error {
		_, err := to.Write(append(b, '\n'))
		return err
	})
}

// index lists the shards of a split as WebDataset's wids package reads it
// (https://webdataset.github.io/webdataset/wids), which so has random access.
type index struct {
	Kind    string       `json:"__kind__"`
	Version int          `json:"wids_version"`
	Name    string       `json:"name"`
	Shards  []indexShard `json:"shardlist"`
}

type indexShard struct {
	URL     string `json:"url"` // relative to the index
	Samples int    `json:"nsamples"`
}

func indexOf(s Split) index {
	x := index{Kind: "wids-shard-index-v1", Version: 1, Name: s.Name, Shards: []indexShard{}}
	for i, name := range s.Shards {
		x.Shards = append(x.Shards, indexShard{name, s.Samples[i]})
	}
	return x
}
