package ops

import (
	"oneshot/ops/cpu"
)

// ArenaLen is the size of the arena, in elements.
func (b *CPU[T]) ArenaLen() int { return len(b.mem[Arena]) }

// ScratchLen is what the backend has allocated beside its regions, in elements.
func (b *CPU[T]) ScratchLen() int { return len(b.tmp) + b.eng.ScratchLen() }

// ScratchFor is what ScratchLen will be at most once the programs have run on
// that many threads. Nothing is allocated for it.
func (b *CPU[T]) ScratchFor(threads int, programs ...*Program) int {
	var s cpu.Scratch
	tmp := 0
	for _, p := range programs {
		for i := range p.Instrs {
			in := &p.Instrs[i]
			if in.Kind != Forward { // a pass and its gradient are counted together
				continue
			}
			s = s.Max(opScratch[T](in.Op, in.Call.InShape, in.Call.OutShape))
			if o, ok := in.Op.(Separable); ok && o.Stages > 1 {
				tmp = max(tmp, in.Call.OutShape.Size()) // see separableBackward
			}
		}
	}
	return tmp + s.Len(threads)
}

// opScratch is the scratch memory of one op, from its shapes.
func opScratch[T cpu.Float](op Op, in []Shape, out Shape) cpu.Scratch {
	x := in[0]
	switch o := op.(type) {
	case ConvBN:
		k := cpu.Conv[T]{N: x[0], Cin: o.Cin, Cout: o.Cout}
		return k.Scratch(o.Parts)
	case FactorizedReduce:
		k := cpu.Reduce[T]{N: x[0], H: x[1], W: x[2], Cin: o.Cin, Cout: o.Cout}
		return k.Scratch(o.Parts)
	case Stem:
		k := cpu.Stem[T]{N: x[0], H: x[1], W: x[2], Cin: o.Cin, Cout: o.Cout}
		return k.Scratch()
	case Separable:
		first := cpu.SepStage[T]{N: x[0], H: x[1], W: x[2], C: o.C, K: o.K, Stride: o.Stride, Dil: o.Dil}
		second := cpu.SepStage[T]{N: x[0], H: out[1], W: out[2], C: o.C, K: o.K, Stride: 1, Dil: o.Dil}
		if o.Stages == 1 {
			return first.Scratch()
		}
		return first.Scratch().Max(second.Scratch())
	case PoolBN:
		k := cpu.Pool3[T]{Max: o.Max, N: x[0], H: x[1], W: x[2], C: o.C, Stride: o.Stride}
		return k.Scratch()
	case NodeSum:
		k := cpu.Node[T]{C: x[3]}
		if o.DropA || o.DropB {
			return k.Scratch()
		}
	case GlobalAvgPool:
		k := cpu.Mean[T]{C: x[3]}
		return k.Scratch()
	case Linear:
		k := cpu.Linear[T]{N: x[0], In: o.In, Out: o.Out}
		return k.Scratch()
	case ReLUAvgPool:
		return cpu.Scratch{Worker: x[3]}
	}
	return cpu.Scratch{}
}
