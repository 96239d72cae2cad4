//go:build !amd64 || noasm

package pixels

// lines are a faster way than the table; there is none.
type lines struct{}

func (lines) fit(*Normaliser, [3]float32, [3]float32) {}

func (lines) copy([]float32, []uint8) bool { return false }

func (lines) mirror([]float32, []uint8) bool { return false }
