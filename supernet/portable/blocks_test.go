package portable_test

import (
	"oneshot/ops"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// blocks is a space of one network, of what networks without cells are made of: the block of
// MobileNetV2 (arXiv 1801.04381) with and without a residual, a dense cell and a residual block
// of NAS-Bench-201 (2001.00326).
type blocks struct{ space.Space }

func (blocks) Fits(net.Size) error      { return nil }
func (blocks) Check(space.Arch) error   { return nil }
func (blocks) Format(space.Arch) string { return "blocks:" }
func (blocks) Name() string             { return "blocks" }
func (blocks) Describe(z net.Size, _ space.Arch) (*net.Network, error) {
	n := net.Begin(z.Image, 0)
	add := func(name string, op ops.Op, in ...int) int { return n.Add(net.Layer{Name: name, Op: op, In: in}) }
	block := func(name string, x, from, to, stride int) int {
		wide := 3 * from
		y := add(name, ops.ConvBN{Parts: 1, Cin: from, Cout: wide, Affine: z.Affine, Suffix: "1"}, x)
		y = add(name, ops.Depthwise{Act: ops.ReLU, C: wide, K: 5, Stride: stride, Affine: z.Affine, Suffix: "2"}, y)
		return add(name, ops.ConvBN{Act: ops.ReLU, Parts: 1, Cin: wide, Cout: to, Affine: z.Affine, Suffix: "3"}, y)
	}
	const c = 6
	x := add("stem", ops.Stem{Cin: 3, Cout: c, Affine: z.Affine}, net.Images)
	x = add("layers.0.activated", ops.ActBN{Act: ops.ReLU, C: c, NoNorm: true}, x)
	x = add("", ops.NodeSum{}, block("layers.0.mbconv_e3_k5", x, c, c, 1), x)
	x = block("layers.1.mbconv_e3_k5", x, c, 2*c, 2)
	dense := func(name string, x int) int {
		return add(name, ops.Conv2D{Act: ops.ReLU, Cin: 2 * c, Cout: 2 * c, R: 3, S: 3, StrideH: 1, StrideW: 1, Affine: z.Affine}, x)
	}
	a := dense("cells.0.edges.0_1.nor_conv_3x3", x)
	b := dense("cells.0.edges.1_2.nor_conv_3x3", a)
	pooled := add("cells.0.edges.0_3.avg_pool_3x3", ops.PoolBN{C: 2 * c, Stride: 1, NoNorm: true}, x)
	x = add("", ops.NodeSum{Terms: 3}, pooled, a, b)
	y := add("cells.1.a", ops.Conv2D{Act: ops.ReLU, Cin: 2 * c, Cout: 3 * c, R: 3, S: 3, StrideH: 2, StrideW: 2, Affine: z.Affine}, x)
	down := add("cells.1.down", ops.AvgPool{Parts: 1, K: 2, Stride: 2}, x)
	x = add("", ops.NodeSum{}, y, add("cells.1.down", ops.ConvBN{Parts: 1, Cin: 2 * c, Cout: 3 * c, NoNorm: true}, down))
	x = add("last", ops.ActBN{Act: ops.ReLU, C: 3 * c, Affine: z.Affine}, x)
	x = add("", ops.AvgPool{Act: ops.ReLU, Parts: 1, K: z.Image / 4, Stride: 1}, x)
	n.Logits = add("classifier", ops.Linear{In: 3 * c, Out: z.Classes}, x)
	return n, nil
}
