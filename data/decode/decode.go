// Package decode turns the bytes of an image file into pixels. It looks at the content,
// never at a name: JPEG, PNG, WebP, GIF and BMP are told apart by their first bytes.
//
// No input makes it panic or take memory without bound: the size that a file claims is
// read first, and refused above [MaxPixels].
package decode

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
