package search

import (
	"context"

	"oneshot/internal/rundir"
)

// baseline gives algo as many samples as the search has used.
func (s *Stage) baseline(ctx context.Context, algo string, searched []rundir.Sample) (rundir.Baseline, []rundir.Sample, error) {
	before := map[string]bool{}
	for hash := range s.known {
		before[hash] = true
	}
	t, err := s.openTrail(algo, "baseline-"+algo+".jsonl")
	if err != nil {
		return rundir.Baseline{}, nil, err
	}
	defer t.close()
	total := len(searched)
	if len(t.lines) < total {
		if _, err := s.extend(ctx, t, "baseline", algo+"  ", total); err != nil {
			return rundir.Baseline{}, nil, err
		}
	}
	lines := t.lines[:min(total, len(t.lines))]
	best := lines[ranking(lines)[0]]
	out := rundir.Baseline{
		Algo: algo, Samples: len(lines), Arch: best.Arch, Hash: best.Hash, BestScore: best.Score,
		LastThirdMean: lastThird(lines), Params: best.Params, MAdds: best.MAdds, Failed: failures(lines),
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
func lastThird(lines []rundir.Sample) float64 {
	last := lines[len(lines)-max(1, len(lines)/3):]
	sum := 0.0
	for _, l := range last {
		sum += l.Score
	}
	return sum / float64(len(last))
}
