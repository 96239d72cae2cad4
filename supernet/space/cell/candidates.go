package cell

import "oneshot/ops"

// opSets in the order of the encoding: lanas is the LaNAS release's, darts
// adds the rest of DARTS's (arXiv 1806.09055, section 3.1.1), full adds DARTS's
// unused sep_conv_7x7 and serves to test every operation.
var opSets = []struct {
	name string
	ops  []string
}{
	{"lanas", []string{"max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"}},
	{"darts", []string{"max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "dil_conv_3x3", "dil_conv_5x5"}},
	{"full", []string{"max_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "dil_conv_3x3", "dil_conv_5x5", "sep_conv_7x7"}},
}

// candidates says what the names in the sets stand for: an operation on c channels
// with a stride of 1 or 2, nil for the identity.
var candidates = map[string]func(c, stride int, affine bool) ops.Op{
	"max_pool_3x3": func(c, stride int, affine bool) ops.Op {
		return ops.PoolBN{Max: true, C: c, Stride: stride, Affine: affine}
	},
	"avg_pool_3x3": func(c, stride int, affine bool) ops.Op {
		return ops.PoolBN{C: c, Stride: stride, Affine: affine}
	},
	"skip_connect": func(c, stride int, affine bool) ops.Op {
		if stride == 1 {
			return nil
		}
		return ops.FactorizedReduce{Parts: 1, Cin: c, Cout: c, Affine: affine}
	},
	"sep_conv_3x3": separable(3, 2, 1),
	"sep_conv_5x5": separable(5, 2, 1),
	"sep_conv_7x7": separable(7, 2, 1),
	"dil_conv_3x3": separable(3, 1, 2),
	"dil_conv_5x5": separable(5, 1, 2),
}

func separable(kernel, stages, dilation int) func(c, stride int, affine bool) ops.Op {
	return func(c, stride int, affine bool) ops.Op {
		return ops.Separable{C: c, K: kernel, Stride: stride, Dil: dilation, Stages: stages, Affine: affine}
	}
}
