package search

import (
	"context"
	"errors"
	"fmt"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// scored is a first or a second score. Where the numbers of an architecture are none, failed
// says why, and it is the worst score that there is: the search goes on and avoids it.
type scored struct {
	score  float64  // by score.by
	top1   *float64 // accuracy, where the score is something else
	loss   float64
	images int
	failed string
}

// firstScore and secondScore are what lines of the files say.
func firstScore(l rundir.Sample) scored { return scored{l.Score, l.Top1, l.Loss, l.Images, l.Failed} }

func secondScore(l rundir.Recheck) scored {
	return scored{l.Score, l.Top1, l.Loss, l.Images, l.Failed}
}

// check wants a score in its range, and one that failed to be the worst.
func (r scored) check() error {
	if !(r.score >= 0 && r.score <= 1) {
		return fmt.Errorf("score %v is not in 0..1", r.score)
	}
	if r.top1 != nil && !(*r.top1 >= 0 && *r.top1 <= 1) {
		return fmt.Errorf("top1 %v is not in 0..1", *r.top1)
	}
	if failed := r.failed != ""; failed && r.score != 0 || failed != (r.loss == rundir.NoLoss) {
		return fmt.Errorf("score %v and loss %v do not go with failed %q", r.score, r.loss, r.failed)
	}
	return nil
}

// ask has a scorer measure an architecture.
func ask(ctx context.Context, s Scorer, c supernet.ScoreConfig, arch space.Arch) (scored, error) {
	r, err := s.Score(ctx, arch)
	var none *supernet.NoNumberError
	if err != nil && !errors.As(err, &none) {
		return scored{}, err
	}
	return judge(c, r, none), nil
}

// judge is the score of a measurement or, where none is not nil, the worst one.
func judge(c supernet.ScoreConfig, r supernet.Result, none *supernet.NoNumberError) scored {
	if none != nil {
		return scored{loss: rundir.NoLoss, images: none.Images, failed: none.Why}
	}
	out := scored{score: c.Value(r), loss: r.Loss, images: r.Images}
	if c.By == supernet.ByLoss {
		out.top1 = &r.Top1
	}
	return out
}

// RankScore is the line of a score that is none of a search. Its network and seed are not filled in.
func RankScore(c supernet.ScoreConfig, r supernet.Scored) rundir.RankScore {
	out := judge(c, r.Result, r.None)
	return rundir.RankScore{Score: out.score, Top1: out.top1, Loss: out.loss, Images: out.images, Failed: out.failed}
}

// CheckRankScore refuses a line whose score is not in its range, or that failed and is not the worst.
func CheckRankScore(l rundir.RankScore) error {
	if l.Images < 1 {
		return fmt.Errorf("images %d, want 1 or more", l.Images)
	}
	return scored{l.Score, l.Top1, l.Loss, l.Images, l.Failed}.check()
}

// warn says that an architecture has no score: aloud of the first one, as there may be many.
func (s *Stage) warn(stage, hash, why string) {
	say := s.ui.Debugf
	if !s.warned {
		say, s.warned = s.ui.Warnf, true
	}
	say("%s: %s has no score: %s", stage, hash, why)
}

// failures counts the samples without a score.
func failures(lines []rundir.Sample) (n int) {
	for _, l := range lines {
		if l.Failed != "" {
			n++
		}
	}
	return n
}

// someScored wants a first score of at least one sample: the best of none would be a winner
// that nothing speaks for.
func someScored(d rundir.Folder, lines []rundir.Sample) error {
	if failures(lines) < len(lines) {
		return nil
	}
	return diverged(d, "search: none of %d subnetworks has a score: the supernet has diverged; the first is %s: %s", len(lines), lines[0].Arch, lines[0].Failed)
}

// someRescored wants a second score of at least one of the best, where they were scored again.
func someRescored(d rundir.Folder, again []rundir.Recheck) error {
	for _, l := range again {
		if l.Failed == "" {
			return nil
		}
	}
	if len(again) == 0 {
		return nil
	}
	return diverged(d, "recheck: none of the %d best subnetworks has a second score: the supernet has diverged; the first is %s: %s", len(again), again[0].Arch, again[0].Failed)
}

func diverged(d rundir.Folder, format string, args ...any) error {
	return fault.New(fault.ExitDiverged, "`oneshot train --resume --override --out "+d.Arg()+"` with a smaller learning rate (--lr) trains another supernet, and keeps this one until it is complete; the files in the folder search have every reason", format, args...)
}
