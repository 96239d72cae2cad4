package data

// images is a decoded collection: raw bytes, so that 60,000 CIFAR images take
// 184 MB rather than the 737 MB of float32.
type images struct {
	side int     // H = W
	pix  []uint8 // (n,H,W,3)
	y    []int32 // (n)
}

// newImages allocates n black images of label 0.
func newImages(n, side int) *images {
	return &images{side: side, pix: make([]uint8, n*side*side*3), y: make([]int32, n)}
}

func (m *images) len() int { return len(m.y) }

// at returns image i, (H,W,3).
func (m *images) at(i int) []uint8 {
	size := m.side * m.side * 3
	return m.pix[i*size : (i+1)*size : (i+1)*size]
}

// normTable maps a raw byte of channel c to its normalised value.
type normTable [3][256]float32

// newNormTable tabulates (v/255 - mean) / std, rounded once from float64.
// Divisions only after a subtraction: nothing a compiler could fuse.
func newNormTable(mean, std [3]float32) *normTable {
	t := new(normTable)
	for c := range t {
		for v := range t[c] {
			t[c][v] = float32((float64(v)/255 - float64(mean[c])) / float64(std[c]))
		}
	}
	return t
}
