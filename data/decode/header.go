package decode

import "fmt"

// Header is what an image file says of itself.
type Header struct {
	Format string // "jpeg", "png", "webp", "gif" or "bmp"
	W, H   int    // upright, pixels
	// Channels and Bits are the values of a pixel as they are stored, and the bits of each:
	// 1 grey, 2 grey and alpha, 3 colour (also a palette's index), 4 colour and alpha, or CMYK.
	Channels, Bits int
	Orientation    int // EXIF's, 1 to 8; 1 where the file has none
}

// file is a Header and what decoding wants to know besides.
type file struct {
	Header   // W and H as stored until readFile turns them
	jpeg     jpegHeader
	png      pngHeader
	lossless bool    // WebP with a lossless image
	exif     []byte  // TIFF block of EXIF, or nil
	least    float64 // bits that hold the image at least, or 0 where the format sets no limit
	needs    int64   // bytes that decoding takes
}

// ReadHeader reads the header of the whole image file b, and decodes nothing. It refuses
// what Decode refuses unseen: kinds that are not read, sizes of zero or above MaxPixels,
// images that take more than 1.5 GiB to decode, and sizes that so short a file cannot hold.
// An error is an *Error.
//
// The last rule keeps small files from taking much memory. JPEG spends at least a bit on a
// block of 8x8 values (ITU T.81, F.1.2), Deflate two bits on 258 bytes (RFC 1951), GIF's LZW
// 12 bits on 4,096 pixels, and BMP has no compression here. WebP can hold an image of one
// colour in a few bytes, so there MaxPixels is all.
func ReadHeader(b []byte) (Header, error) {
	f, err := readFile(b)
	if err != nil {
		return Header{}, err
	}
	return f.Header, nil
}

// formats are the first bytes of what is read; a dot stands for any byte.
var formats = []struct {
	name, magic string
	read        func(b []byte, f *file) *Error
}{
	{"jpeg", "\xff\xd8\xff", readJPEG},
	{"png", "\x89PNG\r\n\x1a\n", readPNG},
	{"webp", "RIFF....WEBP", readWebP},
	{"gif", "GIF87a", readGIF},
	{"gif", "GIF89a", readGIF},
	{"bmp", "BM", readBMP},
}

func hasMagic(b []byte, magic string) bool {
	if len(b) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '.' && magic[i] != b[i] {
			return false
		}
	}
	return true
}

// readFile reads a header and checks its sizes.
func readFile(b []byte) (*file, error) {
	if len(b) == 0 {
		return nil, &Error{Msg: "is empty"}
	}
	for _, format := range formats {
		if !hasMagic(b, format.magic) {
			continue
		}
		f := &file{Header: Header{Format: format.name}}
		if err := format.read(b, f); err != nil {
			return nil, err
		}
		if err := f.check(b); err != nil {
			return nil, err
		}
		f.Orientation = orientation(f.exif)
		f.W, f.H = f.swapped(f.W, f.H)
		if err := f.checkNeed(b); err != nil {
			return nil, err
		}
		return f, nil
	}
	return nil, noImage(b)
}

// swapped makes the upright size of a stored one, and the stored size of an upright one:
// orientations from 5 turn an image on its side.
func (f *file) swapped(w, h int) (int, int) {
	if f.Orientation >= 5 {
		return h, w
	}
	return w, h
}

func (f *file) check(b []byte) error {
	if f.W <= 0 || f.H <= 0 {
		return &Error{Msg: fmt.Sprintf("claims %dx%d pixels", f.W, f.H)}
	}
	claim := fmt.Sprintf("claims %dx%d pixels", f.W, f.H)
	if f.W > MaxPixels/f.H {
		return unsupported(0, "%s, more than the 67 million that are decoded", claim)
	}
	if f.least > 8*float64(len(b)) {
		return &Error{Offset: int64(len(b)), Msg: fmt.Sprintf("is truncated: %s, which its %d bytes cannot hold", claim, len(b))}
	}
	return nil
}
