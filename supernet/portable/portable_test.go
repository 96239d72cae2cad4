package portable_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"oneshot/ops"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/portable"
	"oneshot/supernet/space"
	"oneshot/weights"

	_ "oneshot/supernet/space/cell"
)

// sample is a network with weights and statistics that no training has made small.
type sample struct {
	name   string
	model  *portable.Model
	x      []float32 // images (N,H,W,3)
	logits []float32 // of our own engine
	n      int
	// options are the ways to write it in ONNX that are tried.
	options []portable.ONNXOptions
}

// samples are small forms of published networks, and architectures of every operation set that have each of its
// operations.
func samples(t *testing.T) []sample {
	t.Helper()
	rt, err := supernet.NewRuntime(2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rt.Close() })
	cifar := net.Size{Geometry: net.Geometry{Layers: 5, Channels: 4, StemMultiplier: 3}, Classes: 7, Image: 16, Affine: true}
	imagenet := cifar
	imagenet.ImageNet, imagenet.Image = true, 64
	bare := cifar
	bare.Affine = false
	var out []sample
	for _, c := range []struct {
		arch string
		size net.Size
	}{
		{"lanet", cifar}, {"nasnet-a", cifar}, {"amoebanet-a", cifar}, {"darts-v2", imagenet}, {"pc-darts", bare},
		{"full3:0.sep_conv_3x3+0.sep_conv_3x3,0.avg_pool_3x3+1.skip_connect,2.max_pool_3x3+2.max_pool_3x3/3.4" +
			":0.skip_connect+0.sep_conv_7x7,1.dil_conv_3x3+1.dil_conv_5x5,2.skip_connect+2.skip_connect/unread", cifar},
	} {
		s, arch, err := space.ParseAny(c.arch)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, newSample(t, rt, strings.SplitN(c.arch, ":", 2)[0], s, arch, c.size))
	}
	for _, z := range []net.Size{cifar, bare} {
		out = append(out, newSample(t, rt, fmt.Sprintf("blocks affine=%v", z.Affine), blocks{}, space.Arch{}, z))
	}
	return out
}

func newSample(t *testing.T, rt *supernet.Runtime, name string, s space.Space, arch space.Arch, z net.Size) sample {
	t.Helper()
	n, err := supernet.NewArch(supernet.NetConfig{Space: s, Size: z}, arch, 3, rt)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	ts := n.Tensors()
	for i := range ts {
		for k := range ts[i].F32 {
			switch {
			case strings.HasSuffix(ts[i].Name, "running_mean"), strings.HasSuffix(ts[i].Name, ".bias"):
				ts[i].F32[k] = float32(r.NormFloat64() / 4)
			case strings.HasSuffix(ts[i].Name, "running_var"):
				ts[i].F32[k] = float32(0.05 + r.Float64())
			case len(ts[i].Shape) == 1:
				ts[i].F32[k] = float32(0.5 + r.Float64())
			}
		}
	}
	if err := n.SetTensors(ts); err != nil {
		t.Fatal(err)
	}
	path, err := s.Describe(z, arch)
	if err != nil {
		t.Fatal(err)
	}
	classes := []string{"cat", `a "dog"`, "été", "x\ty", "ship", "truck", "frog"}
	for len(classes) < z.Classes {
		classes = append(classes, fmt.Sprint("class ", len(classes)))
	}
	out := sample{name: name, n: 3, options: options(), model: &portable.Model{Net: path, Tensors: n.Tensors(), Arch: s.Format(arch), Classes: classes,
		Mean: [3]float32{0.4914, 0.4822, 0.4465}, Std: [3]float32{0.2470, 0.2435, 0.2616}}}
	out.x = make([]float32, out.n*z.Image*z.Image*3)
	for i := range out.x { // such as pixels of 0..255 become
		c := i % 3
		out.x[i] = (float32(r.IntN(256))/255 - out.model.Mean[c]) / out.model.Std[c]
	}
	if out.logits, err = n.Logits(arch, out.x); err != nil {
		t.Fatal(err)
	}
	return out
}

// nchw are the images (N,3,H,W); pixels turns them back to 0..255.
func (s sample) nchw(pixels bool) []float32 {
	hw := s.model.Net.Image * s.model.Net.Image
	out := make([]float32, len(s.x))
	for i, v := range s.x {
		c := i % 3
		if pixels {
			v = float32(math.Round(float64(v*s.model.Std[c]+s.model.Mean[c]) * 255))
		}
		out[(i/(3*hw)*3+c)*hw+i/3%hw] = v
	}
	return out
}

// distance is the norm of a difference over that of what is wanted.
func distance(got, want []float32) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var diff, all float64
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		diff += d * d
		all += float64(want[i]) * float64(want[i])
	}
	return math.Sqrt(diff / all)
}

// tolerance is what the logits of an exported network may differ by, relative to them.
const tolerance = 1e-5

// options are all ways to write a network in ONNX.
func options() (all []portable.ONNXOptions) {
	for _, plain := range []bool{false, true} {
		for _, pixels := range []bool{false, true} {
			all = append(all, portable.ONNXOptions{PlainNorm: plain, Pixels: pixels, Producer: "oneshot", Version: "test"})
		}
	}
	return all
}

// TestONNXHasOurLogits: the written operators, followed by their definition, give what our engine gives.
func TestONNXHasOurLogits(t *testing.T) {
	for _, s := range samples(t) {
		for _, o := range options() {
			t.Run(fmt.Sprintf("%s/plain=%v,pixels=%v", s.name, o.PlainNorm, o.Pixels), func(t *testing.T) {
				b, err := portable.ONNX(s.model, o)
				if err != nil {
					t.Fatal(err)
				}
				got, err := portable.Evaluate(b, s.nchw(o.Pixels))
				if err != nil {
					t.Fatal(err)
				}
				if d := distance(got, s.logits); !(d <= tolerance) {
					t.Errorf("logits differ by %.2g", d)
				}
				again, err := portable.ONNX(s.model, o)
				if err != nil || !bytes.Equal(b, again) {
					t.Errorf("written twice, the bytes differ (%v)", err)
				}
			})
		}
	}
}

// TestEveryOperationIsPortable: every operation that a network of a space may have, but for the auxiliary head's,
// is in one of the samples.
func TestEveryOperationIsPortable(t *testing.T) {
	have := map[reflect.Type]bool{}
	for _, s := range samples(t) {
		for _, l := range s.model.Net.Layers {
			have[reflect.TypeOf(l.Op)] = true
		}
	}
	seen := 0
	for _, family := range space.Families() {
		s, err := space.New(family, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, imageNet := range []bool{false, true} {
			z := net.Size{Geometry: net.Geometry{Layers: 6, Channels: 4, StemMultiplier: 3, ImageNet: imageNet}, Classes: 7, Image: 64, Affine: true}
			n, err := s.Describe(z, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range n.Layers {
				if kind := reflect.TypeOf(l.Op); l.Op != nil {
					if seen++; !have[kind] {
						t.Errorf("%s of family %s is in no sample", kind, family)
					}
				}
			}
		}
	}
	if seen == 0 {
		t.Error("no operation was seen")
	}
}

// TestEvaluateNoticesAWrongTensor: the broken twin of the test above.
func TestEvaluateNoticesAWrongTensor(t *testing.T) {
	s := samples(t)[0]
	for i, tensor := range s.model.Tensors {
		if tensor.Name == "cells.2.pre1.bn.running_var" {
			s.model.Tensors[i].F32[1] *= 1.01
		}
	}
	b, err := portable.ONNX(s.model, portable.ONNXOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := portable.Evaluate(b, s.nchw(false))
	if err != nil {
		t.Fatal(err)
	}
	if d := distance(got, s.logits); d <= tolerance {
		t.Errorf("another variance is not noticed: the logits differ by %.2g", d)
	}
}

// unknown is an operation that nobody has written down for other frameworks.
type unknown struct{ ops.NodeSum }

func TestUnknownOperationIsNamed(t *testing.T) {
	s := samples(t)[0]
	path := *s.model.Net
	path.Layers = append([]net.Layer(nil), path.Layers...)
	for i, l := range path.Layers {
		if _, ok := l.Op.(ops.NodeSum); ok {
			path.Layers[i].Op = unknown{}
		}
	}
	s.model.Net = &path
	for form, write := range map[string]func() error{
		"ONNX":    func() error { _, err := portable.ONNX(s.model, portable.ONNXOptions{}); return err },
		"PyTorch": func() error { _, err := portable.Python(s.model); return err },
	} {
		if err := write(); err == nil || !strings.Contains(err.Error(), "unknown") || !strings.Contains(err.Error(), form) {
			t.Errorf("%s: %v, want an error that names the operation and the form", form, err)
		}
	}
}

// TestMissingTensorIsNamed: without one of its tensors a network is not written.
func TestMissingTensorIsNamed(t *testing.T) {
	s := samples(t)[0]
	var kept []weights.Tensor
	for _, tensor := range s.model.Tensors {
		if tensor.Name != "classifier.bias" {
			kept = append(kept, tensor)
		}
	}
	s.model.Tensors = kept
	if _, err := portable.ONNX(s.model, portable.ONNXOptions{}); err == nil || !strings.Contains(err.Error(), "classifier.bias") {
		t.Errorf("error %v, want one that names classifier.bias", err)
	}
}
