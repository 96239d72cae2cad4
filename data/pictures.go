package data

import (
	"iter"
	"os"
	"runtime"
	"sync"

	"oneshot/data/decode"
	"oneshot/data/pixels"
	"oneshot/internal/atomicfile"
)

// View is how image files by themselves, without labels, become what a network sees.
type View struct {
	Side    int     // of the square, in pixels
	CropPct float64 // as Config.CropPct; 0 chooses it for each image as Config does for a set
	Resize  string  // as Config.Resize
	Decoder string  // as Config.Decoder
	Preprocess
}

// maxPicture caps a file, as sources cap a record.
const maxPicture = 256 << 20

// Pictures are the files of a batch, in the order of its images.
type Pictures struct {
	*Batch
	Files []string
}

// Batches decodes files in their order and yields those that can be decoded, size at a time; the batch
// is valid until the next. bad is told of the others, before the batch that would have had them. All
// processors decode while the batch before is in use. The labels are 0.
func (v View) Batches(files []string, size int, bad func(file string, err error)) iter.Seq[Pictures] {
	if size < 1 {
		panic("data: batch size < 1")
	}
	return func(yield func(Pictures) bool) {
		ready, stop := make(chan decodedPictures), make(chan struct{})
		var done sync.WaitGroup
		done.Go(func() {
			defer close(ready)
			eyes := v.eyes()
			defer func() {
				var readers []*reader
				for _, e := range eyes {
					readers = append(readers, e.r)
				}
				closeAll(readers)
			}()
			var kept [2]Batch // one in use, one being filled or ready
			for n := 0; len(files) > 0; n++ {
				take := files[:min(size, len(files))]
				files = files[len(take):]
				select {
				case ready <- v.decode(eyes, &kept[n%len(kept)], take):
				case <-stop:
					return
				}
			}
		})
		defer done.Wait()
		defer close(stop)
		for d := range ready {
			for i, err := range d.errs {
				if err != nil {
					bad(d.all[i], err)
				}
			}
			if d.N > 0 && !yield(d.Pictures) {
				return
			}
		}
	}
}

type decodedPictures struct {
	Pictures
	all  []string
	errs []error // of all
}

// eye makes the views of one goroutine.
type eye struct {
	r    *reader
	norm *pixels.Normaliser
}

func (v View) eyes() []eye {
	all := make([]eye, runtime.GOMAXPROCS(0))
	norm := pixels.NewNormaliser(v.Mean, v.Std)
	for i := range all {
		m := &images{side: v.Side, from: &origin{decoder: v.Decoder, stretch: v.Resize == "stretch"}}
		all[i] = eye{m.reader(), norm}
	}
	return all
}

// decode fills b with the files.
func (v View) decode(eyes []eye, b *Batch, files []string) decodedPictures {
	size := v.Side * v.Side * 3
	if cap(b.Y) < len(files) {
		*b = Batch{X: make([]float32, len(files)*size), Y: make([]int32, len(files))}
	}
	b.resize(len(files), size)
	out := decodedPictures{all: files, errs: make([]error, len(files))}
	var wg sync.WaitGroup
	for w, e := range eyes {
		wg.Go(func() {
			for k := w; k < len(files); k += len(eyes) {
				out.errs[k] = v.put(e, b.X[k*size:(k+1)*size], files[k])
			}
		})
	}
	wg.Wait()
	n := 0
	for k, err := range out.errs {
		if err != nil {
			continue
		}
		copy(b.X[n*size:(n+1)*size], b.X[k*size:(k+1)*size])
		out.Files = append(out.Files, files[k])
		n++
	}
	b.resize(n, size)
	out.Batch = b
	return out
}

// put writes the view of a file to dst (Side,Side,3).
func (v View) put(e eye, dst []float32, file string) error {
	b, err := atomicfile.ReadAtMost(file, maxPicture)
	if err != nil {
		return err
	}
	if e.r.decoder == nil {
		if e.r.decoder, err = decode.New(v.Decoder); err != nil {
			return err
		}
	}
	im, err := e.r.decoder.Decode(b)
	if err != nil {
		return &os.PathError{Op: "decode", Path: file, Err: err}
	}
	e.r.m.from.crop = v.CropPct
	if v.CropPct == 0 {
		e.r.m.from.crop = usualCrop(min(im.W, im.H), v.Side, true)
	}
	render(dst, e.r.squared(im), v.Side, e.norm, placement{})
	return nil
}

// usualCrop is what Config.CropPct is by default for networks of that side: images that are small enough to be
// kept as they are, and have the same size, are taken whole.
func usualCrop(shorter, side int, same bool) float64 {
	if same && shorter <= max(side, OwnSide) {
		return 1
	}
	return 0.875
}
