package search

import (
	"slices"

	"oneshot/internal/rundir"
)

// Best are the n best architectures of a search, or as many as there are: those that were scored twice as the search
// ranks them, from the one that it has found, and then the others by their score. What has no score is left out; of
// several with one hash, which are one network, the first counts.
func Best(lines []rundir.Sample, top []rundir.TopEntry, n int) (best []rundir.TopEntry) {
	has := func(hash string) bool {
		return slices.ContainsFunc(best, func(e rundir.TopEntry) bool { return e.Hash == hash })
	}
	tried := map[string]bool{}
	for _, e := range top {
		tried[e.Hash] = true
		if e.Failed == "" && len(best) < n && !has(e.Hash) {
			best = append(best, e)
		}
	}
	for _, i := range ranking(lines) {
		if l := lines[i]; l.Failed == "" && len(best) < n && !has(l.Hash) && !tried[l.Hash] {
			best = append(best, rundir.TopEntry{Sample: l.Index, Arch: l.Arch, Hash: l.Hash, Score: l.Score, Params: l.Params, MAdds: l.MAdds})
		}
	}
	for i := range best {
		best[i].Rank = i + 1
	}
	return best
}
