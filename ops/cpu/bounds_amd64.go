//go:build !noasm

package cpu

import "math/bits"

// lanes is the number of float32 in one AVX2 register.
const lanes = 8

// laneMasks[lanes-n:] is the mask of the first n of 8 lanes.
var laneMasks = [2 * lanes]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// mask selects the first n lanes, 0 <= n <= lanes.
func mask(n int) *int32 { return &laneMasks[lanes-n] }

const (
	shortRows = "cpu: a slice is shorter than its rows"
	badTaps   = "cpu: fewer weights than taps"
	badTap    = "cpu: a tap lies outside its slice"
)

// slack returns how far into s a block of rows rows (at least one) of cols
// elements, stride apart, may start. It panics if the block does not fit at
// all. It is what stands between a wrong shape and assembly that trusts its
// pointers, so it takes no product on trust either.
func slack(s []float32, rows, cols, stride int) uint {
	hi, span := bits.Mul64(uint64(rows-1), uint64(stride))
	room := len(s) - cols
	if room < 0 || hi != 0 || span > uint64(room) { // a negative stride is a huge one
		panic(shortRows)
	}
	return uint(room) - uint(span)
}
