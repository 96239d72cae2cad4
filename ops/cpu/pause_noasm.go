//go:build !amd64 || noasm

package cpu

// pause passes some 20 ns between two looks at a word that another thread will
// write.
func pause() {
	for range 64 {
	}
}
