package cuda

import (
	"maps"
	"slices"
)

// reuseDelay is how many levels after its last use a buffer's memory is used again.
// Launches of a graph are not held together by levels: each of a level comes after
// all of that many levels before, and so after whoever used its memory before.
const reuseDelay = 4

// edges finds for each launch, by index, those of its section that have to be done
// before it, for a graph: the launches of its tasks' predecessors, and some for the
// memory's sake.
func (p *Plan) edges() [][]int {
	launchOf := make([]int, len(p.order))
	for l, x := range p.Launches {
		for _, t := range p.tasks(x) {
			launchOf[t] = l
		}
	}
	after := make([]map[int]bool, len(p.Launches))
	for i := range after {
		after[i] = map[int]bool{}
	}
	for i, tasks := range p.preds {
		for _, k := range tasks {
			if launchOf[k] != launchOf[i] {
				after[launchOf[i]][launchOf[k]] = true
			}
		}
	}
	p.levelEdges(after)
	out := make([][]int, len(after))
	for i := range after {
		out[i] = slices.Sorted(maps.Keys(after[i]))
	}
	return out
}

// levelEdges puts every launch behind one of the level before, and behind all of
// reuseDelay levels before.
func (p *Plan) levelEdges(after []map[int]bool) {
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
