package data

import (
	"context"
	"fmt"
	"sync"

	"oneshot/data/decode"
	"oneshot/data/source"
)

// Files are an opened collection of files, of which nothing has been decoded and nothing is
// expected: what rooms that check or copy collections start from.
type Files struct {
	Config Config
	Info   *source.Info
	// Decoder is what decodes image files: "turbo", "go"; "" where there are none.
	Decoder string

	src source.Source
}

// OpenFiles opens what a configuration names. Errors are those of Open, but for those of
// records and of the division into splits.
func OpenFiles(c Config) (*Files, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if Drawn(c.Name) {
		return nil, &ConfigError{"name", c.Name + " has no files", "point --data-dir at the images"}
	}
	o := opening{c: c.fill()}
	if err := o.find(); err != nil {
		return nil, err
	}
	f := &Files{Config: o.c, Info: o.info, src: o.src}
	if err := f.settle(&o); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Files) settle(o *opening) (err error) {
	if err := o.checkLabels(); err != nil {
		return err
	}
	if f.Info.Raw == nil {
		f.Decoder, err = chooseDecoder(f.Config.Decoder)
	}
	return err
}

// Close closes the files.
func (f *Files) Close() error { return f.src.Close() }

// Where says where a record lies.
func (f *Files) Where(split, record int) source.Place { return f.src.Where(split, record) }

// Len is the number of records of all splits.
func (f *Files) Len() int {
	n := 0
	for _, s := range f.Info.Splits {
		n += len(s.Labels)
	}
	return n
}

// Roles says what the splits are used for. An error is what Open would say.
func (f *Files) Roles() (source.Roles, error) {
	o := opening{c: f.Config, info: f.Info}
	err := o.assign()
	return o.roles, err
}

// Dataset opens the collection as Open does, and leaves out every record that is bad.
// Closing either closes both.
func (f *Files) Dataset(ctx context.Context, progress func(done, all int)) (*Dataset, error) {
	return f.dataset(ctx, f.Config, progress)
}

// Identity is Dataset, but the images are not for use: none is decoded for mean and
// deviation, nor, unless small says that all are small, for what SHA256 is of.
func (f *Files) Identity(ctx context.Context, small bool) (*Dataset, error) {
	c := f.Config
	c.Originals = c.Originals || !small
	c.As = &Preprocess{Std: [3]float32{1, 1, 1}}
	return f.dataset(ctx, c, nil)
}

func (f *Files) dataset(ctx context.Context, c Config, progress func(done, all int)) (*Dataset, error) {
	c.OnBadSample = fmt.Sprintf("skip:%d", f.Len()+len(f.Info.Faults))
	o := opening{c: c, ctx: ctx, progress: oneAtATime(progress), src: f.src, info: f.Info}
	return o.open()
}

// oneAtATime makes a function, or nil, one for several goroutines.
func oneAtATime(progress func(done, all int)) func(done, all int) {
	var mu sync.Mutex
	return func(done, all int) {
		if progress != nil {
			mu.Lock()
			defer mu.Unlock()
			progress(done, all)
		}
	}
}

// FileReader reads the records of Files. It has the buffers of one goroutine.
type FileReader struct{ r reader }

// Reader makes a reader. It must be closed.
func (f *Files) Reader() *FileReader {
	return &FileReader{reader{m: &images{from: &origin{src: f.src, decoder: f.Decoder}}}}
}

// Close frees what the reader holds.
func (r *FileReader) Close() { r.r.close() }

// Record is a record that has been read; its memory is the reader's until it reads again.
type Record struct {
	Stored []byte // as they lie in the file
	// Header is the image file's. Plain pixels have the format "raw".
	Header decode.Header
	Image  *decode.Image // nil where it was not asked for
}

// Header reads a record but decodes nothing. Errors are those of Read.
func (r *FileReader) Header(split, record int) (Record, error) {
	src := r.r.m.from.src
	b, err := r.r.stored(ref{int32(split), int32(record)})
	if err != nil {
		return Record{}, faulty(err, src.Where(split, record))
	}
	rec := Record{Stored: b}
	if raw := src.Info().Raw; raw != nil {
		rec.Header = decode.Header{Format: "raw", W: raw.Width, H: raw.Height, Channels: raw.Channels, Bits: 8, Orientation: 1}
		return rec, nil
	}
	rec.Header, err = decode.ReadHeader(b)
	return rec, faulty(err, src.Where(split, record))
}

// Read reads and decodes a record. An error is a *source.Fault where the record is at
// fault, and something else where reading is.
func (r *FileReader) Read(split, record int) (Record, error) {
	rec, err := r.Header(split, record)
	if err != nil {
		return Record{}, err
	}
	rec.Image, err = r.r.decoded(rec.Stored)
	return rec, faulty(err, r.r.m.from.src.Where(split, record))
}

// faulty makes an error that is about a record a *source.Fault.
func faulty(err error, at source.Place) error {
	if f := asFault(err, at); f != nil {
		return f
	}
	return err
}
