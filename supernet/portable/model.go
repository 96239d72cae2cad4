package portable

import (
	"fmt"
	"strconv"
	"strings"

	"oneshot/supernet/net"
	"oneshot/weights"
)

// Model is a network to be written.
type Model struct {
	// Net is a path: a network without choices and without the auxiliary head.
	Net *net.Network
	// Tensors are its parameters and statistics, named and shaped as in a safetensors file.
	Tensors []weights.Tensor

	Arch    string   // its text, for people
	Classes []string // their names, in the order of the logits
	// Weights says what the tensors are where they are not those of a training's end; for people.
	Weights string
	// Mean and Std of each channel R, G, B for pixels in 0..1: the network reads (pixel - Mean) / Std.
	Mean, Std [3]float32
}

// check refuses what is no network of a path.
func (m *Model) check() error {
	if m.Net.Choices != 0 || m.Net.Aux >= 0 || m.Net.Logits < 0 {
		return fmt.Errorf("portable: want a network of one architecture without an auxiliary head")
	}
	for i := range m.Mean {
		if !(m.Std[i] > 0) {
			return fmt.Errorf("portable: standard deviation %d is %v, want more than 0", i, m.Std[i])
		}
	}
	return nil
}

// tensor finds the values of a tensor and checks their number.
func (m *Model) tensor(name string, size int) ([]float32, error) {
	for _, t := range m.Tensors {
		if t.Name == name {
			if len(t.F32) != size {
				return nil, fmt.Errorf("portable: tensor %s has %d values, want %d", name, len(t.F32), size)
			}
			return t.F32, nil
		}
	}
	return nil, fmt.Errorf("portable: there is no tensor %s", name)
}

// floats writes values for metadata and program text, each as the shortest decimal of a float32.
func floats(v []float32) string {
	texts := make([]string, len(v))
	for i, x := range v {
		texts[i] = strconv.FormatFloat(float64(x), 'g', -1, 32)
	}
	return strings.Join(texts, ", ")
}
