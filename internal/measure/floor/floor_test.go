package floor

import (
	"testing"

	"oneshot/ops"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/supernet/space/cell"
)

// TestByHand counts a network of one reduction cell with one node: images
// 8x8, 2 channels, stem of 2, a cell of 4 channels and 4x4 pixels.
func TestByHand(t *testing.T) {
	s, err := space.New("lanas", 1)
	if err != nil {
		t.Fatal(err)
	}
	z := net.Size{Geometry: net.Geometry{Layers: 1, Channels: 2, StemMultiplier: 1}, Classes: 3, Image: 8, Affine: true}
	const (
		image = 8 * 8 * 3 // 192
		stem  = 8 * 8 * 2 // 128
		pre   = 8 * 8 * 4 // 256, a preprocessed input
		node  = 4 * 4 * 4 // 64
		batch = 5
	)
	// The stem and its two readers, both preprocesses; both runs have these.
	stemForward := image + stem
	stemBackward := 2*stem + image + stem // the last: one gradient more to add
	preForward := stem + pre
	preBackward := 2*pre + stem + stem
	poolsForward, poolsBackward := pre+node, 2*node+pre
	sepForward := pre + node + node + node
	sepBackward := (2*node + pre + pre) + (2*node + node + node)
	skipForward, skipBackward := pre/2+node, 2*node+pre/2+pre
	for _, l := range []struct {
		name   string
		node   cell.Node
		train  int // floats an image
		params int64
		madds  int64
	}{
		{
			"max pool of 0 and sep_conv_3x3 of 1", cell.Node{{Edge: 0, Op: 0}, {Edge: 1, Op: 2}},
			stemForward + stemBackward + 2*(preForward+preBackward) + poolsForward + poolsBackward +
				sepForward + sepBackward + 3*node + 2*node,
			(2*27 + 4) + 2*(8+8) + 8 + 2*(36+16+8) + 4*3 + 3,
			64*54 + 2*64*8 + 2*16*(36+16) + 12,
		},
		{
			"skip and max pool of 1 alone, 0 has no reader", cell.Node{{Edge: 1, Op: 0}, {Edge: 1, Op: 1}},
			stemForward + stemBackward - stem + preForward + preBackward + pre + poolsForward + poolsBackward +
				skipForward + skipBackward + 3*node + 2*node,
			(2*27 + 4) + (8 + 8) + 8 + (16 + 8) + 4*3 + 3,
			64*54 + 64*8 + 16*16 + 12,
		},
	} {
		a := s.(cell.Space).Arch([]cell.Node{l.node}, []cell.Node{l.node})
		want := Work{Flops: 6 * batch * l.madds, Bytes: 4 * (int64(batch*l.train) + 8*l.params)}
		if got, err := Of(s, z, a, batch, ops.SGD{}); err != nil || got != want {
			t.Errorf("%s: training takes %+v, want %+v", l.name, got, want)
		}
		// AdamW reads and writes two slots more.
		if got, err := Of(s, z, a, batch, ops.AdamW{}); err != nil || got.Bytes-want.Bytes != 4*4*l.params || got.Flops != want.Flops {
			t.Errorf("%s: training with AdamW takes %+v, with SGD %+v", l.name, got, want)
		}
		want = Work{Flops: 2 * batch * l.madds, Bytes: 4 * (int64(batch*image) + l.params)}
		if got, err := Of(s, z, a, batch, nil); err != nil || got != want {
			t.Errorf("%s: scoring takes %+v, want %+v", l.name, got, want)
		}
	}
}
