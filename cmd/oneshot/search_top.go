package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"oneshot/internal/fault"
	"oneshot/supernet"
)

// recheckLine is a line of search/rechecks.jsonl: the second score of one of the
// best samples.
type recheckLine struct {
	Index       int     `json:"index"` // rank by the first score, from 0
	Arch        string  `json:"arch"`
	Hash        string  `json:"hash"`
	Score       float64 `json:"score"` // top-1 on the whole search split
	Loss        float64 `json:"loss"`
	Images      int     `json:"images"`
	RecalImages int     `json:"recal_images"`
	Seed        uint64  `json:"seed"`
}

// ranking orders samples from the best: by score, among equals by the lower
// loss, then the earlier one. It returns their places.
func ranking(lines []sampleLine) []int {
	return rank(len(lines), func(i int) (score, loss float64) { return lines[i].Score, lines[i].Loss })
}

// rank does what ranking does for n scores and losses.
func rank(n int, of func(i int) (score, loss float64)) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, xLoss := of(a)
		y, yLoss := of(b)
		return cmp.Or(cmp.Compare(y, x), cmp.Compare(xLoss, yLoss))
	})
	return order
}

// recheck scores the best samples again, on all search images and with more
// images for the BN statistics. The best of many noisy scores owes some of its
// rank to luck; choosing by a second, quieter score takes that back.
//
// The lines in rechecks.jsonl are those of the best samples in their order. What
// was written for others, as when the search went on since, is forgotten.
func (s *searchStage) recheck(ctx context.Context, lines []sampleLine) ([]recheckLine, error) {
	j := s.j
	top := ranking(lines)[:min(j.cfg.Search.Top, len(lines))]
	if len(top) == 0 {
		return nil, nil
	}
	c := j.scoreConfig(true)
	var done []recheckLine
	path := j.dir.file("search", "rechecks.jsonl")
	file, torn, err := openJSONL(path, func(b []byte) (bool, error) {
		l, err := j.parseRecheck(b, len(done))
		if err != nil {
			return false, err
		}
		if len(done) == len(top) || l.Hash != lines[top[len(done)]].Hash ||
			l.RecalImages != c.RecalImages || l.Images != j.data.Search.Len() {
			return false, nil
		}
		done = append(done, l)
		return true, nil
	})
	if err != nil {
		return nil, fault.WithCode(err, fault.ExitInvalid, "restore the file, or delete it to score the best again")
	}
	defer file.close()
	if torn {
		j.ui.warnf("%s: dropped an incomplete last line", path)
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
	meter := j.ui.meter("recheck", len(done), len(top))
	defer meter.finish()
	for _, i := range top[len(done):] {
		l, err := s.scoreAgain(ctx, again, lines[i], len(done))
		if ctx.Err() != nil {
			return nil, j.stopped(ctx, "recheck", len(done), len(top))
		}
		if err != nil {
			return nil, err
		}
		l.RecalImages = c.RecalImages
		if err := file.append(l); err != nil {
			return nil, err
		}
		if err := file.sync(); err != nil {
			return nil, err
		}
		s.wrote++
		done = append(done, l)
		meter.update(len(done), l.Images, fmt.Sprintf("score %.3f, was %.3f", l.Score, lines[i].Score))
	}
	return done, nil
}

func (s *searchStage) scoreAgain(ctx context.Context, again scorer, l sampleLine, index int) (recheckLine, error) {
	arch, err := s.j.space.Parse(l.Arch)
	if err != nil {
		return recheckLine{}, err
	}
	var r supernet.Result
	if err := ctx.Err(); err != nil {
		return recheckLine{}, err
	}
	if r, err = again.Score(ctx, arch); err != nil {
		return recheckLine{}, fmt.Errorf("recheck: score %s: %w", l.Arch, err)
	}
	return recheckLine{Index: index, Arch: l.Arch, Hash: l.Hash, Score: r.Top1, Loss: r.Loss, Images: r.Images, Seed: s.j.cfg.Seed}, nil
}

// parseRecheck is as strict as parseSample.
func (j *job) parseRecheck(b []byte, index int) (recheckLine, error) {
	var l recheckLine
	if err := json.Unmarshal(b, &l); err != nil {
		return l, err
	}
	if _, err := j.checkLine(index, l.Index, l.Seed, l.Score, l.Arch, l.Hash); err != nil {
		return l, err
	}
	if l.Images < 1 || l.RecalImages < 1 {
		return l, fmt.Errorf("images %d and recal_images %d, want 1 or more", l.Images, l.RecalImages)
	}
	return l, nil
}
