package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"
)

const (
	metadataKey = "__metadata__"
	lengthBytes = 8           // the header length in front of the header
	headerAlign = 8           // the header is padded so that the data is aligned
	maxHeader   = 100_000_000 // bytes of header; the limit of the reference implementation (MAX_HEADER_SIZE)
	chunkElems  = 32 << 10    // elements converted to bytes at a time
)

// WriteSafetensors writes the tensors to w. Equal tensors and metadata give
// equal bytes whatever the order of ts. The metadata gets "format": "pt", the
// mark that PyTorch-side loaders ask for; meta may add keys but not change it.
func WriteSafetensors(w io.Writer, ts []Tensor, meta map[string]string) error {
	sorted, err := sortedByName(ts)
	if err != nil {
		return err
	}
	header, order, err := encodeHeader(sorted, meta)
	if err != nil {
		return err
	}
	if err := writeAll(w, header, order); err != nil {
		return fmt.Errorf("weights: write safetensors: %w", err)
	}
	return nil
}

// encodeHeader returns length and header of tensors sorted by name, and the
// order of their data.
func encodeHeader(sorted []Tensor, meta map[string]string) (header []byte, order []Tensor, err error) {
	order = slices.Clone(sorted)
	slices.SortStableFunc(order, func(a, b Tensor) int { return elemBytes(b) - elemBytes(a) })
	begin := make(map[string]int64, len(order))
	var end int64
	for _, t := range order {
		begin[t.Name] = end
		end += t.size()
	}
	var b bytes.Buffer
	b.Write(make([]byte, lengthBytes))
	b.WriteByte('{')
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // "<" in a name is "<" in the file
	put := func(v any) {         // what is put here cannot fail to encode
		if e := encoder.Encode(v); e != nil && err == nil {
			err = fmt.Errorf("weights: %w", e)
		}
		b.Truncate(b.Len() - 1) // the encoder's newline
	}
	full, err := fullMetadata(meta)
	if err != nil {
		return nil, nil, err
	}
	put(metadataKey)
	b.WriteByte(':')
	put(full)
	for _, t := range sorted {
		b.WriteByte(',')
		put(t.Name)
		b.WriteByte(':')
		shape := t.Shape
		if shape == nil {
			shape = []int{} // [] in JSON, not null
		}
		put(struct {
			DType   string   `json:"dtype"`
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}{t.dtype(), shape, [2]int64{begin[t.Name], begin[t.Name] + t.size()}})
	}
	b.WriteByte('}')
	for b.Len()%headerAlign != 0 {
		b.WriteByte(' ')
	}
	header = b.Bytes()
	if len(header)-lengthBytes > maxHeader {
		return nil, nil, fmt.Errorf("weights: header of %d bytes is over the limit of %d", len(header), maxHeader)
	}
	binary.LittleEndian.PutUint64(header, uint64(len(header)-lengthBytes))
	return header, order, err
}

func elemBytes(t Tensor) int {
	if t.I64 != nil {
		return 8
	}
	return 4
}

// fullMetadata adds the format mark to meta.
func fullMetadata(meta map[string]string) (map[string]string, error) {
	full := map[string]string{"format": "pt"}
	for k, v := range meta {
		if k == "format" && v != "pt" {
			return nil, fmt.Errorf("weights: metadata format is %q, must be pt", v)
		}
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, fmt.Errorf("weights: metadata %q: %q is not UTF-8", k, v)
		}
		full[k] = v
	}
	return full, nil
}

func writeAll(w io.Writer, header []byte, order []Tensor) error {
	if _, err := w.Write(header); err != nil {
		return err
	}
	var size int64
	for _, t := range order {
		size += t.size()
	}
	buf := make([]byte, min(8*chunkElems, size))
	for _, t := range order {
		for part := range slices.Chunk(t.F32, chunkElems) {
			buf = buf[:4*len(part)]
			for i, v := range part {
				binary.LittleEndian.PutUint32(buf[4*i:], math.Float32bits(v))
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
		for part := range slices.Chunk(t.I64, chunkElems) {
			buf = buf[:8*len(part)]
			for i, v := range part {
				binary.LittleEndian.PutUint64(buf[8*i:], uint64(v))
			}
			if _, err := w.Write(buf); err != nil {
				return err
			}
		}
	}
	return nil
}
