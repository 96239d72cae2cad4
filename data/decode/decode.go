// Package decode turns the bytes of an image file into pixels. It looks at the content,
// never at a name: JPEG, PNG, WebP, GIF and BMP are told apart by their first bytes.
//
// No input makes it panic or take memory without bound: the size that a file claims is
// read first, and refused above [MaxPixels] or where the file is too short to hold it.
// What decoding would take follows from the header too, and is bounded for one image and for
// all that are decoded at once, see [Decoder.Decode].
//
// # What a pixel is
//
// An image is upright: an EXIF orientation of a JPEG, PNG or WebP file is applied. Alpha is
// dropped, not blended: the colour below a transparent pixel shows. 16-bit values keep their
// high byte. A GIF gives its first frame, on a canvas of the colour with index 0 (or of the
// transparent one). CMYK becomes RGB as (255-C)(255-K)/255; colour profiles are ignored. All
// this is what PIL's convert("RGB") gives, but for the orientation, and for 16-bit grey,
// where PIL 9 turns everything above 255 white.
//
// # Decoders
//
// JPEG files have two decoders: "turbo" is the library libturbojpeg, four to five times as
// fast, and "go" is Go's standard library. Pixels of the two differ by a level here and
// there, so what depends on exact bytes names the decoder. A file whose image data is
// damaged or ends early is an error with both, also where other programs would show an
// image that is half grey; about one damaged file in a hundred they differ.
//
//	d, err := decode.New(decode.Auto)
//	if err != nil { ... }
//	defer d.Close()
//	img, err := d.Decode(file)
//	if err != nil { ... } // a *decode.Error
//	rgb = img.RGB(rgb)    // (img.H,img.W,3)
package decode

import "fmt"

// MaxPixels is the largest image that is decoded: 2^26 or about 67 million pixels.
const MaxPixels = 1 << 26

// Image is a decoded image, upright: an EXIF orientation has been applied. Its memory
// belongs to the Decoder that made it, until that decodes again.
type Image struct {
	W, H int
	// Pix is RGB, (H,W,3), or grey, (H,W), where Grey is set. It is nil where the image is in planes.
	Pix  []uint8
	Grey bool
	// Planes of a JPEG: luma (H,W) and chroma of ceil(H/SubY) rows of ceil(W/SubX) values,
	// JFIF's full range. Rows lie YStride and CStride bytes apart.
	Y, Cb, Cr        []uint8
	YStride, CStride int
	SubX, SubY       int // 1 or 2 each; other subsamplings are decoded to Pix
}

// chromaSize is the size of Cb and of Cr.
func (m *Image) chromaSize() (w, h int) {
	return (m.W + m.SubX - 1) / m.SubX, (m.H + m.SubY - 1) / m.SubY
}

// Decoder decodes image files one after another. It keeps its memory from one to the next
// and is not for concurrent use: give every goroutine its own.
type Decoder struct {
	jpeg jpegDecoder
	img  Image
	// Memory that is kept from one image to the next.
	pix    []uint8    // behind img.Pix
	planes [3][]uint8 // behind img.Y, Cb and Cr, of Turbo
	cmyk   []uint8
	turn   [3][]uint8 // what orient writes: pixels, or three planes
}

// jpegDecoder decodes JPEG files to d.img as they are stored, not upright. h is what
// readJPEG found in b.
type jpegDecoder interface {
	decode(b []byte, h *jpegHeader, d *Decoder) error
	close()
}

// New makes a decoder: [Turbo], [Go] or [Auto], as Choose takes them.
func New(name string) (*Decoder, error) {
	name, err := Choose(name)
	if err != nil {
		return nil, err
	}
	d := &Decoder{jpeg: goJPEG{}}
	if name == Turbo {
		if d.jpeg, err = newTurbo(); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Close frees what the decoder holds outside Go's memory. The last image stays valid.
func (d *Decoder) Close() {
	if d.jpeg != nil {
		d.jpeg.close()
		d.jpeg = nil
	}
}

// Decode decodes the image file b. The image is valid until the next call, and shares
// no memory with b. An error is an *Error.
//
// It may wait for others: decodes of large images that are under way in the process, of all
// Decoders together, take at most 512 MiB, or 64 MiB for each processor where that is more.
// An image that takes more is decoded when no other large one is.
func (d *Decoder) Decode(b []byte) (*Image, error) {
	d.img = Image{} // gives the last image's memory back before more is taken
	f, err := readFile(b)
	if err != nil {
		return nil, err
	}
	if f.Format == "jpeg" {
		if err := checkScans(b, &f.jpeg); err != nil {
			return nil, err
		}
	}
	noteNeed(f.needs)
	if f.needs > smallNeed {
		underWay.enter(f.needs)
		defer underWay.leave(f.needs)
	}
	err = d.decode(b, f)
	d.drop()
	if err != nil {
		d.img = Image{}
		return nil, err
	}
	return &d.img, nil
}

func (d *Decoder) decode(b []byte, f *file) error {
	err := d.guard(func() error {
		if f.Format == "jpeg" {
			return d.jpeg.decode(b, &f.jpeg, d)
		}
		return d.still(b, f)
	})
	if err != nil {
		return err
	}
	if w, h := f.swapped(f.W, f.H); d.img.W != w || d.img.H != h {
		return &Error{Msg: fmt.Sprintf("is damaged: claims %dx%d pixels and has %dx%d", w, h, d.img.W, d.img.H)}
	}
	d.orient(f.Orientation)
	return nil
}

// drop lets go of large buffers. Those of the last image live as long as that.
func (d *Decoder) drop() {
	for _, buf := range [...]*[]uint8{&d.pix, &d.cmyk, &d.planes[0], &d.planes[1], &d.planes[2], &d.turn[0], &d.turn[1], &d.turn[2]} {
		if cap(*buf) > maxKept {
			*buf = nil
		}
	}
}

// guard turns a panic of one of the decoders, which others wrote, into an error: a strange
// file must not end a long training. The fuzz tests look for the message.
func (d *Decoder) guard(decode func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &Error{Msg: fmt.Sprintf("made the decoder panic: %v", r)}
		}
	}()
	return decode()
}

// grow returns buf with room for n values. It lets go of memory that one huge image took.
func grow(buf []uint8, n int) []uint8 {
	if cap(buf) < n || cap(buf) > maxKept && n < maxKept/8 {
		return make([]uint8, n)
	}
	return buf[:n]
}
