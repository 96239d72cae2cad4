package portable

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/advancedclimatesystems/gonnx/onnx"
	"google.golang.org/protobuf/proto"
)

// The versions that are written. Runtimes of 2022 and later read them (ONNX 1.12).
const (
	opset     = 17
	irVersion = 8
)

// The graph's input is (N,3,H,W), its output (N,classes); N is the number of images, any.
const (
	input  = "input"
	output = "logits"
)

// ONNXOptions say how a network is written.
type ONNXOptions struct {
	// PlainNorm keeps batch normalisations as operators of their own, with the tensors that they have in
	// safetensors; else they are folded into the convolutions before them.
	PlainNorm bool
	// Pixels makes the input pixels of 0..255, which the first operators normalise. Else the input is
	// normalised already, by the mean and std in the metadata.
	Pixels bool
	// Producer is the name and version of the program.
	Producer, Version string
}

// ONNX writes the network as a model of ONNX, opset 17 and IR 8, float32, without external data. Its
// metadata has the keys arch, classes (one a line), mean, std, image (pixels of a side),
// channels (their order), input (normalised or pixels), batch_norm (folded or plain) and, where Model has it, weights.
// The same model gives the same bytes.
func ONNX(m *Model, o ONNXOptions) ([]byte, error) {
	first := input
	if o.Pixels {
		first = "normalised"
	}
	g, err := lower(m, !o.PlainNorm, first)
	if err != nil {
		return nil, err
	}
	kind, norms := "normalised", "folded"
	if o.PlainNorm {
		norms = "plain"
	}
	if o.Pixels {
		kind = "pixels"
		g.normalise(m, first)
	}
	out := &onnx.GraphProto{
		Name:   "oneshot",
		Input:  []*onnx.ValueInfoProto{valueInfo(input, 3, int64(m.Net.Image), int64(m.Net.Image))},
		Output: []*onnx.ValueInfoProto{valueInfo(output, int64(len(m.Classes)))},
	}
	for _, c := range g.initializers {
		out.Initializer = append(out.Initializer, c.proto())
	}
	for _, n := range g.nodes {
		out.Node = append(out.Node, n.proto())
	}
	model := &onnx.ModelProto{
		IrVersion: irVersion, OpsetImport: []*onnx.OperatorSetIdProto{{Version: opset}},
		ProducerName: o.Producer, ProducerVersion: o.Version, Graph: out,
	}
	for _, kv := range [][2]string{
		{"arch", m.Arch}, {"classes", strings.Join(m.Classes, "\n")}, {"mean", floats(m.Mean[:])}, {"std", floats(m.Std[:])},
		{"image", fmt.Sprint(m.Net.Image)}, {"channels", "RGB"}, {"input", kind}, {"batch_norm", norms},
	} {
		model.MetadataProps = append(model.MetadataProps, &onnx.StringStringEntryProto{Key: kv[0], Value: kv[1]})
	}
	if m.Weights != "" {
		model.MetadataProps = append(model.MetadataProps, &onnx.StringStringEntryProto{Key: "weights", Value: m.Weights})
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(model)
}

// normalise puts (pixel/255 - mean) / std before the other operators, as one product and one sum.
func (g *graph) normalise(m *Model, to string) {
	scale, shift := make([]float32, 3), make([]float32, 3)
	for i := range 3 {
		scale[i] = float32(1 / (255 * float64(m.Std[i])))
		shift[i] = float32(-float64(m.Mean[i]) / float64(m.Std[i]))
	}
	shape := []int64{1, 3, 1, 1}
	by := g.constant(initializer{name: "pixels.scale", shape: shape, f32: scale})
	plus := g.constant(initializer{name: "pixels.shift", shape: shape, f32: shift})
	scaled := g.free("pixels.Mul")
	g.nodes = append([]node{{op: "Mul", in: []string{input, by}, out: scaled}, {op: "Add", in: []string{scaled, plus}, out: to}}, g.nodes...)
}

// valueInfo describes a value of N images.
func valueInfo(name string, dims ...int64) *onnx.ValueInfoProto {
	shape := &onnx.TensorShapeProto{Dim: []*onnx.TensorShapeProto_Dimension{
		{Value: &onnx.TensorShapeProto_Dimension_DimParam{DimParam: "N"}}}}
	for _, d := range dims {
		shape.Dim = append(shape.Dim, &onnx.TensorShapeProto_Dimension{Value: &onnx.TensorShapeProto_Dimension_DimValue{DimValue: d}})
	}
	return &onnx.ValueInfoProto{Name: name, Type: &onnx.TypeProto{Value: &onnx.TypeProto_TensorType{
		TensorType: &onnx.TypeProto_Tensor{ElemType: int32(onnx.TensorProto_FLOAT), Shape: shape}}}}
}

func (c initializer) proto() *onnx.TensorProto {
	t := &onnx.TensorProto{Name: c.name, Dims: c.shape, DataType: int32(onnx.TensorProto_FLOAT)}
	for _, v := range c.f32 {
		t.RawData = binary.LittleEndian.AppendUint32(t.RawData, math.Float32bits(v))
	}
	if c.i64 != nil {
		t.DataType = int32(onnx.TensorProto_INT64)
		for _, v := range c.i64 {
			t.RawData = binary.LittleEndian.AppendUint64(t.RawData, uint64(v))
		}
	}
	return t
}

func (n node) proto() *onnx.NodeProto {
	p := &onnx.NodeProto{OpType: n.op, Name: n.out, Input: n.in, Output: []string{n.out}}
	for _, k := range sortedKeys(n.int) {
		p.Attribute = append(p.Attribute, &onnx.AttributeProto{Name: k, Type: onnx.AttributeProto_INT, I: n.int[k]})
	}
	for _, k := range sortedKeys(n.ints) {
		p.Attribute = append(p.Attribute, &onnx.AttributeProto{Name: k, Type: onnx.AttributeProto_INTS, Ints: n.ints[k]})
	}
	for _, k := range sortedKeys(n.float) {
		p.Attribute = append(p.Attribute, &onnx.AttributeProto{Name: k, Type: onnx.AttributeProto_FLOAT, F: n.float[k]})
	}
	return p
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// OptionsOf are the options with which ONNX wrote a file, as far as they decide what is in it; the usual ones
// where it is none.
func OptionsOf(model []byte) (o ONNXOptions) {
	var m onnx.ModelProto
	if proto.Unmarshal(model, &m) != nil || m.Graph == nil {
		return o
	}
	o.Producer, o.Version = m.ProducerName, m.ProducerVersion
	for _, kv := range m.MetadataProps {
		o.Pixels = o.Pixels || kv.Key == "input" && kv.Value == "pixels"
		o.PlainNorm = o.PlainNorm || kv.Key == "batch_norm" && kv.Value == "plain"
	}
	return o
}
