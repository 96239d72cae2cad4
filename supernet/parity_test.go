package supernet

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"oneshot/data"
	"oneshot/ops"
	"oneshot/supernet/engine"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// parityTolerance is relative to the largest magnitude of each tensor. The
// golden values are PyTorch's in float64, rounded once; see testdata/trajectory.py.
const parityTolerance = 1e-4

// golden is the sheet beside the golden tensors.
type golden struct {
	Net struct {
		Ops            string `json:"ops"`
		Nodes          int    `json:"nodes"`
		Layers         int    `json:"layers"`
		Channels       int    `json:"channels"`
		StemMultiplier int    `json:"stem_multiplier"`
		Classes        int    `json:"classes"`
		Image          int    `json:"image"`
		Affine         bool   `json:"affine"`
		Aux            bool   `json:"aux"`
		AuxChannels    [2]int `json:"aux_channels"`
		ImageNet       bool   `json:"imagenet"`
	} `json:"net"`
	Arch  json.RawMessage `json:"arch"`
	Train struct {
		Batch       int     `json:"batch"`
		Steps       int     `json:"steps"`
		LR          float64 `json:"lr"`
		Momentum    float64 `json:"momentum"`
		WeightDecay float64 `json:"weight_decay"`
		Clip        float64 `json:"clip"`
		Smoothing   float64 `json:"smoothing"`
		AuxWeight   float64 `json:"aux_weight"`
	} `json:"train"`
	Batches   []uint64  `json:"batches"` // the number of each step's batch
	Losses    []float64 `json:"losses"`
	GradNorms []float64 `json:"grad_norms"`
}

type parity struct {
	golden
	arch    space.Arch
	cfg     NetConfig
	tensors map[string]weights.Tensor
}

// loadParity reads the files of one of the networks of testdata/parity.py.
func loadParity(t *testing.T, name string) parity {
	t.Helper()
	var p parity
	b, err := os.ReadFile("testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &p.golden); err != nil {
		t.Fatal(err)
	}
	sp, arch, err := space.ParseAny(string(p.Arch))
	if err != nil {
		t.Fatal(err)
	}
	n := p.Net
	p.arch = arch
	p.cfg = NetConfig{Space: sp, Size: net.Size{Geometry: net.Geometry{Layers: n.Layers, Channels: n.Channels, StemMultiplier: n.StemMultiplier, ImageNet: n.ImageNet},
		Classes: n.Classes, Image: n.Image, Affine: n.Affine, Aux: n.Aux, AuxChannels: n.AuxChannels}}
	f, err := weights.ReadSafetensors("testdata/" + name + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	p.tensors = map[string]weights.Tensor{}
	for _, x := range f.Tensors {
		p.tensors[x.Name] = x
	}
	return p
}

// group returns the tensors under a prefix, the prefix removed.
func (p parity) group(prefix string) []weights.Tensor {
	var ts []weights.Tensor
	for name, x := range p.tensors {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			x.Name = rest
			ts = append(ts, x)
		}
	}
	return ts
}

// batch makes step s's images as NHWC and its labels. Value i of the images as NCHW, and the
// labels after them, come from number i of a sequence that the batch's number starts.
func (p parity) batch(s int) *data.Batch {
	n, hw := p.Train.Batch, p.Net.Image*p.Net.Image
	b := &data.Batch{N: n, X: make([]float32, n*hw*3), Y: make([]int32, n)}
	bits := func(i int) uint64 { return splitMix(p.Batches[s], i) >> 40 }
	for i := range n {
		b.Y[i] = int32(bits(n*3*hw+i) % uint64(p.Net.Classes))
		for c := range 3 {
			for k := range hw {
				b.X[(i*hw+k)*3+c] = float32(bits((i*3+c)*hw+k))/(1<<22) - 2
			}
		}
	}
	return b
}

// splitMix is number i of a sequence of random bits (Steele, Lea and Flood 2014).
func splitMix(seed uint64, i int) uint64 {
	z := seed + uint64(i+1)*0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// magnitude is the largest of the absolute values; NaN counts as infinite.
func magnitude(v []float32) (largest float64) {
	for _, x := range v {
		if a := math.Abs(float64(x)); !(a <= largest) {
			largest = a
			if math.IsNaN(a) {
				return math.Inf(1)
			}
		}
	}
	return largest
}

// near compares in the largest norm relative to the golden tensor; NaN fails.
func near(t *testing.T, name string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", name, len(got), len(want))
		return
	}
	var scale, worst float64
	for i, w := range want {
		scale = max(scale, math.Abs(float64(w)))
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= worst) {
			worst = d
		}
	}
	if !(worst <= parityTolerance*scale) {
		t.Errorf("%s: off by %.3g of %.3g, relative %.2g", name, worst, scale, worst/scale)
	}
}

// TestParityWithPyTorch: same weights, same batches as torch: logits, losses,
// every gradient, ten SGD steps, running statistics, eval mode.
func TestParityWithPyTorch(t *testing.T) {
	p := loadParity(t, "parity")
	for _, whole := range []bool{false, true} {
		name := map[bool]string{false: "extracted", true: "path of a supernet"}[whole]
		t.Run(name, func(t *testing.T) { p.run(t, whole) })
	}
}

func (p parity) run(t *testing.T, whole bool) { p.runOn(t, newRuntime(t, 2), whole) }

// runOn compares on a processor or on a device in float32.
func (p parity) runOn(t *testing.T, rt *Runtime, whole bool) {
	n, err := NewArch(p.cfg, p.arch, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.SetTensors(p.group("init/")); err != nil {
		t.Fatal(err)
	}
	if whole { // the same values inside the full set of candidates
		s, err := New(p.cfg, 1, rt)
		if err != nil {
			t.Fatal(err)
		}
		ts := s.Tensors()
		for i := range ts {
			if x, ok := p.tensors["init/"+ts[i].Name]; ok {
				ts[i].F32, ts[i].I64 = x.F32, x.I64
			}
		}
		if err := s.SetTensors(ts); err != nil {
			t.Fatal(err)
		}
		n = s
	}
	c := DefaultTrain()
	c.Steps, c.Batch, c.LR, c.MinLR, c.Momentum = p.Train.Steps, p.Train.Batch, p.Train.LR, p.Train.LR, p.Train.Momentum
	c.WeightDecay, c.Clip, c.Smoothing, c.Aux = p.Train.WeightDecay, p.Train.Clip, p.Train.Smoothing, p.Train.AuxWeight
	tr := bare(t, n, c)
	path, err := tr.build(p.arch)
	if err != nil {
		t.Fatal(err)
	}
	for s := range p.Train.Steps {
		st, err := tr.take(path, p.batch(s))
		if err != nil {
			t.Fatal(err)
		}
		if s == 0 {
			near(t, "train logits", left(t, tr.eng, path.Graph, path.Logits), p.tensors["train/logits"].F32)
			if p.Net.Aux {
				near(t, "train aux logits", left(t, tr.eng, path.Graph, path.Aux), p.tensors["train/aux_logits"].F32)
			}
			grads := n.paramTensors("", left(t, tr.eng, path.Graph, ops.Mem{Region: ops.Grad, Len: len(n.params)}))
			seen, largest := 0, 0.0
			for _, x := range p.group("grad/") {
				largest = max(largest, magnitude(x.F32))
			}
			for _, x := range grads {
				want, ok := p.tensors["grad/"+x.Name]
				if !ok {
					continue
				}
				seen++
				if magnitude(want.F32) >= 1e-10*largest {
					near(t, "gradient of "+x.Name, x.F32, want.F32)
				} else if got := magnitude(x.F32); !(got <= parityTolerance*largest) { // the next normalisation takes the shift away
					t.Errorf("gradient of %s is %g, want 0; the largest of all is %g", x.Name, got, largest)
				}
			}
			if want := len(p.group("grad/")); seen != want || seen == 0 {
				t.Errorf("compared %d gradients of %d", seen, want)
			}
		}
		near(t, "loss", []float32{float32(st.Loss)}, []float32{float32(p.Losses[s])})
		near(t, "gradient norm", []float32{float32(st.GradNorm)}, []float32{float32(p.GradNorms[s])})
	}
	if _, err := tr.Checkpoint(); err != nil { // a device's values come to the network
		t.Fatal(err)
	}
	final := map[string]weights.Tensor{}
	for _, x := range n.Tensors() {
		final[x.Name] = x
	}
	for _, want := range p.group("final/") {
		got := final[want.Name]
		if want.I64 != nil {
			if got.I64[0] != want.I64[0] {
				t.Errorf("%s is %d, want %d", want.Name, got.I64[0], want.I64[0])
			}
			continue
		}
		near(t, "after ten steps: "+want.Name, got.F32, want.F32)
	}
	logits, err := n.Logits(p.arch, p.batch(0).X)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "eval logits", logits, p.tensors["eval/logits"].F32)
}

// left is what the last step left in an engine's memory: gradients, or a value that
// its graph keeps.
func left(t *testing.T, e engine.Trainer, g *engine.Graph, m ops.Mem) []float32 {
	t.Helper()
	v := make([]float32, m.Len)
	if err := e.(interface {
		Read(g *engine.Graph, m ops.Mem, v []float32) error
	}).Read(g, m, v); err != nil {
		t.Fatal(err)
	}
	return v
}

func newRuntime(t testing.TB, threads int) *Runtime {
	t.Helper()
	rt, err := NewRuntime(threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rt.Close)
	return rt
}

// take trains a path on a batch.
func (t *Trainer) take(p path, b *data.Batch) (StepStats, error) {
	if err := t.issue(context.Background(), p, b); err != nil {
		return StepStats{}, err
	}
	return t.finish()
}

// bare is a trainer whose steps are given batches.
func bare(t testing.TB, n *Net, c TrainConfig) *Trainer {
	t.Helper()
	tr, err := newTrainer(n, nil, c)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}
