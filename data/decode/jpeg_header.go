package decode

import (
	"bytes"
	"encoding/binary"
)

// jpegHeader is what the segments of a JPEG file before its first scan say (ITU T.81, annex B).
type jpegHeader struct {
	w, h, components int
	sampling         [4][2]int // horizontal and vertical, 1 to 4
	scan             int       // offset of the first start-of-scan marker
	adobe            bool      // there is an Adobe segment
	rgb              bool      // what is stored is perhaps RGB
	progressive      bool
	partial          bool // the first scan leaves components out
}

// Markers, the byte after 0xff.
const (
	mSOF0 = 0xc0 // baseline; SOF1 is extended sequential, SOF2 progressive
	mSOF2 = 0xc2
	mDHT  = 0xc4
	mJPG  = 0xc8
	mDAC  = 0xcc
	mSOFF = 0xcf
	mRST0 = 0xd0
	mSOI  = 0xd8
	mEOI  = 0xd9
	mSOS  = 0xda
	mAPP1 = 0xe1
	mAPPE = 0xee
	mTEM  = 0x01
)

// maxScans bounds the time that a progressive file can take: each scan goes over the whole
// image. libturbojpeg's own limit is the same; real files have about ten.
const maxScans = 500

// maxWork bounds the same for large images: pixels times the components of each scan,
// added up. An image of MaxPixels may have 32 scans of a component, where common encoders
// make 10 scans of 14 in all. A decoder spends about 0.2 seconds on each.
const maxWork = 32 * MaxPixels

// nextMarker finds the marker at or after offset at: its byte, and the offset after it.
// Bytes that belong to no segment are passed over, as other decoders do. The offset is
// beyond the end where there is none.
func nextMarker(b []byte, at int) (marker byte, after int) {
	for at < len(b) {
		i := bytes.IndexByte(b[at:], 0xff)
		if i < 0 {
			break
		}
		at += i
		for at < len(b) && b[at] == 0xff {
			at++
		}
		if at < len(b) && b[at] != 0 {
			return b[at], at + 1
		}
	}
	return 0, len(b) + 1
}

// hasLength says that a length and as many bytes follow a marker.
func hasLength(marker byte) bool {
	return marker != mTEM && (marker < mRST0 || marker > mEOI)
}

// segment returns what follows the marker before offset at, and the offset after that.
func segment(b []byte, at int) (body []byte, after int, err *Error) {
	if at+2 > len(b) {
		return nil, 0, truncated(b, "a segment")
	}
	n := int(binary.BigEndian.Uint16(b[at:]))
	if n < 2 {
		return nil, 0, &Error{Offset: int64(at), Msg: "is damaged: a segment is shorter than its length field"}
	}
	if at+n > len(b) {
		return nil, 0, truncated(b, "a segment")
	}
	return b[at+2 : at+n], at + n, nil
}

func readJPEG(b []byte, f *file) *Error {
	for at := 2; ; {
		marker, body := nextMarker(b, at)
		switch {
		case body > len(b):
			return truncated(b, "its header")
		case marker == mEOI:
			return &Error{Offset: int64(body - 2), Msg: "is damaged: ends before an image begins"}
		case !hasLength(marker):
			at = body
			continue
		case marker == mSOS:
			if f.jpeg.components == 0 {
				return &Error{Offset: int64(body - 2), Msg: "is damaged: image data before the image's size"}
			}
			f.jpeg.scan = body - 2
			f.jpeg.partial = body+2 < len(b) && int(b[body+2]) < f.jpeg.components
			return nil
		}
		s, after, err := segment(b, body)
		if err != nil {
			return err
		}
		at = after
		switch {
		case marker == mAPP1 && bytes.HasPrefix(s, []byte("Exif\x00")) && len(s) > 6 && f.exif == nil:
			f.exif = s[6:]
		case marker == mAPPE && bytes.HasPrefix(s, []byte("Adobe")) && len(s) >= 12:
			f.jpeg.adobe = true
			f.jpeg.rgb = f.jpeg.rgb || s[11] == 0
		case marker == mDAC:
			return unsupported(body-2, "is JPEG with arithmetic coding, which is not read; convert it to baseline JPEG or PNG")
		case marker >= mSOF0 && marker <= mSOFF && marker != mDHT && marker != mJPG:
			if err := f.readFrame(marker, s, body-2); err != nil {
				return err
			}
		}
	}
}

// readFrame reads a frame header, s, of the marker at offset at.
func (f *file) readFrame(marker byte, s []byte, at int) *Error {
	h := &f.jpeg
	switch {
	case h.components != 0:
		return &Error{Offset: int64(at), Msg: "is damaged: a second frame header"}
	case marker > mSOF2 && marker&8 != 0 && marker != 0xcb && marker != mSOFF:
		return unsupported(at, "is JPEG with arithmetic coding, which is not read; convert it to baseline JPEG or PNG")
	case marker > mSOF2:
		return unsupported(at, "is lossless or hierarchical JPEG, which is not read; convert it to baseline JPEG or PNG")
	case len(s) < 6 || len(s) != 6+3*int(s[5]):
		return &Error{Offset: int64(at), Msg: "is damaged: the frame header has the wrong length"}
	case s[0] != 8:
		return unsupported(at, "is JPEG of %d bits a value, where 8 are read; convert it to PNG", s[0])
	}
	h.h, h.w = int(binary.BigEndian.Uint16(s[1:])), int(binary.BigEndian.Uint16(s[3:]))
	h.components = int(s[5])
	h.progressive = marker == mSOF2
	if h.components != 1 && h.components != 3 && h.components != 4 {
		return unsupported(at, "is JPEG of %d components, where 1, 3 and 4 are read", h.components)
	}
	most := [2]int{1, 1}
	h.rgb = h.rgb || h.components == 3 && s[6] == 'R' && s[9] == 'G' && s[12] == 'B'
	for i := range h.components {
		for j, v := range [2]int{int(s[7+3*i] >> 4), int(s[7+3*i] & 15)} {
			if v < 1 || v > 4 {
				return &Error{Offset: int64(at), Msg: "is damaged: a sampling factor is not 1 to 4"}
			}
			h.sampling[i][j] = v
			most[j] = max(most[j], v)
		}
	}
	f.W, f.H, f.Channels, f.Bits = h.w, h.h, h.components, 8
	for i := range h.components {
		blocks := func(size, j int) int {
			n := 8 * most[j]
			return (size*h.sampling[i][j] + n - 1) / n
		}
		f.least += float64(blocks(h.w, 0)) * float64(blocks(h.h, 1))
	}
	return nil
}

// checkScans walks over the image data to the end marker: a file without one is
// truncated, whatever a decoder would make of it. It counts the work: a few bytes ask for a
// scan that goes over every block.
func checkScans(b []byte, h *jpegHeader) error {
	scans, work := 0, int64(0)
	for at := h.scan; ; {
		marker, body := nextMarker(b, at)
		switch {
		case body > len(b):
			return truncated(b, "its image data, without an end marker")
		case marker == mEOI:
			if work > maxWork {
				return unsupported(h.scan, "has %d scans of %dx%d pixels, more than is decoded", scans, h.w, h.h)
			}
			return nil
		case !hasLength(marker):
			at = body
			continue
		case marker == mSOS:
			if scans++; scans > maxScans {
				return unsupported(body-2, "has more than %d scans", maxScans)
			}
		}
		s, after, err := segment(b, body)
		if err != nil {
			return err
		}
		if marker == mSOS && len(s) > 0 {
			work += int64(h.w) * int64(h.h) * int64(min(int(s[0]), h.components))
		}
		at = after
	}
}
