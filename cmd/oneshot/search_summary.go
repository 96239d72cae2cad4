package main

import (
	"cmp"
	"slices"

	"oneshot/internal/config"
)

// searchSummary is search/best.json and what `search --json` prints. Scores are
// fractions; unless they say otherwise they are first scores, all on the same
// images. Nothing in it depends on the clock, unless search.time ended the search.
type searchSummary struct {
	Algo string `json:"algo"`
	// Arch is the winner: the best second score, or the best first one where
	// search.top is 0.
	Arch         string   `json:"arch"`
	Hash         string   `json:"hash"`
	Score        float64  `json:"score"`
	RecheckScore *float64 `json:"recheck_score"` // null where search.top is 0
	Params       int64    `json:"params"`
	MAdds        int64    `json:"madds"`
	// RandomScore is the mean score of the uniformly random subnetworks scored
	// first, on the same images: what picking one blindly would have given.
	RandomScore float64 `json:"random_score"`
	Random      int     `json:"random_samples"`
	Samples     int     `json:"samples"`
	// HighestScore is the highest first score, LastThirdMean the mean of the last
	// third of them: these are what baselines are compared with.
	HighestScore  float64 `json:"highest_score"`
	LastThirdMean float64 `json:"last_third_mean"`
	Exhausted     bool    `json:"exhausted"` // the whole space is scored
	TimedOut      bool    `json:"timed_out"` // search.time ended it
	searchDetail
}

// searchDetail is the part of a search's report that result.json has too.
type searchDetail struct {
	Top       []topEntry        `json:"top"`       // from the winner
	Pareto    []paretoEntry     `json:"pareto"`    // from the fewest multiply-adds
	Tree      *treeSummary      `json:"tree"`      // null where the algorithm has none
	Baselines []baselineSummary `json:"baselines"` // in the order asked for
}

// topEntry is one of the best samples.
type topEntry struct {
	Rank         int      `json:"rank"` // from 1, by the second score
	Sample       int      `json:"sample"`
	Arch         string   `json:"arch"`
	Hash         string   `json:"hash"`
	Score        float64  `json:"score"`
	RecheckScore *float64 `json:"recheck_score"`
	Params       int64    `json:"params"`
	MAdds        int64    `json:"madds"`
}

// paretoEntry is a sample that no other beats in score at as few multiply-adds.
type paretoEntry struct {
	Sample int     `json:"sample"`
	Arch   string  `json:"arch"`
	Hash   string  `json:"hash"`
	Score  float64 `json:"score"`
	Params int64   `json:"params"`
	MAdds  int64   `json:"madds"`
}

// summarise tells what the samples and the second scores of the best say. There
// is at least one sample.
func summarise(lines []sampleLine, again []recheckLine, c config.Search) searchSummary {
	order := ranking(lines)
	out := searchSummary{
		Algo: c.Algo, Samples: len(lines), Random: min(c.Init, len(lines)),
		HighestScore: lines[order[0]].Score, LastThirdMean: lastThird(lines),
	}
	for _, l := range lines[:out.Random] {
		out.RandomScore += l.Score / float64(out.Random)
	}
	out.Top, out.Pareto, out.Baselines = topOf(lines, order, again), paretoFront(lines), []baselineSummary{}
	w := out.Top[0]
	out.Arch, out.Hash, out.Score, out.RecheckScore, out.Params, out.MAdds = w.Arch, w.Hash, w.Score, w.RecheckScore, w.Params, w.MAdds
	return out
}

// topOf orders the best samples by the second score, those of equal second
// score by its loss, then by the first. Without second scores only the best
// sample is there.
func topOf(lines []sampleLine, order []int, again []recheckLine) []topEntry {
	byScore := rank(len(again), func(i int) (score, loss float64) { return again[i].Score, again[i].Loss })
	if len(again) == 0 {
		byScore = []int{0}
	}
	var top []topEntry
	for rank, i := range byScore {
		l := lines[order[i]]
		e := topEntry{rank + 1, l.Index, l.Arch, l.Hash, l.Score, nil, l.Params, l.MAdds}
		if len(again) > 0 {
			e.RecheckScore = &again[i].Score
		}
		top = append(top, e)
	}
	return top
}

// paretoFront finds the samples that matter when multiply-adds count too:
// each has a higher score than all that are as cheap or cheaper.
func paretoFront(lines []sampleLine) []paretoEntry {
	order := ranking(lines)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lines[a].MAdds, lines[b].MAdds) })
	var front []paretoEntry
	for _, i := range order {
		l := lines[i]
		if len(front) == 0 || l.Score > front[len(front)-1].Score {
			front = append(front, paretoEntry{l.Index, l.Arch, l.Hash, l.Score, l.Params, l.MAdds})
		}
	}
	return front
}
