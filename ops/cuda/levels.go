package cuda

import (
	"slices"

	"oneshot/internal/ranges"
)

// touched is what happened to a buffer so far, by task.
type touched struct {
	writers, readers []int
	group            int
	before           []int // those the group's tasks come after
}

// predecessors finds for each task those of its section it comes after: who wrote
// what it reads, and who read or wrote what it writes. Some come more than once.
func (b *Builder) predecessors() [][]int {
	preds := make([][]int, len(b.tasks))
	for s, lo := range b.sections {
		seen := map[Addr]*touched{}
		for i := lo; i < b.sectionEnd(s); i++ {
			t := &b.tasks[i]
			get := func(a Addr) *touched {
				x := seen[key(a)]
				if x == nil {
					x = &touched{}
					seen[key(a)] = x
				}
				if t.group != 0 && x.group != t.group {
					x.group, x.before = t.group, slices.Concat(x.writers, x.readers)
				}
				return x
			}
			var reads, writes []*touched
			t.accesses(func(a Addr) {
				x := get(a)
				if reads = append(reads, x); t.group != 0 {
					preds[i] = append(preds[i], x.before...)
				} else {
					preds[i] = append(preds[i], x.writers...)
				}
			}, func(a Addr) {
				x := get(a)
				if writes = append(writes, x); t.group != 0 {
					preds[i] = append(preds[i], x.before...)
				} else {
					preds[i] = append(append(preds[i], x.writers...), x.readers...)
				}
			})
			for _, x := range writes {
				if t.group == 0 {
					x.writers, x.readers = nil, nil
				}
				x.writers = append(x.writers, i)
			}
			for _, x := range reads {
				x.readers = append(x.readers, i)
			}
		}
	}
	return preds
}

// sectionEnd is the task after the last of a section.
func (b *Builder) sectionEnd(s int) int {
	if s+1 < len(b.sections) {
		return b.sections[s+1]
	}
	return len(b.tasks)
}

// level gives every task its level, as early as it can be, and returns how many there
// are. What only later sections read comes last in its section, where it makes one
// launch.
func (b *Builder) level(preds [][]int) int {
	base := 0
	for s, lo := range b.sections {
		top := base
		tasks := b.tasks[lo:b.sectionEnd(s)]
		for i := range tasks {
			at := base
			for _, k := range preds[lo+i] {
				at = max(at, b.tasks[k].level+1)
			}
			tasks[i].level = at
			top = max(top, at)
		}
		for i := range tasks {
			switch tasks[i].spec.name {
			case "reduce", "standard_bwd": // nobody of its section reads a parameter's gradient
				tasks[i].level = top
			}
		}
		base = top + 1
	}
	return base
}

// place lays the buffers out in the arena by the levels at which they are in use.
func (b *Builder) place(p *Plan) {
	for i := range b.tasks {
		t := &b.tasks[i]
		use := func(a Addr) {
			if !a.virtual() {
				return
			}
			u := &b.bufs[a.buffer()]
			if u.first < 0 {
				u.first, u.last = t.level, t.level
			}
			u.first, u.last = min(u.first, t.level), max(u.last, t.level)
		}
		t.accesses(use, use)
	}
	starts, ends := make([][]int, p.Levels), make([][]int, p.Levels)
	var free ranges.Ranges
	for i := range b.bufs {
		u := &b.bufs[i]
		switch {
		case i == tableBuffer || u.size == 0:
		case u.keep:
			u.at = free.Alloc(aligned(u.size))
		case u.first >= 0:
			starts[u.first] = append(starts[u.first], i)
			if end := u.last + reuseDelay - 1; end < p.Levels {
				ends[end] = append(ends[end], i)
			}
		}
	}
	for l := range p.Levels {
		for _, i := range starts[l] {
			b.bufs[i].at = free.Alloc(aligned(b.bufs[i].size))
		}
		for _, i := range ends[l] {
			free.Release(b.bufs[i].at, aligned(b.bufs[i].size))
		}
	}
	p.Arena = free.Top()
}
