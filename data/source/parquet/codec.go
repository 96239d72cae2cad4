package parquet

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

const (
	// maxPage is the largest page that is unpacked. Old writers of the datasets library put
	// hundreds of images into one page.
	maxPage = 512 << 20
	// A page may claim to unpack to maxRatio times its size and freely to freePage: labels
	// that are all the same shrink to almost nothing.
	maxRatio = 1032
	freePage = 4 << 20
)

// checkUnpacked bounds what is reserved for a page by what the file holds of it.
func checkUnpacked(packed, unpacked int64) error {
	if limit := min(maxPage, freePage+maxRatio*packed); unpacked < 0 || unpacked > limit {
		return fmt.Errorf("page of %d bytes claims to unpack to %d, want at most %d", packed, unpacked, limit)
	}
	return nil
}

// zstds are decoders that write no further than the capacity they are given.
var zstds = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(maxPage))
	if err != nil {
		panic("parquet: options of zstd") // they are constants
	}
	return d
}}

// supported names the codecs.
func supported(c format.CompressionCodec) bool {
	switch c {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd, format.Lz4Raw:
		return true
	}
	return false
}

// unpack returns the size bytes that packed stands for. It reserves no more than that,
// whatever packed says.
func unpack(codec format.CompressionCodec, packed []byte, size int) ([]byte, error) {
	if codec == format.Uncompressed {
		if len(packed) != size {
			return nil, fmt.Errorf("page has %d bytes, its header says %d", len(packed), size)
		}
		return packed, nil
	}
	if err := checkUnpacked(int64(len(packed)), int64(size)); err != nil {
		return nil, err
	}
	out := make([]byte, size)
	n, err := 0, error(nil)
	switch codec {
	case format.Snappy:
		if n, err = snappy.DecodedLen(packed); err == nil && n == size {
			_, err = snappy.Decode(out, packed)
		}
	case format.Lz4Raw:
		n, err = lz4.UncompressBlock(packed, out)
	case format.Zstd:
		d := zstds.Get().(*zstd.Decoder)
		var all []byte
		all, err = d.DecodeAll(packed, out[:0])
		n = len(all)
		zstds.Put(d)
	case format.Gzip:
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(packed)); err == nil {
			n, err = fill(z, out)
		}
	case format.Brotli:
		n, err = fill(brotli.NewReader(bytes.NewReader(packed)), out)
	default:
		return nil, fmt.Errorf("page is compressed by %s, which is not read", codec)
	}
	if err != nil {
		return nil, fmt.Errorf("page cannot be unpacked: %w", err)
	}
	if n != size {
		return nil, fmt.Errorf("page unpacks to %d bytes, its header says %d", n, size)
	}
	return out, nil
}

// fill reads out from r and wants the end after it.
func fill(r io.Reader, out []byte) (int, error) {
	n, err := io.ReadFull(r, out)
	if err != nil {
		return n, err
	}
	var more [1]byte
	if k, err := io.ReadFull(r, more[:]); k > 0 || err != io.EOF {
		return n + k, err
	}
	return n, nil
}
