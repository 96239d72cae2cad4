package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/parquet-go/parquet-go/format"
)

// page is a page of a column chunk as its header describes it.
type page struct {
	at       int64 // of its content in the file
	size     int32 // of its content
	unpacked int32
	values   int32 // rows: no column that is read is repeated
	first    int64 // row of the row group that the page starts with
	kind     format.PageType
	encoding format.Encoding
	crc      uint32
	hasCRC   bool
	// Of a data page v2: bytes of levels before the values, and whether those are compressed.
	repLevels, defLevels int32
	plain                bool
}

// maxHeader is the longest page header that is read. Its statistics may hold two images.
const maxHeader = 16 << 20

// readHeader reads the header of the page at an offset; end is where the chunk ends.
func readHeader(r io.ReaderAt, at, end int64) (page, error) {
	for n := int64(512); ; n *= 8 {
		n = min(n, end-at, maxHeader)
		b := make([]byte, n)
		if _, err := r.ReadAt(b, at); err != nil {
			return page{}, err
		}
		p, size, err := parseHeader(b)
		if errors.Is(err, errShort) && n < end-at && n < maxHeader {
			continue
		}
		if err != nil {
			return page{}, fmt.Errorf("page header: %w", err)
		}
		p.at = at + int64(size)
		if p.size < 0 || p.unpacked < 0 || p.values < 0 || p.repLevels < 0 || p.defLevels < 0 {
			return page{}, errors.New("page header: a size is negative")
		}
		if int64(p.size) > end-p.at {
			return page{}, fmt.Errorf("page header: page has %d bytes, its column %d", p.size, end-p.at)
		}
		if p.repLevels > p.size || p.defLevels > p.size-p.repLevels {
			return page{}, fmt.Errorf("page header: levels have %d bytes, the page %d", int64(p.repLevels)+int64(p.defLevels), p.size)
		}
		return p, nil
	}
}

// parseHeader reads a PageHeader of parquet.thrift and returns its length.
func parseHeader(b []byte) (page, int, error) {
	p := page{kind: -1, encoding: -1}
	c := &compact{b: b}
	number := func(to *int32) (bool, error) {
		v, err := c.varint()
		if v != int64(int32(v)) {
			return true, errors.New("a number has more than 32 bits")
		}
		*to = int32(v)
		return true, err
	}
	var crc, encoding int32
	inner := func(values, enc int64, v2 bool) (bool, error) {
		return true, c.fields(1, func(id int64, typ byte) (bool, error) {
			switch {
			case id == values && typ == thriftI32:
				return number(&p.values)
			case id == enc && typ == thriftI32:
				read, err := number(&encoding)
				p.encoding = format.Encoding(encoding)
				return read, err
			case v2 && id == 5 && typ == thriftI32:
				return number(&p.defLevels)
			case v2 && id == 6 && typ == thriftI32:
				return number(&p.repLevels)
			case v2 && id == 7:
				p.plain = typ == thriftFalse
			}
			return false, nil
		})
	}
	err := c.fields(0, func(id int64, typ byte) (bool, error) {
		switch {
		case id == 1 && typ == thriftI32:
			var kind int32
			read, err := number(&kind)
			p.kind = format.PageType(kind)
			return read, err
		case id == 2 && typ == thriftI32:
			return number(&p.unpacked)
		case id == 3 && typ == thriftI32:
			return number(&p.size)
		case id == 4 && typ == thriftI32:
			p.hasCRC = true
			read, err := number(&crc)
			p.crc = uint32(crc)
			return read, err
		case (id == 5 || id == 7) && typ == thriftStruct: // data page v1, dictionary page
			return inner(1, 2, false)
		case id == 8 && typ == thriftStruct:
			return inner(1, 4, true)
		}
		return false, nil
	})
	return p, c.at, err
}

// chunk is a column of a row group.
type chunk struct {
	codec format.CompressionCodec
	dict  *page
	pages []page // data pages in the order of their rows
	rows  int64
}

// readChunk reads the headers of all pages of a chunk, and nothing else. end is where the
// chunk may end at the latest.
func readChunk(r io.ReaderAt, meta *format.ColumnMetaData, rows, limit int64) (*chunk, error) {
	if !supported(meta.Codec) {
		return nil, fmt.Errorf("column is compressed by %s, which is not read", meta.Codec)
	}
	at := meta.DataPageOffset
	if d := meta.DictionaryPageOffset; d > 0 && d < at {
		at = d
	}
	if at < 4 || meta.TotalCompressedSize < 0 || at > limit || meta.TotalCompressedSize > limit-at {
		return nil, fmt.Errorf("column lies at %d and has %d bytes, the file's data ends at %d", at, meta.TotalCompressedSize, limit)
	}
	end := at + meta.TotalCompressedSize
	c := &chunk{codec: meta.Codec}
	for at < end && c.rows < rows {
		p, err := readHeader(r, at, end)
		if err != nil {
			return nil, &pageError{at, err}
		}
		at = p.at + int64(p.size)
		switch p.kind {
		case format.DictionaryPage:
			if c.dict != nil || len(c.pages) > 0 {
				return nil, &pageError{p.at, errors.New("a second dictionary follows")}
			}
			c.dict = &p
		case format.DataPage, format.DataPageV2:
			if p.values > 0 {
				p.first = c.rows
				c.rows += int64(p.values)
				c.pages = append(c.pages, p)
			}
		}
	}
	if c.rows != rows {
		return nil, fmt.Errorf("column has %d values, its row group %d rows", c.rows, rows)
	}
	return c, nil
}

// pageError is an error with the place of its page.
type pageError struct {
	at  int64
	err error
}

func (e *pageError) Error() string { return e.err.Error() }
func (e *pageError) Unwrap() error { return e.err }

// errRead marks an error of reading, which no record is to blame for.
type errRead struct{ error }

func (e errRead) Unwrap() error { return e.error }

// content returns the unpacked content of a page: its levels, nil where there are none,
// and its values. maxDef is the number of optional groups around a value.
func (c *chunk) content(r io.ReaderAt, p *page, maxDef int) (levels, values []byte, err error) {
	if err := checkUnpacked(int64(p.size), int64(p.unpacked)); err != nil {
		return nil, nil, err
	}
	raw := make([]byte, p.size)
	if _, err := r.ReadAt(raw, p.at); err != nil {
		return nil, nil, errRead{err}
	}
	if p.hasCRC && crc32.ChecksumIEEE(raw) != p.crc {
		return nil, nil, errors.New("page does not match its checksum")
	}
	if p.kind == format.DataPageV2 {
		levels, raw = raw[p.repLevels:p.repLevels+p.defLevels], raw[p.repLevels+p.defLevels:]
		size := p.unpacked - p.repLevels - p.defLevels
		if size < 0 {
			return nil, nil, errors.New("levels are longer than the page")
		}
		codec := c.codec
		if p.plain || size == 0 && len(raw) == 0 {
			codec = format.Uncompressed
		}
		values, err = unpack(codec, raw, int(size))
		return levels, values, err
	}
	if values, err = unpack(c.codec, raw, int(p.unpacked)); err != nil {
		return nil, nil, err
	}
	if p.kind == format.DataPage && maxDef > 0 {
		if len(values) < 4 {
			return nil, nil, errEncoding
		}
		n := binary.LittleEndian.Uint32(values)
		if uint64(n) > uint64(len(values)-4) {
			return nil, nil, errEncoding
		}
		levels, values = values[4:4+n], values[4+n:]
	}
	return levels, values, nil
}
