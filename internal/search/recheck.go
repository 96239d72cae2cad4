package search

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// ranking orders samples from the best: by score, among equals by the lower
// loss, then the earlier one. Those without a score come last. It returns their places.
func ranking(lines []rundir.Sample) []int {
	return rank(len(lines), func(i int) scored { return firstScore(lines[i]) })
}

// rank does what ranking does for n scores.
func rank(n int, of func(i int) scored) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := of(a), of(b)
		if failed := x.failed != ""; failed != (y.failed != "") {
			if failed {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(y.score, x.score), cmp.Compare(x.loss, y.loss))
	})
	return order
}

// recheck scores the best samples again, on all search images and with more
// images for the BN statistics. The best of many noisy scores owes some of its
// rank to luck; choosing by a second, quieter score takes that back.
//
// The lines in rechecks.jsonl are those of the best samples in their order. What
// was written for others, as when the search went on since, is forgotten.
func (s *Stage) recheck(ctx context.Context, lines []rundir.Sample) ([]rundir.Recheck, error) {
	top := ranking(lines)[:min(s.plan.Config.Search.Top, len(lines)-failures(lines))]
	if len(top) == 0 {
		return nil, nil
	}
	c := s.plan.Scoring(true)
	var done []rundir.Recheck
	path := s.folder.File("search", "rechecks.jsonl")
	file, torn, err := rundir.OpenSummed(path, s.ui.Warnf, func(b []byte) (bool, error) {
		l, err := s.parseRecheck(b, len(done))
		if err != nil {
			return false, err
		}
		if len(done) == len(top) || l.Hash != lines[top[len(done)]].Hash ||
			l.RecalImages != c.RecalImages || l.Images != s.plan.Data.Search.Len() {
			return false, nil
		}
		done = append(done, l)
		return true, nil
	})
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitInvalid, rundir.FromCopy)
	}
	defer file.Close()
	if torn {
		s.ui.Warnf("%s: dropped an incomplete last line", path)
	}
	if len(done) == len(top) {
		return done, nil
	}
	s.closeScorer() // its memory is as much as the other's
	again, err := s.open(true)
	if err != nil {
		return nil, err
	}
	defer again.Close()
	meter := s.ui.Meter("recheck", len(done), len(top))
	defer meter.Finish()
	for _, i := range top[len(done):] {
		l, err := s.scoreAgain(ctx, again, lines[i], len(done))
		if ctx.Err() != nil {
			return nil, fault.Stopped(ctx, s.folder.Arg(), "recheck", len(done), len(top))
		}
		if err != nil {
			return nil, err
		}
		if err := file.Append(l); err != nil {
			return nil, err
		}
		s.wrote++
		done = append(done, l)
		note := fmt.Sprintf("score %.3f", l.Score)
		if l.Failed != "" {
			note = "no score"
			s.warn("recheck", l.Hash, l.Failed)
		}
		meter.Update(len(done), l.Images, fmt.Sprintf("%s, was %.3f", note, lines[i].Score))
	}
	return done, nil
}

func (s *Stage) scoreAgain(ctx context.Context, again Scorer, l rundir.Sample, index int) (rundir.Recheck, error) {
	arch, err := s.plan.Space.Parse(l.Arch)
	if err != nil {
		return rundir.Recheck{}, err
	}
	if err := ctx.Err(); err != nil {
		return rundir.Recheck{}, err
	}
	r, err := ask(ctx, again, s.plan.Scoring(true), arch)
	if err != nil {
		return rundir.Recheck{}, fmt.Errorf("recheck: score %s: %w", l.Arch, err)
	}
	return rundir.Recheck{Index: index, Arch: l.Arch, Hash: l.Hash, Score: r.score, Top1: r.top1, Loss: r.loss, Images: r.images, RecalImages: s.plan.Scoring(true).RecalImages,
		Seed: s.plan.Config.Seed, Failed: r.failed}, nil
}

// parseRecheck is as strict as parseSample.
func (s *Stage) parseRecheck(b []byte, index int) (rundir.Recheck, error) {
	var l rundir.Recheck
	if err := json.Unmarshal(b, &l); err != nil {
		return l, err
	}
	if _, err := s.checkLine(index, l.Index, l.Seed, secondScore(l), l.Arch, l.Hash); err != nil {
		return l, err
	}
	if l.Images < 1 || l.RecalImages < 1 {
		return l, fmt.Errorf("images %d and recal_images %d, want 1 or more", l.Images, l.RecalImages)
	}
	return l, nil
}
