package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/format"
)

// present says for each of a page's n rows whether it has a value. It is nil where all have,
// as where a page of an optional column has no levels.
func present(levels []byte, maxDef, n int) ([]bool, int, error) {
	if maxDef == 0 || len(levels) == 0 {
		return nil, n, nil
	}
	defs, err := hybrid(levels, bitWidth(maxDef), n)
	if err != nil {
		return nil, 0, fmt.Errorf("levels: %w", err)
	}
	have := make([]bool, n)
	count := 0
	for i, d := range defs {
		if have[i] = int(d) == maxDef; have[i] {
			count++
		}
	}
	if count == n {
		return nil, n, nil
	}
	return have, count, nil
}

// indices decodes the numbers of a page whose values stand in a dictionary of size values.
func indices(b []byte, n, size int) ([]uint32, error) {
	if n == 0 {
		return nil, nil
	}
	if len(b) == 0 {
		return nil, errEncoding
	}
	keys, err := hybrid(b[1:], int(b[0]), n)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if int64(k) >= int64(size) {
			return nil, fmt.Errorf("value %d of a dictionary of %d", k, size)
		}
	}
	return keys, nil
}

// plainDictionary is what old writers call the encoding that is RLE_DICTIONARY now.
const plainDictionary format.Encoding = 2

func isDictionary(e format.Encoding) bool {
	return e == plainDictionary || e == format.RLEDictionary
}

// bytesOf decodes a page of byte strings, one per row. dict is the chunk's dictionary, or nil.
func (c *chunk) bytesOf(r io.ReaderAt, p *page, maxDef int, dict *spans) (spans, error) {
	levels, b, err := c.content(r, p, maxDef)
	if err != nil {
		return spans{}, err
	}
	have, n, err := present(levels, maxDef, int(p.values))
	if err != nil {
		return spans{}, err
	}
	var s spans
	switch {
	case p.encoding == format.Plain:
		s, err = plainSpans(b, n)
	case p.encoding == format.DeltaLengthByteArray:
		s, err = deltaSpans(b, n)
	case p.encoding == format.DeltaByteArray:
		s, err = prefixSpans(b, n)
	case isDictionary(p.encoding) && dict != nil:
		var keys []uint32
		keys, err = indices(b, n, dict.len())
		s = spans{dict.data, make([]uint32, 0, 2*n)}
		for _, k := range keys {
			s.at = append(s.at, dict.at[2*k], dict.at[2*k+1])
		}
	default:
		err = fmt.Errorf("encoding %s is not read here", p.encoding)
	}
	if err != nil || have == nil {
		return s, err
	}
	at, next := make([]uint32, 0, 2*len(have)), 0
	for _, is := range have {
		if !is {
			at = append(at, 1, 0)
			continue
		}
		at = append(at, s.at[2*next], s.at[2*next+1])
		next++
	}
	return spans{s.data, at}, nil
}

// bytesDict decodes a chunk's dictionary of byte strings, or returns nil if it has none.
func (c *chunk) bytesDict(r io.ReaderAt) (*spans, error) {
	if c.dict == nil {
		return nil, nil
	}
	_, b, err := c.content(r, c.dict, 0)
	if err != nil {
		return nil, err
	}
	s, err := plainSpans(b, int(c.dict.values))
	return &s, err
}

// plainInts decodes n numbers of width bytes.
func plainInts(b []byte, n, width int) ([]int64, error) {
	if n > len(b)/width {
		return nil, errEncoding
	}
	out := make([]int64, n)
	for i := range out {
		if width == 4 {
			out[i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
		} else {
			out[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
		}
	}
	return out, nil
}

// ints decodes all numbers of a chunk in order. Where a row has none it is null.
func (c *chunk) ints(r io.ReaderAt, maxDef, width int, null int64) ([]int64, error) {
	var dict []int64
	if c.dict != nil {
		_, b, err := c.content(r, c.dict, 0)
		if err == nil {
			dict, err = plainInts(b, int(c.dict.values), width)
		}
		if err != nil {
			return nil, &pageError{c.dict.at, err}
		}
	}
	out := make([]int64, 0, c.rows)
	for i := range c.pages {
		p := &c.pages[i]
		page, err := c.intsOf(r, p, maxDef, width, null, dict)
		if err != nil {
			return nil, &pageError{p.at, err}
		}
		out = append(out, page...)
	}
	return out, nil
}

func (c *chunk) intsOf(r io.ReaderAt, p *page, maxDef, width int, null int64, dict []int64) ([]int64, error) {
	levels, b, err := c.content(r, p, maxDef)
	if err != nil {
		return nil, err
	}
	have, n, err := present(levels, maxDef, int(p.values))
	if err != nil {
		return nil, err
	}
	var v []int64
	switch {
	case p.encoding == format.Plain:
		v, err = plainInts(b, n, width)
	case p.encoding == format.DeltaBinaryPacked:
		v, _, err = deltas(b, n)
		for i := range v {
			if width == 4 { // differences of 32-bit numbers wrap around in 32 bits
				v[i] = int64(int32(v[i]))
			}
		}
	case p.encoding == format.ByteStreamSplit:
		v, err = plainInts(joined(b, n, width), n, width)
	case isDictionary(p.encoding) && dict != nil:
		var keys []uint32
		keys, err = indices(b, n, len(dict))
		for _, k := range keys {
			v = append(v, dict[k])
		}
	default:
		err = fmt.Errorf("encoding %s is not read here", p.encoding)
	}
	if err != nil || have == nil {
		return v, err
	}
	out, next := make([]int64, len(have)), 0
	for i, is := range have {
		out[i] = null
		if is {
			out[i] = v[next]
			next++
		}
	}
	return out, nil
}

// joined puts numbers together whose first bytes come first, then all second bytes, and so on.
func joined(b []byte, n, width int) []byte {
	if len(b) != n*width {
		return nil // plainInts finds too little
	}
	out := make([]byte, len(b))
	for i := range n {
		for k := range width {
			out[i*width+k] = b[k*n+i]
		}
	}
	return out
}
