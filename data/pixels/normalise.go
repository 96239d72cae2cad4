package pixels

// Normaliser maps bytes to what a network sees: (v/255 - mean) / std of the channel. All ways
// to compute it give the bits of the table.
type Normaliser struct {
	table [3][256]float32
	lines lines
}

// NewNormaliser tabulates the values, rounded once from float64. mean and std are in [0,1].
func NewNormaliser(mean, std [3]float32) *Normaliser {
	n := new(Normaliser)
	for c := range n.table {
		for v := range n.table[c] {
			// Divisions only after a subtraction: nothing a compiler could fuse.
			n.table[c][v] = float32((float64(v)/255 - float64(mean[c])) / float64(std[c]))
		}
	}
	n.lines.fit(n, mean, std)
	return n
}

// Table has the value of every byte of a channel. It must not be changed.
func (n *Normaliser) Table() *[3][256]float32 { return &n.table }

// Copy normalises src (x,3) into dst (x,3).
func (n *Normaliser) Copy(dst []float32, src []uint8) {
	if done := n.lines.copy(dst[:len(src)], src); done {
		return
	}
	t := &n.table
	for len(src) >= 3 && len(dst) >= 3 {
		dst[0], dst[1], dst[2] = t[0][src[0]], t[1][src[1]], t[2][src[2]]
		dst, src = dst[3:], src[3:]
	}
}

// Mirror works like Copy and reverses the pixels.
func (n *Normaliser) Mirror(dst []float32, src []uint8) {
	if done := n.lines.mirror(dst[:len(src)], src); done {
		return
	}
	t := &n.table
	for len(src) >= 3 && len(dst) >= 3 {
		q := src[len(src)-3:]
		dst[0], dst[1], dst[2] = t[0][q[0]], t[1][q[1]], t[2][q[2]]
		dst, src = dst[3:], src[:len(src)-3]
	}
}
