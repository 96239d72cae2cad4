package cell

import "oneshot/ops"

// opSets in the order of the encoding: lanas is the LaNAS release's, darts
// adds the rest of DARTS's (arXiv 1806.09055, section 3.1.1), full adds DARTS's
// unused sep_conv_7x7 and serves to test every operation, nasnet adds what else NASNet-A
// (1707.07012) and AmoebaNet-A (1802.01548) have.
var opSets = []struct {
	name string
	ops  []string
}{
	{"lanas", []string{"max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"}},
	{"darts", []string{"max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "dil_conv_3x3", "dil_conv_5x5"}},
	{"full", []string{"max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "dil_conv_3x3", "dil_conv_5x5", "sep_conv_7x7"}},
	{"nasnet", []string{"max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "dil_conv_3x3", "dil_conv_5x5", "sep_conv_7x7", "conv_7x1_1x7"}},
}

// place is where a candidate stands: on c channels, with a stride of 1 or 2, in a
// network of the space's rules.
type place struct {
	c, stride       int
	affine          bool
	plain, standard bool // see Space
}

// candidates says what the names in the sets stand for: a chain of operations, each of
// which reads the one before; an empty one is the identity.
var candidates = map[string]func(p place) []ops.Op{
	"max_pool_3x3": pool(true),
	"avg_pool_3x3": pool(false),
	"skip_connect": func(p place) []ops.Op {
		if p.stride == 1 {
			return nil
		}
		return []ops.Op{ops.FactorizedReduce{Parts: 1, Cin: p.c, Cout: p.c, Affine: p.affine}}
	},
	"sep_conv_3x3": separable(3, 2, 1),
	"sep_conv_5x5": separable(5, 2, 1),
	"sep_conv_7x7": separable(7, 2, 1),
	"dil_conv_3x3": separable(3, 1, 2),
	"dil_conv_5x5": separable(5, 1, 2),
	// ReLU, convolution 1x7, convolution 7x1, normalisation; each has the stride in its
	// long direction.
	"conv_7x1_1x7": func(p place) []ops.Op {
		return []ops.Op{
			ops.Conv2D{Act: ops.ReLU, Cin: p.c, Cout: p.c, R: 1, S: 7, StrideH: 1, StrideW: p.stride, NoNorm: true, Suffix: "1"},
			ops.Conv2D{Cin: p.c, Cout: p.c, R: 7, S: 1, StrideH: p.stride, StrideW: 1, Affine: p.affine, Suffix: "2"},
		}
	},
}

func pool(max bool) func(p place) []ops.Op {
	return func(p place) []ops.Op {
		return []ops.Op{ops.PoolBN{Max: max, C: p.c, Stride: p.stride, Affine: p.affine && !p.plain, NoNorm: p.plain}}
	}
}

func separable(kernel, stages, dilation int) func(p place) []ops.Op {
	return func(p place) []ops.Op {
		return []ops.Op{ops.Separable{C: p.c, K: kernel, Stride: p.stride, Dil: dilation, Stages: stages, Affine: p.affine, Standard: p.standard}}
	}
}
