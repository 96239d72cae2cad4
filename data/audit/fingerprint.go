package audit

import (
	"crypto/sha256"
	"encoding/binary"

	"oneshot/data/decode"
)

// Whole pictures are compared only where their fingerprints are equal: converting all of a
// photograph's planes to RGB takes three times as long as decoding them. A fingerprint is of
// some rows of RGB. Where these rows are equal by chance, as in drawings on white, the
// comparison takes a second decoding, and nothing is missed or made up.
const (
	bands     = 8 // of rows, spread over the height
	bandRows  = 2 // in each
	wholeRows = 2 * bands * bandRows
	wholeSize = 64 * 64 // pixels; no more than that is hashed whole
)

// hasher has the memory of one goroutine.
type hasher struct{ rgb, rows []uint8 }

// fingerprint is equal for equal pictures, and for others seldom.
func (h *hasher) fingerprint(m *decode.Image) uint64 {
	if m.W*m.H <= wholeSize || m.H <= wholeRows {
		d := h.digest(m)
		return binary.LittleEndian.Uint64(d[:])
	}
	h.rows = sized(h.rows[:0], m)
	for b := range bands {
		h.rows = h.appendRows(h.rows, m, (2*b+1)*m.H/(2*bands)&^1, bandRows)
	}
	sum := sha256.Sum256(h.rows)
	return binary.LittleEndian.Uint64(sum[:])
}

// digest is equal for equal pictures only. It takes a few rows at a time, for large pictures
// as RGB are hundreds of megabytes.
func (h *hasher) digest(m *decode.Image) (d [16]byte) {
	sum := sha256.New()
	sum.Write(sized(nil, m))
	const rows = 16 // even
	for y := 0; y < m.H; y += rows {
		h.rows = h.appendRows(h.rows[:0], m, y, min(rows, m.H-y))
		sum.Write(h.rows)
	}
	copy(d[:], sum.Sum(nil))
	return d
}

func sized(b []uint8, m *decode.Image) []uint8 {
	b = binary.LittleEndian.AppendUint32(b, uint32(m.W))
	return binary.LittleEndian.AppendUint32(b, uint32(m.H))
}

// appendRows appends n rows of RGB from row y, an even number. Chroma is
// interpolated from the row of chroma before or after, so that these are converted too.
func (h *hasher) appendRows(rows []uint8, m *decode.Image, y, n int) []uint8 {
	first, last := max(0, y-2), min(m.H, y+n+2)
	part := *m
	part.H = last - first
	switch {
	case m.Y != nil:
		part.Y = m.Y[first*m.YStride:]
		part.Cb, part.Cr = m.Cb[first/m.SubY*m.CStride:], m.Cr[first/m.SubY*m.CStride:]
	case m.Grey:
		part.Pix = m.Pix[first*m.W : last*m.W]
	default:
		part.Pix = m.Pix[first*m.W*3 : last*m.W*3]
	}
	h.rgb = part.RGB(h.rgb)
	return append(rows, h.rgb[(y-first)*m.W*3:][:n*m.W*3]...)
}
