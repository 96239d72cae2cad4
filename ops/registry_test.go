package ops_test

import (
	"reflect"
	"strings"
	"testing"

	"oneshot/ops"
	"oneshot/ops/cuda/emu"
	"oneshot/ops/opstest"
)

// missing lists the types of ops that have no case.
func missing(registered []ops.Op, cases []opstest.Case) []string {
	var out []string
	for _, op := range registered {
		n := 0
		for _, c := range cases {
			if reflect.TypeOf(c.Op) == reflect.TypeOf(op) {
				n++
			}
		}
		if n == 0 {
			out = append(out, op.Name())
		}
	}
	return out
}

// TestEveryOpHasACase: whatever is registered goes through the conformance suite.
func TestEveryOpHasACase(t *testing.T) {
	all := ops.Registered()
	if len(all) < 11 {
		t.Fatalf("%d ops are registered, want at least 11", len(all))
	}
	if m := missing(all, opstest.Cases()); m != nil {
		t.Errorf("opstest.Cases has none of %v", m)
	}
	if m := missing(append(all, unknown{}), opstest.Cases()); len(m) != 1 {
		t.Errorf("an op without a case is not found: %v", m)
	}
}

// unknown is an op that nobody has registered.
type unknown struct{ ops.AddScaled }

func (unknown) Name() string { return "unknown" }

func TestUnknownOp(t *testing.T) {
	scalar := ops.Mem{Region: ops.Input, Len: 1}
	c := &ops.Call{In: []ops.Mem{scalar, scalar}, InShape: []ops.Shape{{}, {}}, OutShape: ops.Shape{}, Out: scalar}
	for _, b := range []ops.Backend{ops.NewCPU[float32](nil), ops.NewCPU[float64](nil), ops.NewCUDA(emu.Open(t), false)} {
		if n := b.Saved(unknown{}, c.InShape, c.OutShape); n != 0 {
			t.Errorf("%s saves %d elements of an unknown op", b.Name(), n)
		}
		want := "backend " + b.Name() + " has no kernel for unknown"
		for _, err := range []error{b.Forward(unknown{}, c), b.Backward(unknown{}, c)} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		}
	}
}
