package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// The encodings are those of https://parquet.apache.org/docs/file-format/data-pages/encodings/.
// Each decoder is told how many values to expect, and stops there.

var errEncoding = errors.New("values end in the middle")

// hybrid decodes n numbers of width bits from runs of repeated and of packed values
// ("RLE/bit-packing hybrid"). The result is (n).
func hybrid(b []byte, width, n int) ([]uint32, error) {
	if width < 0 || width > 32 {
		return nil, fmt.Errorf("values are of %d bits", width)
	}
	out := make([]uint32, 0, n)
	for len(out) < n {
		head, k := binary.Uvarint(b)
		if k <= 0 {
			return nil, errEncoding
		}
		b = b[k:]
		if head&1 == 0 { // a run
			bytes := (width + 7) / 8
			if len(b) < bytes {
				return nil, errEncoding
			}
			var v uint32
			for i := range bytes {
				v |= uint32(b[i]) << (8 * i)
			}
			b = b[bytes:]
			run := int(min(head>>1, uint64(n-len(out))))
			for range run {
				out = append(out, v)
			}
			if head>>1 == 0 {
				return nil, errors.New("a run is empty")
			}
			continue
		}
		if head>>1 > uint64(n)/8+1 {
			return nil, fmt.Errorf("a run claims %d values, the page has %d", head>>1*8, n)
		}
		groups := int(head >> 1)
		if len(b) < groups*width && groups*8 <= n-len(out) {
			return nil, errEncoding
		}
		take := min(groups*8, n-len(out))
		if len(b)*8 < take*width || groups == 0 { // the last group may be cut short
			return nil, errEncoding
		}
		for i := range take {
			out = append(out, uint32(packed(b, i*width, width)))
		}
		b = b[min(groups*width, len(b)):]
	}
	return out, nil
}

// packed returns the number of width bits that starts at a bit of b, the lowest bit first.
// All of it lies in b; width is at most 64.
func packed(b []byte, bit, width int) uint64 {
	var v uint64
	for got := 0; got < width; {
		have := 8 - bit%8
		v |= uint64(b[bit/8]>>(bit%8)) << got
		got += have
		bit += have
	}
	if width == 64 {
		return v
	}
	return v & (1<<width - 1)
}

// deltas decodes n numbers stored as differences ("delta encoding") and returns the bytes
// after them.
func deltas(b []byte, n int) (out []int64, rest []byte, err error) {
	var head [3]uint64 // values in a block, parts of a block, values
	for i := range head {
		k := 0
		if head[i], k = binary.Uvarint(b); k <= 0 {
			return nil, nil, errEncoding
		}
		b = b[k:]
	}
	block, parts := head[0], head[1]
	if parts == 0 || block%128 != 0 || block == 0 || block > 1<<20 || block%parts != 0 || block/parts%32 != 0 {
		return nil, nil, fmt.Errorf("blocks are of %d values in %d parts", block, parts)
	}
	if head[2] != uint64(n) {
		return nil, nil, fmt.Errorf("%d values are encoded, want %d", head[2], n)
	}
	last, k := binary.Varint(b)
	if k <= 0 {
		return nil, nil, errEncoding
	}
	b = b[k:]
	if n == 0 {
		return nil, b, nil
	}
	out = append(make([]int64, 0, n), last)
	per := int(block / parts)
	for len(out) < n {
		least, k := binary.Varint(b)
		if k <= 0 || len(b)-k < int(parts) {
			return nil, nil, errEncoding
		}
		widths := b[k : k+int(parts)]
		b = b[k+int(parts):]
		for _, w := range widths {
			if len(out) == n {
				break // the parts behind the last value have no bytes
			}
			size := per * int(w) / 8
			if w > 64 || size > len(b) {
				return nil, nil, errEncoding
			}
			for i := range min(per, n-len(out)) {
				last += least + int64(packed(b, i*int(w), int(w)))
				out = append(out, last)
			}
			b = b[size:]
		}
	}
	return out, b, nil
}

// bitWidth is the number of bits that hold numbers up to v.
func bitWidth(v int) int { return bits.Len(uint(v)) }

// spans are byte strings: value i is data[at[2i]:at[2i+1]].
type spans struct {
	data []byte
	at   []uint32 // (values, 2); start above end marks a null
}

func (s *spans) get(i int) ([]byte, bool) {
	from, to := s.at[2*i], s.at[2*i+1]
	if from > to {
		return nil, false
	}
	return s.data[from:to:to], true
}

func (s *spans) len() int { return len(s.at) / 2 }

// plainSpans finds n byte strings, each after its length in four bytes.
func plainSpans(b []byte, n int) (spans, error) {
	if n > len(b)/4 {
		return spans{}, errEncoding
	}
	s := spans{b, make([]uint32, 0, 2*n)}
	at := uint64(0)
	for range n {
		if at+4 > uint64(len(b)) {
			return spans{}, errEncoding
		}
		size := uint64(binary.LittleEndian.Uint32(b[at:]))
		at += 4
		if at+size > uint64(len(b)) {
			return spans{}, errEncoding
		}
		s.at = append(s.at, uint32(at), uint32(at+size))
		at += size
	}
	return s, nil
}

// deltaSpans finds n byte strings that stand one after the other, their lengths before them.
func deltaSpans(b []byte, n int) (spans, error) {
	sizes, rest, err := deltas(b, n)
	if err != nil {
		return spans{}, err
	}
	s, at := spans{rest, make([]uint32, 0, 2*n)}, int64(0)
	for _, size := range sizes {
		if size < 0 || size > int64(len(rest))-at {
			return spans{}, errEncoding
		}
		s.at = append(s.at, uint32(at), uint32(at+size))
		at += size
	}
	return s, nil
}

// prefixSpans makes n byte strings, each of the start of the one before and a tail.
func prefixSpans(b []byte, n int) (spans, error) {
	prefixes, rest, err := deltas(b, n)
	if err != nil {
		return spans{}, err
	}
	tails, err := deltaSpans(rest, n)
	if err != nil {
		return spans{}, err
	}
	s, total, last := spans{nil, make([]uint32, 0, 2*n)}, int64(0), int64(0)
	for i, p := range prefixes {
		tail, _ := tails.get(i)
		if p < 0 || p > last {
			return spans{}, fmt.Errorf("value %d takes %d bytes of one that has %d", i, p, last)
		}
		last = p + int64(len(tail))
		if total += last; total > maxPage {
			return spans{}, fmt.Errorf("values are of more than %d bytes", maxPage)
		}
	}
	s.data = make([]byte, 0, total)
	from := 0 // of the value before
	for i, p := range prefixes {
		tail, _ := tails.get(i)
		start := len(s.data)
		s.data = append(s.data, s.data[from:from+int(p)]...)
		s.data = append(s.data, tail...)
		s.at = append(s.at, uint32(start), uint32(len(s.data)))
		from = start
	}
	return s, nil
}
