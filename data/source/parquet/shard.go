package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"oneshot/data/source"
)

// shard is an opened file.
type shard struct {
	path   string
	file   io.ReaderAt
	cols   columns
	groups []group
	rows   int64
}

// group is a row group.
type group struct {
	first        int64 // row of the file
	image, label *chunk
}

// maxFooter is the largest metadata of a file that is read: 32,767 row groups, which is
// parquet's own limit, of ten columns.
const maxFooter = 32 << 20

// open reads the metadata of a file of size bytes and the headers of its pages, no values.
func (s *shard) open(size int64, opts Options) error {
	meta, end, err := footer(s.file, size)
	if err != nil {
		return source.Wrong(s.path, end, "", err, "file is no parquet file that can be read")
	}
	all, err := leaves(meta.Schema)
	if err == nil {
		s.cols, err = choose(all, features(meta.KeyValueMetadata), opts)
	}
	if err != nil {
		return source.Wrong(s.path, end, "", err, "columns")
	}
	// A row takes some bytes of the file, or else a few bytes could claim any number of them.
	limit := 4096 + size/4
	for i := range meta.RowGroups {
		g := &meta.RowGroups[i]
		if g.NumRows < 0 || g.NumRows > limit-s.rows {
			return source.Wrong(s.path, end, "", nil, "row group %d has %d rows, a file of %d bytes at most %d", i, g.NumRows, size, limit)
		}
		if g.NumRows == 0 {
			continue
		}
		to := group{first: s.rows}
		for _, c := range []struct {
			leaf *leaf
			to   **chunk
		}{{&s.cols.image, &to.image}, {&s.cols.label, &to.label}} {
			if len(g.Columns) != len(all) {
				return source.Wrong(s.path, end, "", nil, "row group %d has %d columns, the schema %d", i, len(g.Columns), len(all))
			}
			col := &g.Columns[c.leaf.index]
			if col.FilePath != "" {
				return source.Wrong(s.path, end, "", nil, "column %s lies in another file, %.60q", c.leaf.name(), col.FilePath)
			}
			if col.MetaData.Type != c.leaf.typ {
				return source.Wrong(s.path, end, "", nil, "column %s is of another type in row group %d", c.leaf.name(), i)
			}
			if *c.to, err = readChunk(s.file, &col.MetaData, g.NumRows, end); err != nil {
				at := end
				var page *pageError
				if errors.As(err, &page) {
					at = page.at
				}
				return source.Wrong(s.path, at, "", err, "column %s, row group %d", c.leaf.name(), i)
			}
		}
		s.rows += g.NumRows
		s.groups = append(s.groups, to)
	}
	return nil
}

// footer reads the metadata at the end of a file. end is where the data before it ends, or
// where the trouble is.
func footer(r io.ReaderAt, size int64) (meta *format.FileMetaData, end int64, err error) {
	var head [4]byte
	var tail [8]byte
	if size < int64(len(head)+len(tail)) {
		return nil, size, fmt.Errorf("file has %d bytes", size)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return nil, 0, err
	}
	end = size - int64(len(tail))
	if _, err := r.ReadAt(tail[:], end); err != nil {
		return nil, end, err
	}
	if string(head[:]) == "PARE" || string(tail[4:]) == "PARE" {
		return nil, 0, errors.New("file is encrypted")
	}
	if string(head[:]) != "PAR1" {
		return nil, 0, fmt.Errorf("file starts with %q, want \"PAR1\"", head)
	}
	if string(tail[4:]) != "PAR1" {
		return nil, end + 4, fmt.Errorf("file ends with %q, want \"PAR1\": it is not complete", tail[4:])
	}
	n := int64(binary.LittleEndian.Uint32(tail[:4]))
	if n > end-int64(len(head)) || n > maxFooter {
		return nil, end, fmt.Errorf("metadata claims %d bytes of a file of %d, at most %d are read", n, size, maxFooter)
	}
	end -= n
	raw := make([]byte, n)
	if _, err := r.ReadAt(raw, end); err != nil {
		return nil, end, err
	}
	if err := checkFooter(raw); err != nil {
		return nil, end, err
	}
	meta, err = decodeFooter(raw)
	return meta, end, err
}

// decodeFooter decodes metadata that checkFooter has walked over. A panic of the decoder is
// an error of the file.
func decodeFooter(raw []byte) (meta *format.FileMetaData, err error) {
	defer func() {
		if e := recover(); e != nil {
			meta, err = nil, fmt.Errorf("metadata cannot be decoded: %v", e)
		}
	}()
	meta = &format.FileMetaData{}
	return meta, thrift.Unmarshal(&thrift.CompactProtocol{}, raw, meta)
}

// group returns the number of the row group of a row.
func (s *shard) group(row int64) int {
	lo, hi := 0, len(s.groups)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; s.groups[mid].first <= row {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// pageOf returns the number of the page of a row of the chunk.
func (c *chunk) pageOf(row int64) int {
	lo, hi := 0, len(c.pages)
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; c.pages[mid].first <= row {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// place says where the page of a row lies.
func (s *shard) place(row int64) source.Place {
	g := &s.groups[s.group(row)]
	return source.Place{File: s.path, Offset: g.image.pages[g.image.pageOf(row-g.first)].at, Member: fmt.Sprintf("row %d", row)}
}

// sizes appends the stored bytes of each row: of its page, in equal parts.
func (s *shard) sizes(out []int64) []int64 {
	for _, g := range s.groups {
		each := int64(0) // of a value in the dictionary
		if d := g.image.dict; d != nil && d.values > 0 {
			each = max(0, int64(d.unpacked)-4*int64(d.values)) / int64(d.values)
		}
		for _, p := range g.image.pages {
			size := each
			if !isDictionary(p.encoding) {
				size = max(0, int64(p.unpacked)-4*int64(p.values)) / int64(p.values)
			}
			for range p.values {
				out = append(out, size)
			}
		}
	}
	return out
}
