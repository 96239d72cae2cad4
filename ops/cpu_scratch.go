package ops

import "oneshot/ops/cpu"

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
			k := hostOf[T](in.Op)
			if k == nil {
				continue
			}
			acts := in.Call.InShape[:len(in.Call.InShape)-len(in.Op.Params())]
			pass, temp := k.Scratch(in.Op, acts, in.Call.OutShape)
			s, tmp = s.Max(pass), max(tmp, temp)
		}
	}
	return tmp + s.Len(threads)
}
