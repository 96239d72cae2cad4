package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Error says why bytes are not decoded.
type Error struct {
	Offset int64  // where in the file the trouble is, as far as it is known, or 0
	Msg    string // "is empty", "ends within its image data"
	// Unsupported says that the file may be whole, but is not of a kind that is read.
	Unsupported bool
	Err         error // what the format's decoder says, or nil
}

func (e *Error) Error() string {
	s := fmt.Sprintf("decode: offset %d: %s", e.Offset, e.Msg)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

func truncated(b []byte, in string) *Error {
	return &Error{Offset: int64(len(b)), Msg: fmt.Sprintf("is truncated: its %d bytes end within %s", len(b), in)}
}

func unsupported(offset int, format string, args ...any) *Error {
	return &Error{Offset: int64(offset), Msg: fmt.Sprintf(format, args...), Unsupported: true}
}

// failed makes an Error of what a decoder said, having read the bytes before offset.
func failed(err error, offset int, isUnsupported bool) *Error {
	e := &Error{Offset: int64(offset), Err: err, Unsupported: isUnsupported}
	switch {
	case isUnsupported:
		e.Msg = "is of a kind that is not read"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Msg = "is truncated"
	default:
		e.Msg = "is damaged"
	}
	return e
}

// others are files that people have among their images.
var others = []struct {
	at    int
	magic string
	is    string
}{
	{0, "II*\x00", "is TIFF, which is not read; convert it to PNG or JPEG"},
	{0, "MM\x00*", "is TIFF, which is not read; convert it to PNG or JPEG"},
	{4, "ftypavi", "is AVIF, which is not read; convert it to PNG or JPEG"},
	{4, "ftyphei", "is HEIC, which is not read; convert it to JPEG"},
	{4, "ftypmif1", "is HEIC, which is not read; convert it to JPEG"},
	{0, "\x00\x00\x00\x0cjP  ", "is JPEG 2000, which is not read; convert it to PNG or JPEG"},
	{0, "\xff\x4f\xff\x51", "is JPEG 2000, which is not read; convert it to PNG or JPEG"},
	{0, "\x00\x00\x00\x0cJXL ", "is JPEG XL, which is not read; convert it to PNG or JPEG"},
	{0, "\xff\x0a", "is JPEG XL, which is not read; convert it to PNG or JPEG"},
	{0, "8BPS", "is a Photoshop file, which is not read; convert it to PNG or JPEG"},
	{0, "\x00\x00\x01\x00", "is an icon (ICO), which is not read; convert it to PNG"},
	{0, "P2", "is PGM, which is not read; convert it to PNG"},
	{0, "P3", "is PPM, which is not read; convert it to PNG"},
	{0, "P5", "is PGM, which is not read; convert it to PNG"},
	{0, "P6", "is PPM, which is not read; convert it to PNG"},
	{0, "PK\x03\x04", "is no image but a ZIP archive"},
	{0, "\x1f\x8b", "is no image but gzip"},
	{0, "\x89HDF", "is no image but HDF5"},
	{0, "\x93NUMPY", "is no image but a NumPy array"},
	{0, "%PDF", "is no image but PDF"},
	{0, "version https://git-lfs", "is no image but a Git LFS pointer to one; run git lfs pull"},
}

// noImage says what bytes are that begin like none of the formats.
func noImage(b []byte) *Error {
	for _, o := range others {
		if len(b) >= o.at && bytes.HasPrefix(b[o.at:], []byte(o.magic)) {
			return unsupported(0, "%s", o.is)
		}
	}
	head := bytes.TrimPrefix(b[:min(len(b), 512)], []byte("\xef\xbb\xbf"))
	text := strings.ToLower(string(bytes.TrimSpace(head)))
	switch {
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"):
		return &Error{Msg: "is no image but HTML, perhaps the page of a failed download"}
	case strings.HasPrefix(text, "<svg"), strings.HasPrefix(text, "<?xml") && strings.Contains(text, "<svg"):
		return unsupported(0, "is SVG, which is not read; convert it to PNG")
	case isText(head):
		return &Error{Msg: fmt.Sprintf("is no image but text: starts with %.32q", head)}
	case len(bytes.Trim(b, "\x00")) == 0:
		return &Error{Msg: fmt.Sprintf("is no image: its %d bytes are all zero", len(b))}
	}
	return &Error{Msg: fmt.Sprintf("is no image: starts with % x", b[:min(len(b), 8)])}
}

// isText says that bytes are printable ASCII, at least eight of them.
func isText(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\n' && c != '\r' && c != '\t' {
			return false
		}
	}
	return len(b) >= 8
}
