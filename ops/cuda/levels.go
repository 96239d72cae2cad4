package cuda

// level gives every task its level: as early as it can be, except that what
// only later sections read comes last in its section, where it makes one launch.
func (b *Builder) level() int {
	// Levels of the last write and read, -1 where there was none; and the one before
	// which the tasks of the group that came last must not be.
	type last struct{ write, read, group, before int }
	base := 0
	for s := range b.sections {
		lo, hi := b.sections[s], len(b.tasks)
		if s+1 < len(b.sections) {
			hi = b.sections[s+1]
		}
		seen := map[Addr]last{}
		top := base
		for i := lo; i < hi; i++ {
			t := &b.tasks[i]
			at := base
			get := func(a Addr) last {
				l, ok := seen[key(a)]
				if !ok {
					l = last{-1, -1, 0, -1}
				}
				if t.group != 0 && l.group != t.group {
					l.group, l.before = t.group, max(l.write, l.read)
				}
				return l
			}
			t.accesses(func(a Addr) {
				l := get(a)
				if t.group != 0 {
					at = max(at, l.before+1)
				} else {
					at = max(at, l.write+1)
				}
			}, func(a Addr) {
				l := get(a)
				if t.group != 0 {
					at = max(at, l.before+1)
				} else {
					at = max(at, l.write+1, l.read+1)
				}
			})
			t.level = at
			top = max(top, at)
			t.accesses(func(a Addr) {
				l := get(a)
				l.read = max(l.read, at)
				seen[key(a)] = l
			}, func(a Addr) {
				l := get(a)
				l.write = max(l.write, at)
				seen[key(a)] = l
			})
		}
		for i := lo; i < hi; i++ {
			if b.tasks[i].spec.name == "reduce" { // nobody of its section reads a parameter's gradient
				top = max(top, b.tasks[i].level)
			}
		}
		for i := lo; i < hi; i++ {
			if b.tasks[i].spec.name == "reduce" {
				b.tasks[i].level = top
			}
		}
		base = top + 1
	}
	return base
}

// place lays the buffers out in the arena by the levels at which they are in use.
func (b *Builder) place(p *Plan, levels int) {
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
	starts, ends := make([][]int, levels), make([][]int, levels)
	var free space
	for i := range b.bufs {
		u := &b.bufs[i]
		switch {
		case i == tableBuffer || u.size == 0:
		case u.keep:
			u.at = free.alloc(aligned(u.size))
		case u.first >= 0:
			starts[u.first] = append(starts[u.first], i)
			if end := u.last + reuseDelay - 1; end < levels {
				ends[end] = append(ends[end], i)
			}
		}
	}
	for l := range levels {
		for _, i := range starts[l] {
			b.bufs[i].at = free.alloc(aligned(b.bufs[i].size))
		}
		for _, i := range ends[l] {
			free.release(b.bufs[i].at, aligned(b.bufs[i].size))
		}
	}
	p.Arena = free.top
}
