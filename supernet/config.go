package supernet

import (
	"fmt"

	"oneshot/supernet/space"
)

// NetConfig describes a network of the cell space.
type NetConfig struct {
	Space          space.Space // candidate operations and nodes of a cell
	Layers         int         // cells, at least 1; reductions at Layers/3 and 2*Layers/3
	Channels       int         // width of the first cells, even; doubles at each reduction
	StemMultiplier int         // stem width in units of Channels
	Classes        int         // at least 2
	Image          int         // side of the square input in pixels, a multiple of 4
	Affine         bool        // batch normalisation learns gamma and beta
	Aux            bool        // auxiliary head on the cell of the second reduction
	AuxChannels    [2]int      // widths of the auxiliary head's two convolutions
}

// DefaultNet is the LaNAS release's cell (5 nodes, 4 operations) in DARTS's
// CIFAR-10 proportions: 8 cells, 16 channels, stem multiplier 3, auxiliary
// head of 128 and 768 channels (arXiv 1806.09055, section 3.1).
func DefaultNet() NetConfig {
	s, err := space.New("lanas", 5)
	if err != nil {
		panic(err) // constants
	}
	return NetConfig{Space: s, Layers: 8, Channels: 16, StemMultiplier: 3, Classes: 10,
		Image: 32, Affine: true, AuxChannels: [2]int{128, 768}}
}

// Check reports the first field out of range.
func (c NetConfig) Check() error {
	bad := func(field string, got any, want string) error {
		return fmt.Errorf("supernet: net.%s is %v, want %s", field, got, want)
	}
	switch {
	case len(c.Space.Ops) == 0:
		return bad("space", "empty", "an operation set")
	case c.Layers < 1 || c.Layers > 1000:
		return bad("layers", c.Layers, "1 to 1000")
	case c.Channels < 2 || c.Channels%2 != 0 || c.Channels > 4096:
		return bad("channels", c.Channels, "an even number from 2 to 4096")
	case c.StemMultiplier < 1 || c.StemMultiplier > 16:
		return bad("stem_multiplier", c.StemMultiplier, "1 to 16")
	case c.Classes < 2 || c.Classes > 65535:
		return bad("classes", c.Classes, "2 to 65535")
	case c.Image < 8 || c.Image%4 != 0:
		return bad("image", c.Image, "a multiple of 4, at least 8: two reductions halve it twice")
	}
	if c.Aux {
		if c.AuxChannels[0] < 2 || c.AuxChannels[1] < 2 {
			return bad("aux_channels", c.AuxChannels, "two widths of at least 2")
		}
		if _, err := c.auxStride(); err != nil {
			return err
		}
	}
	return nil
}

// Spec is the network as package space counts it.
func (c NetConfig) Spec() space.Net {
	return space.Net{Layers: c.Layers, Channels: c.Channels, StemMultiplier: c.StemMultiplier,
		Classes: c.Classes, Image: c.Image, Aux: c.Aux}
}

// auxLayer is the cell whose output feeds the auxiliary head.
func (c NetConfig) auxLayer() int { return 2 * c.Layers / 3 }

// auxStride is the stride of the auxiliary head's 5x5 pooling: the one that
// leaves 2x2 pixels, 3 for 8x8 (CIFAR) and 2 for 7x7 (ImageNet).
func (c NetConfig) auxStride() (int, error) {
	hw := c.Image
	for l := range c.auxLayer() + 1 {
		if c.Spec().Reduction(l) {
			hw /= 2
		}
	}
	for _, s := range []int{3, 2} {
		if hw >= 5 && (hw-5)/s+1 == 2 {
			return s, nil
		}
	}
	return 0, fmt.Errorf("supernet: net.image %d leaves %dx%d pixels at cell %d; the auxiliary head needs 7 to 10: turn it off or change the image size", c.Image, hw, hw, c.auxLayer())
}
