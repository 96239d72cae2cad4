package weights

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"oneshot/internal/atomicfile"
)

// File is the content of a safetensors file: tensors in name order, and the
// metadata (nil where the file has none).
type File struct {
	Tensors []Tensor
	Meta    map[string]string
}

// ReadSafetensors reads a whole file and checks it as the package comment says.
// Memory use is bounded by the size of the file. A fault in the bytes is a
// *FormatError; a file of another element type than F32 and I64 is one that
// wraps ErrDType and names the tensor.
func ReadSafetensors(path string) (File, error) {
	f, size, err := openRegular(path)
	if err != nil {
		return File{}, fmt.Errorf("weights: %w", err)
	}
	defer f.Close()
	return readSafetensors(f, size, path)
}

// openRegular opens a regular file. That a path is none is damage.
func openRegular(path string) (*os.File, int64, error) {
	f, size, err := atomicfile.OpenRegular(path)
	if errors.Is(err, atomicfile.ErrNotRegular) {
		err = fmt.Errorf("read %s: %w: not a regular file", path, ErrCorrupt)
	}
	return f, size, err
}

// readSafetensors reads exactly size bytes of r, once and in order, so that a
// caller can hash what is parsed. file is for messages only.
func readSafetensors(r io.Reader, size int64, file string) (File, error) {
	header, err := readHeader(r, size, file)
	if err != nil {
		return File{}, err
	}
	data := int64(lengthBytes + len(header))
	entries, meta, err := parseHeader(file, header, size-data)
	if err != nil {
		return File{}, err
	}
	ts := make([]Tensor, len(entries))
	buf := make([]byte, min(8*chunkElems, size))
	for i, e := range entries {
		if ts[i], err = readTensor(r, e, buf); err != nil {
			return File{}, readFault(file, data+e.begin, e.field("data"), err)
		}
	}
	if ts, err = sortedByName(ts); err != nil {
		return File{}, err
	}
	return File{ts, meta}, nil
}

func readHeader(r io.Reader, size int64, file string) ([]byte, error) {
	fault := func(msg, hint string) error {
		return &FormatError{File: file, Field: "header length", Msg: msg, Hint: hint, Kind: ErrCorrupt}
	}
	if size < lengthBytes {
		return nil, fault(fmt.Sprintf("the file has %d bytes, too few for one", size), "")
	}
	var b [lengthBytes]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return nil, readFault(file, 0, "header length", err)
	}
	n := binary.LittleEndian.Uint64(b[:])
	if n > maxHeader {
		return nil, fault(fmt.Sprintf("%d is over the limit of %d", n, maxHeader), "is this a safetensors file?")
	}
	if int64(n) > size-lengthBytes {
		return nil, fault(fmt.Sprintf("%d is more than the %d bytes that follow", n, size-lengthBytes), "the file was cut short, or is no safetensors file")
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, readFault(file, lengthBytes, "header", err)
	}
	return header, nil
}

// readFault tells a file that shrank while it was read from a failing disk.
func readFault(file string, at int64, field string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &FormatError{File: file, Offset: at, Field: field, Msg: "the file ends early", Kind: ErrCorrupt}
	}
	return fmt.Errorf("weights: read %s at byte %s: %w", file, strconv.FormatInt(at, 10), err)
}

// readTensor reads the data of e; buf holds 8*chunkElems bytes or all the data.
func readTensor(r io.Reader, e entry, buf []byte) (Tensor, error) {
	t := Tensor{Name: e.name, Shape: e.shape}
	if e.dtype == "I64" {
		t.I64 = make([]int64, (e.end-e.begin)/8)
		for done := 0; done < len(t.I64); {
			part := t.I64[done:min(len(t.I64), done+chunkElems)]
			b := buf[:8*len(part)]
			if _, err := io.ReadFull(r, b); err != nil {
				return t, err
			}
			for i := range part {
				part[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
			}
			done += len(part)
		}
		return t, nil
	}
	t.F32 = make([]float32, (e.end-e.begin)/4)
	for done := 0; done < len(t.F32); {
		part := t.F32[done:min(len(t.F32), done+chunkElems)]
		b := buf[:4*len(part)]
		if _, err := io.ReadFull(r, b); err != nil {
			return t, err
		}
		for i := range part {
			part[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		}
		done += len(part)
	}
	return t, nil
}
