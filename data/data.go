package data

import (
	"context"

	"oneshot/data/decode"
	"oneshot/data/source"
)

// Dataset is an opened collection. It is safe for concurrent use; what it says of itself
// does not change.
type Dataset struct {
	Name      string     // Config.Name, or what Auto found
	Classes   []string   // by label
	Image     int        // height and width in pixels of what networks see
	CropPct   float64    // see Config.CropPct
	Mean, Std [3]float32 // of R, G, B in [0,1]: x = (pixel/255 - Mean) / Std
	Train     *Train
	Search    *Search
	Test      *Test
	// SHA256 identifies the images and labels, whatever their division and, as far as
	// possible, their container: of the bytes that CIFAR's binary version would have where
	// all images have the same size and are not too many, else of labels and image files.
	SHA256 string
	// Provenance tells a reader what the bytes are, for reports:
	// "drawn by oneshot (shapes10 v1, seed 42)", "CIFAR-10 (JPEG q75)",
	// "folder of 10 class folders, sha256 0123456789ab".
	Provenance string
	// Format is what was read: "folder"; "" for drawn images.
	Format string
	// Decoder is what decodes image files: "turbo", "go"; "" where there are none.
	Decoder string
	// Roles says which split is used for what, for people; "" for drawn images.
	Roles string
	// Notes are what a user should know: classes that are uneven, files left out.
	Notes []string

	// TrainSize, SearchSize and TestSize are Config's, with what was left to the images.
	TrainSize, SearchSize, TestSize int
	// SearchHeld is how many images were held out for the search, bad ones too. It is less
	// than SearchSize where classes have too few images.
	SearchHeld int
	// TestDrawn says that the test images were drawn from the training split, so that another
	// seed draws others.
	TestDrawn bool
	// TestPart says that the test images are some of their split, which the seed has drawn.
	TestPart bool

	src source.Source
	bad *badSamples
}

// Close closes the files. Batches are no longer to be had then.
func (d *Dataset) Close() error {
	if d.src == nil {
		return nil
	}
	return d.src.Close()
}

// Bad returns the records that were found bad so far and left out, in the order of the files.
func (d *Dataset) Bad() []*source.Fault {
	if d.bad == nil {
		return nil
	}
	return d.bad.list()
}

// Bytes is about how much memory the images take.
func (d *Dataset) Bytes() int64 {
	n := d.Train.train.img.bytes()
	if d.Test.test.img != d.Train.train.img {
		n += d.Test.test.img.bytes()
	}
	return n
}

// ReaderBytes is about how much memory each reader of image files takes, by the images that were
// decoded so far; 0 where none had to be.
func (d *Dataset) ReaderBytes() int64 {
	if d.Decoder == "" {
		return 0
	}
	return decode.Largest()
}

// Open reads or draws the images and divides them. Errors are *ConfigError for
// the configuration, *source.FileError for files and *BadSampleError, with its
// *source.Fault, for records.
func Open(c Config) (*Dataset, error) { return OpenContext(context.Background(), c, nil) }

// OpenContext is Open that ends with ctx. progress, if not nil, is told how many images of
// how many have been decoded.
func OpenContext(ctx context.Context, c Config, progress func(done, all int)) (*Dataset, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if Drawn(c.Name) {
		return openShapes10(c.fill()), nil
	}
	o := opening{c: c.fill(), ctx: ctx, progress: oneAtATime(progress)}
	d, err := o.open()
	if err != nil {
		if o.src != nil {
			o.src.Close()
		}
		return nil, err
	}
	return d, nil
}
