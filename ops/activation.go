package ops

import "oneshot/ops/cpu"

// Activation is a function that an operation applies to every value of its input
// first. Where a backend applies it is one place each: cpu.Activation, and
// lowering.activation for the kernels of a device.
type Activation = cpu.Activation

const (
	Identity = cpu.Identity
	ReLU     = cpu.ReLU
)

// wantActivation checks that there is such an activation.
func wantActivation(op Op, f Activation) error {
	if !f.Known() {
		return shapeErr(op, "%v", f)
	}
	return nil
}

// activation is what the kernels' argument ReLU stands for; another activation
// makes it a number of theirs.
func (l *lowering) activation(f Activation) int32 { return [...]int32{Identity: 0, ReLU: 1}[f] }
