package main

import "context"

// baselineSummary is what another algorithm found on the same supernet with the
// same number of samples. Its first search.init samples are those of the search.
type baselineSummary struct {
	Algo          string  `json:"algo"`
	Samples       int     `json:"samples"`
	Reused        int     `json:"reused"` // scores known from the search, or from a baseline before
	Arch          string  `json:"arch"`
	Hash          string  `json:"hash"`
	BestScore     float64 `json:"best_score"`
	LastThirdMean float64 `json:"last_third_mean"`
	Params        int64   `json:"params"`
	MAdds         int64   `json:"madds"`
}

// baseline gives algo as many samples as the search has used.
func (s *searchStage) baseline(ctx context.Context, algo string, searched []sampleLine) (baselineSummary, []sampleLine, error) {
	before := map[string]bool{}
	for hash := range s.known {
		before[hash] = true
	}
	t, err := s.openTrail(algo, "baseline-"+algo+".jsonl")
	if err != nil {
		return baselineSummary{}, nil, err
	}
	defer t.close()
	total := len(searched)
	if len(t.lines) < total {
		if _, err := s.extend(ctx, t, "baseline", algo+"  ", total); err != nil {
			return baselineSummary{}, nil, err
		}
	}
	lines := t.lines[:min(total, len(t.lines))]
	best := lines[ranking(lines)[0]]
	out := baselineSummary{
		Algo: algo, Samples: len(lines), Arch: best.Arch, Hash: best.Hash, BestScore: best.Score,
		LastThirdMean: lastThird(lines), Params: best.Params, MAdds: best.MAdds,
	}
	for _, l := range lines {
		if before[l.Hash] {
			out.Reused++
		}
	}
	return out, lines, nil
}

// lastThird is the mean score of the last third of the samples, at least one:
// how good the proposals have become.
func lastThird(lines []sampleLine) float64 {
	last := lines[len(lines)-max(1, len(lines)/3):]
	sum := 0.0
	for _, l := range last {
		sum += l.Score
	}
	return sum / float64(len(last))
}
