package supernet

import (
	"fmt"

	"oneshot/internal/setting"
	"oneshot/supernet/net"
	"oneshot/supernet/space"

	_ "oneshot/supernet/space/blocks" // the spaces there are
	_ "oneshot/supernet/space/cell"
	_ "oneshot/supernet/space/nb201"
)

// NetConfig describes a network: a space of architectures and what its networks are
// built to.
type NetConfig struct {
	Space space.Space
	net.Size
}

// DefaultNet is the default of a configuration, for 10 classes of 32x32 pixels: the
// LaNAS release's cell (5 nodes, 4 operations) in DARTS's CIFAR-10 proportions: 8
// cells, 16 channels, stem multiplier 3, auxiliary head of 128 and 768 channels
// (arXiv 1806.09055, section 3.1).
func DefaultNet() NetConfig {
	n := setting.Default[space.Named]()
	s, err := space.New(n.Ops, n.Nodes)
	if err != nil {
		panic(err) // constants
	}
	return NetConfig{Space: s, Size: net.Size{Geometry: setting.Default[net.Geometry](), Classes: 10,
		Image: 32, Affine: true, AuxChannels: [2]int{128, 768}}}
}

// Check reports the first field out of range, or that the space has no network of
// that size.
func (c NetConfig) Check() error {
	if c.Space == nil {
		return c.Bad("space", "empty", "an operation set")
	}
	return c.Space.Fits(c.Size)
}

// Cost counts the extracted network's trainable values, with batch
// normalisation's gamma and beta but without the auxiliary head, and its
// multiply-adds for one image, see net.Network.Cost. They are those of the text: twins of a
// may have others.
func (c NetConfig) Cost(a space.Arch) (params, madds int64, err error) {
	n, err := c.Space.Describe(c.Counted(), a)
	if err == nil {
		return n.Cost()
	}
	// A network whose classifier reads nothing cannot be built, but its text can be counted.
	if full, e := c.Space.Describe(c.Counted(), nil); e == nil && full.Whole && c.Space.Check(a) == nil {
		costs, err := full.Costs()
		if err != nil {
			return 0, 0, err
		}
		params, madds = costs.Of(a)
		return params, madds, nil
	}
	return 0, 0, fmt.Errorf("supernet: count: %w", err)
}

// Values is how many trainable values the network of a has once it is built: those that Cost
// counts, without parts that a space counts but that nothing reads.
func (c NetConfig) Values(a space.Arch) (int64, error) {
	n, err := c.Space.Describe(c.Counted(), a)
	if err != nil {
		return 0, fmt.Errorf("supernet: count: %w", err)
	}
	params, _, err := n.Cost()
	return params - n.Unread.Params, err
}

// Costs is Cost for many architectures: a function that takes some microseconds for
// paths of the supernet, and as long as Cost for others.
func (c NetConfig) Costs() (func(a space.Arch) (params, madds int64, err error), error) {
	n, err := c.Space.Describe(c.Counted(), nil)
	if err != nil {
		return nil, fmt.Errorf("supernet: count: %w", err)
	}
	costs, err := n.Costs()
	if err != nil {
		return nil, err
	}
	return func(a space.Arch) (params, madds int64, err error) {
		if len(a) != n.Choices {
			return c.Cost(a)
		}
		params, madds = costs.Of(a)
		return params, madds, nil
	}, nil
}
