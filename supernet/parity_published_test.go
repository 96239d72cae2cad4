package supernet

import (
	"testing"

	"oneshot/supernet/space"
)

// published are small forms of published networks: weight-standardised convolutions and an output of
// some nodes (LaNet), an odd width and two equal pairs in a node (NASNet-A), a 7x1 convolution after a
// 1x7 one (AmoebaNet-A), the form for ImageNet (DARTS-V2). Pools have no normalisation in any of them.
// testdata/parity.py makes their golden files.
var published = []string{"lanet", "nasnet-a", "amoebanet-a", "imagenet"}

// TestPublishedParityWithPyTorch: TestParityWithPyTorch for published networks. Their concatenations
// are their own, so they are no paths of a supernet.
func TestPublishedParityWithPyTorch(t *testing.T) {
	for _, name := range published {
		t.Run(name, func(t *testing.T) { loadParity(t, name).run(t, false) })
	}
}

// TestCUDAPublishedParityWithPyTorch: the same on the device, in float32.
func TestCUDAPublishedParityWithPyTorch(t *testing.T) {
	for _, name := range published {
		t.Run(name, func(t *testing.T) { loadParity(t, name).runOn(t, newDevice(t, false), false) })
	}
}

// spaces are small networks of the spaces without cells.
var spaces = []string{"nasbench-macro", "nasbench-201"}

// TestSpacesParityWithPyTorch: TestParityWithPyTorch for them.
func TestSpacesParityWithPyTorch(t *testing.T) {
	for _, name := range spaces {
		t.Run(name, func(t *testing.T) { loadParity(t, name).run(t, false) })
		t.Run(name+", a path of a supernet", func(t *testing.T) { loadParity(t, name).run(t, true) })
	}
}

// TestCUDASpacesParityWithPyTorch: the same on the device, in float32.
func TestCUDASpacesParityWithPyTorch(t *testing.T) {
	for _, name := range spaces {
		t.Run(name, func(t *testing.T) { loadParity(t, name).runOn(t, newDevice(t, false), false) })
	}
}

// TestPublishedGoldensAreTheNamedCells: the golden architectures are those that oneshot knows by name.
func TestPublishedGoldensAreTheNamedCells(t *testing.T) {
	for _, name := range published {
		p := loadParity(t, name)
		if name == "imagenet" {
			name = "darts-v2"
		}
		sp, arch, err := space.ParseAny(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := sp.Format(arch), p.cfg.Space.Format(p.arch); got != want {
			t.Errorf("%s is\n%s, the golden file has\n%s", name, got, want)
		}
	}
}
