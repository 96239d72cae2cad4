package decode

import "sync/atomic"

// need is the bytes that decoding the file b takes beyond b: what the format's decoder
// makes, and the pixels made of that. It is the most of both decoders of JPEG files, so that
// they refuse the same ones. A second opinion after one of libturbojpeg's warnings is left
// out: it is rare, and takes what one decoder keeps, 4 bytes a pixel at most.
func (f *file) need(b []byte) int64 {
	pixels := int64(f.W) * int64(f.H)
	var n int64
	switch f.Format {
	case "jpeg":
		return f.jpeg.need(f.Orientation) + int64(len(b))
	case "png":
		n = pixels * f.png.valueBytes()
		if f.png.interlaced { // each pass is an image of its own
			n *= 2
		}
		w, _ := f.swapped(f.W, f.H)
		n += 2 * (int64(w)*int64(f.Channels*f.Bits)/8 + 1) // this row and the one before
	case "webp":
		// The lossless decoder makes four bytes a pixel, and as many again where it looks
		// colours up. Its three tables have a value for 4x4 pixels at most.
		const lossless = 4 + 4 + 1
		switch {
		case f.Channels == 4: // beside a lossy image alpha is a lossless one, then a byte a pixel
			n = pixels * (2 + lossless + 1)
		case f.lossless:
			n = pixels * lossless
		default:
			n = pixels * 2
		}
	case "gif":
		n = pixels
	case "bmp":
		n = pixels * 4
	}
	result := pixels * 3
	if f.Orientation > 1 {
		result *= 2
	}
	return n + result + int64(len(b))
}

// need is the bytes that decoding takes, without what the file's own bytes take.
func (h *jpegHeader) need(orientation int) int64 {
	most := [2]int{1, 1}
	for _, s := range h.sampling {
		most[0], most[1] = max(most[0], s[0]), max(most[1], s[1])
	}
	var values int64
	for i := range h.components {
		across := (h.w + 8*most[0] - 1) / (8 * most[0]) * 8 * h.sampling[i][0]
		down := (h.h + 8*most[1] - 1) / (8 * most[1]) * 8 * h.sampling[i][1]
		values += int64(across) * int64(down)
	}
	pixels := int64(h.w) * int64(h.h)
	n := values // the planes
	switch {
	case h.progressive: // image/jpeg keeps a coefficient in 4 bytes, libjpeg in 2
		n += 4 * values
	case h.partial:
		n += 2 * values
	}
	planes := false
	result := 3 * pixels
	switch {
	case h.components == 1:
		result = pixels
	case h.components == 4 || h.rgb:
		n += 4 * pixels
	case h.showsPlanes():
		planes = true
	}
	odd := h.w%2 != 0 || h.h%2 != 0
	switch {
	case planes && orientation <= 1:
	case planes && !odd:
		n += values
	case orientation > 1:
		n += 2 * result
	default:
		n += result
	}
	return n
}

// showsPlanes says that the planes are of sizes that Image can show.
func (h *jpegHeader) showsPlanes() bool {
	s := h.sampling
	return s[1] == s[2] && s[1][0] > 0 && s[0][0]%s[1][0] == 0 && s[0][1]%s[1][1] == 0 && s[0][0]/s[1][0] <= 2 && s[0][1]/s[1][1] <= 2
}

// largest is what Largest returns.
var largest atomic.Int64

// Largest is the most memory that decoding one image has taken in this process so far, in bytes.
// A Decoder keeps about as much for its next image.
func Largest() int64 { return largest.Load() }

// noteNeed keeps the largest need.
func noteNeed(n int64) {
	for old := largest.Load(); n > old && !largest.CompareAndSwap(old, n); old = largest.Load() {
	}
}

// checkNeed estimates what decoding takes, and refuses what takes too much.
func (f *file) checkNeed(b []byte) error {
	f.needs = f.need(b)
	if f.needs > maxNeed {
		w, h := f.swapped(f.W, f.H)
		return unsupported(0, "claims %dx%d pixels, and decoding takes %.1f GB, more than the %.1f that one image may take", w, h, float64(f.needs)/1e9, float64(maxNeed)/1e9)
	}
	return nil
}

// pngHeader is what the header of a PNG file says besides its size.
type pngHeader struct {
	colour, bits            int
	interlaced, transparent bool // transparent says that there is a tRNS chunk
}

// valueBytes is the bytes of a pixel in the image that image/png makes.
func (p *pngHeader) valueBytes() int64 {
	n := int64(4) // colour, or grey with alpha, becomes RGB and alpha
	switch {
	case p.colour == 3:
		return 1
	case p.colour == 0 && !p.transparent:
		n = 1
	}
	if p.bits == 16 {
		n *= 2
	}
	return n
}
