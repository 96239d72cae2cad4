package cuda

import (
	"slices"
)

// reuseDelay is how many levels after its last use a buffer's memory is used again.
// Launches of a graph are not held together by levels: each of a level comes after
// all of that many levels before, and so after whoever used its memory before.
const reuseDelay = 4

// touched is what happened to a buffer so far, by task.
type touched struct {
	writers, readers []int
	group            int
	before           []int // those the group's tasks come after
}

// edges finds for each launch those that have to be done before it, for a graph.
func (b *Builder) edges(p *Plan, launchOf []int) {
	after := make([]map[int]bool, len(p.Launches))
	for i := range after {
		after[i] = map[int]bool{}
	}
	for s, lo := range b.sections {
		hi := len(b.tasks)
		if s+1 < len(b.sections) {
			hi = b.sections[s+1]
		}
		seen := map[Addr]*touched{}
		for i := lo; i < hi; i++ {
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
			need := func(tasks []int) {
				for _, k := range tasks {
					if launchOf[k] != launchOf[i] {
						after[launchOf[i]][launchOf[k]] = true
					}
				}
			}
			var reads, writes []*touched
			t.accesses(func(a Addr) {
				x := get(a)
				if reads = append(reads, x); t.group != 0 {
					need(x.before)
				} else {
					need(x.writers)
				}
			}, func(a Addr) {
				x := get(a)
				if writes = append(writes, x); t.group != 0 {
					need(x.before)
				} else {
					need(x.writers)
					need(x.readers)
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
	b.levelEdges(p, after)
	for i := range p.Launches {
		for k := range after[i] {
			p.Launches[i].After = append(p.Launches[i].After, k)
		}
		slices.Sort(p.Launches[i].After)
	}
}

// levelEdges puts every launch behind one of the level before, and behind all of
// reuseDelay levels before.
func (b *Builder) levelEdges(p *Plan, after []map[int]bool) {
	byLevel := make([][]int, p.Levels)
	for i, l := range p.Launches {
		byLevel[l.Level] = append(byLevel[l.Level], i)
	}
	for s := range p.Sections {
		lo, hi := p.span(s)
		for i := lo; i < hi; i++ {
			level := p.Launches[i].Level
			first := p.Launches[lo].Level
			if level-reuseDelay >= first {
				for _, k := range byLevel[level-reuseDelay] {
					after[i][k] = true
				}
			}
			if level == first {
				continue
			}
			linked := false
			for k := range after[i] {
				linked = linked || p.Launches[k].Level == level-1
			}
			if !linked {
				for _, k := range byLevel[level-1] {
					after[i][k] = true
				}
			}
		}
	}
}
