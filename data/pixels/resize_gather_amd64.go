//go:build !noasm

package pixels

// A gather is a filter across as assembly reads it, in one of two forms; which of them follows
// from how far apart the inputs of neighbouring outputs lie.
//
// near is for horizontalAVX2. A group of 32 outputs has the places where eight loads of 16 bytes
// start, four masks that shuffle two loads each, and for every pair of inputs four times the
// high parts of 16 coefficients and their low parts. Output e of the group is in vector e%16/4,
// half e/16, place e%4.
//
// far is for farAVX2. An output has chunks of 4 inputs with 3 channels or of 16 with one; of a
// chunk there are 16 high parts and then 16 low parts, as the loop shuffles the inputs.
//
// A coefficient is high*2^8 + low.
type gather struct {
	near, far           bool // or neither
	table               []uint16
	groups, pairs, step int
	reach               int // bytes of a row that are read
}

// Parts of a group, in words.
const (
	groupStarts = 8 * 2
	groupHead   = groupStarts + 4*16
	groupPair   = 4 * 2 * 16
)

// How many inputs an output may have in each form. Those of near follow from the scales that it
// serves. The table of far grows with them, up to 16 KB an output.
const (
	mostNear = 10
	mostFar  = 1024
)

// set computes the table: near up to a scale of 3 with three channels and of 4.6 with one.
func (g *gather) set(a *axis, channels int) {
	g.near, g.far = useAVX2 && g.setNear(a, channels), false
	if useAVX2 && !g.near && a.taps <= mostFar {
		g.far = true
		g.setFar(a, channels)
	}
}

// setNear reports whether all loads can have the inputs of their outputs.
func (g *gather) setNear(a *axis, channels int) bool {
	if a.taps > mostNear {
		return false
	}
	n := len(a.first) * channels
	g.groups, g.pairs, g.step, g.reach = (n+31)/32, (a.taps+1)/2, 2*channels, 0
	size := groupHead + g.pairs*groupPair
	g.table = grow(g.table, g.groups*size)
	clear(g.table)
	for half := range g.groups * 8 {
		group := g.table[half/8*size:][:size]
		vector, lane := half%8%4, half%8/4
		from := half/8*32 + 16*lane + 4*vector
		if !g.setHalf(group, a, channels, vector, lane, from, min(from+4, n)) {
			return false
		}
	}
	return true
}

// farMasks shuffle 16 bytes to words: four RGB pixels, two in each half, and 16 values.
var farMasks = [4][32]uint8{
	3: {
		0, 0x80, 3, 0x80, 1, 0x80, 4, 0x80, 2, 0x80, 5, 0x80, 0x80, 0x80, 0x80, 0x80,
		6, 0x80, 9, 0x80, 7, 0x80, 10, 0x80, 8, 0x80, 11, 0x80, 0x80, 0x80, 0x80, 0x80,
	},
	1: {
		0, 0x80, 1, 0x80, 2, 0x80, 3, 0x80, 4, 0x80, 5, 0x80, 6, 0x80, 7, 0x80,
		8, 0x80, 9, 0x80, 10, 0x80, 11, 0x80, 12, 0x80, 13, 0x80, 14, 0x80, 15, 0x80,
	},
}

// setFar computes the table of farAVX2.
func (g *gather) setFar(a *axis, channels int) {
	inputs := 16 // of a chunk
	if channels == 3 {
		inputs = 4
	}
	chunks := (a.taps + inputs - 1) / inputs
	g.groups, g.pairs, g.step, g.reach = len(a.first), chunks, inputs*channels, 0
	g.table = grow(g.table, g.groups*chunks*32)
	clear(g.table)
	for i := range a.first {
		first, coef := a.filter(i)
		g.reach = max(g.reach, first*channels+(chunks-1)*g.step+16)
		for j, c := range coef {
			chunk := g.table[(i*chunks+j/inputs)*32:][:32]
			high, low := uint16(c>>8), uint16(c&0xff)
			if j %= inputs; channels == 1 {
				chunk[j], chunk[16+j] = high, low
				continue
			}
			for at := j/2*8 + j%2; at < j/2*8+6; at += 2 {
				chunk[at], chunk[16+at] = high, low
			}
		}
	}
}

// setHalf computes the entries of outputs from <= e < to of a half, and reports whether a load
// can have their inputs.
func (g *gather) setHalf(group []uint16, a *axis, channels, vector, lane, from, to int) bool {
	mask := group[groupStarts+16*vector+8*lane:][:8]
	for i := range mask {
		mask[i] = 0x8080 // makes zero
	}
	if from >= to {
		return true
	}
	// Where a pixel ends among the four, the next one may start at the same input.
	start := int(a.first[from/channels])*channels + from%channels
	if last := (to - 1) / channels; last > from/channels {
		start = min(start, int(a.first[last])*channels)
	}
	group[2*(2*vector+lane)], group[2*(2*vector+lane)+1] = uint16(start), uint16(start>>16)
	g.reach = max(g.reach, start+(g.pairs-1)*g.step+16)
	for e := from; e < to; e++ {
		i, c := e/channels, e%channels
		first, coef := a.filter(i)
		at := first*channels + c - start
		if at+channels > 15 {
			return false
		}
		q := 2 * (e - from)
		mask[q], mask[q+1] = 0x8000|uint16(at), 0x8000|uint16(at+channels)
		for word := group[groupHead+32*vector+8*lane+q:]; len(word) > 17; word = word[min(groupPair, len(word)):] {
			word[0], word[16] = uint16(coef[0]>>8), uint16(coef[0]&0xff)
			if len(coef) == 1 {
				break
			}
			word[1], word[17] = uint16(coef[1]>>8), uint16(coef[1]&0xff)
			if coef = coef[2:]; len(coef) == 0 {
				break
			}
		}
	}
	return true
}
