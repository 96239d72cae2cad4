package tars

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"oneshot/data/source"
)

// Member is an entry of a tar file.
type Member struct {
	Name   string
	Type   byte  // as in archive/tar: tar.TypeReg, tar.TypeDir
	Offset int64 // of its bytes
	Size   int64
}

const block = 512

// Members are the entries of the tar file r of size bytes, in order. file is its name in
// errors, which are *source.FileError and end the sequence.
func Members(r io.ReaderAt, size int64, file string) iter.Seq2[Member, error] {
	return func(yield func(Member, error) bool) {
		if err := recognise(r, size, file); err != nil {
			yield(Member{}, err)
			return
		}
		at := io.NewSectionReader(&ahead{r: r}, 0, size)
		tr := tar.NewReader(at)
		for {
			h, err := tr.Next()
			offset, _ := at.Seek(0, io.SeekCurrent) // a section tells its position without fail
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Member{}, wrongHeader(file, offset, size, err))
				return
			}
			if isSparse(h) {
				yield(Member{}, &source.FileError{File: file, Offset: offset, Msg: fmt.Sprintf("member %s is sparse", source.Shown(h.Name)),
					Hint: "unpack the file and pack it again without --sparse"})
				return
			}
			if h.Size > size-offset {
				yield(Member{}, &source.FileError{File: file, Offset: offset, Msg: fmt.Sprintf("member %s has %d bytes by its header, and %d are left: the file is cut short",
					source.Shown(h.Name), h.Size, size-offset), Hint: again})
				return
			}
			if !yield(Member{Name: h.Name, Type: h.Typeflag, Offset: offset, Size: h.Size}, nil) {
				return
			}
		}
	}
}

const again = "copy or download the file again"

// wrongHeader is the error of a header that ends at offset or before.
func wrongHeader(file string, offset, size int64, err error) error {
	e := &source.FileError{File: file, Offset: max(0, offset-block), Hint: again}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Offset, e.Msg = size, "is cut short within a header"
	case errors.Is(err, tar.ErrHeader) && e.Offset == 0:
		e.Msg, e.Hint = "is no tar file", ""
	case errors.Is(err, tar.ErrHeader):
		e.Msg = "holds no tar header where one is due: it is damaged"
	default:
		e.Msg, e.Err = "cannot be read", err
	}
	return e
}

// isSparse says that a member's bytes are not as they stand in the file.
func isSparse(h *tar.Header) bool {
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// compressions are the first bytes of compressed files, and the programs that unpack them.
var compressions = []struct{ magic, command string }{
	{"\x1f\x8b", "gunzip"}, {"BZh", "bunzip2"}, {"\xfd7zXZ\x00", "unxz"}, {"\x28\xb5\x2f\xfd", "unzstd"}, {"\x04\x22\x4d\x18", "unlz4"},
}

// recognise refuses what is compressed, and what is empty.
func recognise(r io.ReaderAt, size int64, file string) error {
	head := make([]byte, min(size, block))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return &source.FileError{File: file, Msg: "cannot be read", Err: err}
	}
	if size == 0 {
		return &source.FileError{File: file, Msg: "is empty"}
	}
	for _, c := range compressions {
		if bytes.HasPrefix(head, []byte(c.magic)) {
			return &source.FileError{File: file, Msg: "is compressed, and can only be read in place as it is packed", Hint: "unpack it: " + c.command + " " + source.Shown(file)}
		}
	}
	return nil
}

// ahead reads a page where less is asked for: the headers and labels that stand
// together. Not for concurrent use.
type ahead struct {
	r    io.ReaderAt
	page [4096]byte
	at   int64
	n    int
}

func (a *ahead) ReadAt(p []byte, off int64) (int, error) {
	if len(p) > block {
		return a.r.ReadAt(p, off)
	}
	if off < a.at || off+int64(len(p)) > a.at+int64(a.n) {
		n, err := a.r.ReadAt(a.page[:], off)
		if err != nil && err != io.EOF {
			return 0, err
		}
		a.at, a.n = off, n
	}
	n := copy(p, a.page[off-a.at:a.n])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
