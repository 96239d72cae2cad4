package lanas

import "math/bits"

// packed is a code as a set of bits, for distances.
type packed []uint64

func pack(code []byte) packed {
	p := make(packed, (len(code)+63)/64)
	for i, v := range code {
		if v == 1 {
			p[i/64] |= 1 << (i % 64)
		}
	}
	return p
}

// hamming counts the entries in which two codes of one length differ.
func hamming(a, b packed) (n int) {
	b = b[:len(a)]
	for i, v := range a {
		n += bits.OnesCount64(v ^ b[i])
	}
	return n
}

// unpack is the inverse of pack for a code of dim entries.
func unpack(p packed, dim int) []byte {
	code := make([]byte, dim)
	for i := range code {
		code[i] = byte(p[i/64] >> (i % 64) & 1)
	}
	return code
}
