package supernet

import (
	"reflect"
	"strings"
	"testing"

	"oneshot/weights"
)

func TestTensorsRoundTrip(t *testing.T) {
	cfg := smallNet(t, "full")
	cfg.Aux, cfg.AuxChannels = true, [2]int{6, 10}
	rt := newRuntime(t, 1)
	a, err := New(cfg, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(cfg, 2, rt)
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(a.params, b.params) {
		t.Fatal("two seeds give the same weights")
	}
	if err := b.SetTensors(a.Tensors()); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a.params, b.params) || !reflect.DeepEqual(a.state, b.state) {
		t.Error("weights changed on the way through Tensors and SetTensors")
	}
	ts := a.Tensors()
	for _, c := range []struct {
		name string
		ts   []weights.Tensor
		want string
	}{
		{"missing", ts[1:], "stem.conv.weight is missing"},
		{"unknown", append([]weights.Tensor{{Name: "x", Shape: []int{1}, F32: []float32{1}}}, ts...), "unknown tensors"},
		{"shape", append([]weights.Tensor{{Name: ts[0].Name, Shape: []int{1}, F32: []float32{1}}}, ts[1:]...), "has shape"},
	} {
		if err := b.SetTensors(c.ts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s tensor: error %v, want one with %q", c.name, err, c.want)
		}
	}
}

func normOf(t *testing.T, n *Net, name string) int {
	t.Helper()
	i, ok := n.layout.Norm(name)
	if !ok {
		t.Fatalf("no normalisation %s", name)
	}
	return i
}
