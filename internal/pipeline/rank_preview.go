package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"oneshot/internal/atomicfile"
	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/internal/machine"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// RankPreview is what Rank would compute in a run folder.
type RankPreview struct {
	Run      string            `json:"run"`
	Truths   rundir.RankTruths `json:"truths"`
	Networks int               `json:"networks"` // that would be ranked
	// Trainings is how many there are of networks, TrainingsLeft how many of them are not done, ScoresLeft how many networks
	// have no score yet.
	Trainings     int `json:"trainings"`
	TrainingsLeft int `json:"trainings_left"`
	ScoresLeft    int `json:"scores_left"`
	// Ahead are the trainings, that of a supernet which was stopped among them.
	Ahead []Forecast `json:"ahead,omitempty"`
	// ScoreSeconds is about what the scores take at most, 0 where it was not measured; Why says why.
	ScoreSeconds float64 `json:"score_seconds,omitempty"`
	Why          string  `json:"not_measured,omitempty"`
}

// Scores says in words what is left to score.
func (v RankPreview) Scores() string {
	text := fmt.Sprintf("%d of %d networks have no score yet", v.ScoresLeft, v.Networks)
	switch {
	case v.ScoresLeft == 0:
		return fmt.Sprintf("all of %d networks are scored", v.Networks)
	case v.Why != "":
		return text + "; time not measured: " + v.Why
	case v.ScoreSeconds > 0:
		return text + "; at most about " + long(v.ScoreSeconds) + " on this machine"
	}
	return text
}

// LookRank previews Rank; it writes nothing. measure has the times be measured, which takes a few seconds. The error is the one
// that Rank would begin with.
func LookRank(ctx context.Context, p Process, q Request, s *RankSpec, measure bool) (v RankPreview, err error) {
	d := rundir.Folder(q.Folder)
	switch {
	case q.Folder == "":
		return v, errNoFolder
	case !d.Has("config.yaml"):
		return v, noRun(d)
	}
	o := opening{Process: p, Request: q, now: p.UI.Now(), peeks: true}
	if _, err := o.lookInto(d); err != nil {
		return v, err
	}
	pl, arch, err := o.plan(ctx, d)
	if err = cmp.Or(o.unseen, err); err != nil {
		return v, err
	}
	defer pl.Data.Close()
	if _, err := o.check(pl, arch, d); err != nil {
		return v, err
	}
	rt, err := device.Open(pl.Config.Run, p.Device, p.UI)
	if err != nil {
		return v, err
	}
	defer rt.Close()
	r := &Run{Plan: pl, Folder: d, process: p, rt: rt, described: describeImages(pl.Data), override: q.Override}
	v.Run = d.Base()
	var all []ranked
	if s.table != nil {
		all, v.Truths, err = s.tabled(pl)
	} else {
		all, err = r.lookTruths(ctx, s, &v, measure)
	}
	if err != nil {
		return v, err
	}
	v.Networks = len(all)
	return v, r.lookScores(ctx, s, all, &v, measure)
}

// lookTruths says which trainings of networks are left.
func (r *Run) lookTruths(ctx context.Context, s *RankSpec, v *RankPreview, measure bool) (all []ranked, err error) {
	q, err := s.brief(r.Plan)
	if err != nil {
		return nil, err
	}
	archs, err := s.drawn(r.Plan)
	if err != nil {
		return nil, err
	}
	rec, err := r.usableTruths(q)
	if err != nil && !(r.override && !rundir.IsNewer(err)) {
		return nil, err
	}
	known := map[truthKey]rundir.RankTruth{}
	if rec != nil && err == nil {
		if err := scanSummed(r.Folder.File(truthsFile), r.keepTruths(known)); err != nil {
			return nil, fault.WithCode(err, fault.ExitInvalid, rundir.FromCopy)
		}
	}
	v.Truths = s.truthsFrom(r.Plan, q, len(archs))
	var left []space.Arch
	for _, seed := range s.seeds(r.Plan) {
		for i, arch := range archs {
			hash := space.Hash(r.Space, arch)
			if _, ok := known[truthKey{hash, seed}]; !ok {
				left = append(left, arch)
			}
			if v.Trainings++; len(all) == i {
				all = append(all, ranked{hash: hash, arch: arch})
			}
		}
	}
	if v.TrainingsLeft = len(left); measure && len(left) > 0 {
		f := Forecasts(ctx, q, r.rt, []string{"retrain"}, r.middle(left), r.process.UI.Now)
		f[0].leave(len(left))
		v.Ahead = append(v.Ahead, f...)
	}
	return all, nil
}

// middle is the architecture with the median of multiply-adds.
func (r *Run) middle(archs []space.Arch) space.Arch {
	sorted := slices.SortedFunc(slices.Values(archs), func(a, b space.Arch) int {
		_, x, _ := r.Final(false).Cost(a) // what cannot be counted is found where it is described
		_, y, _ := r.Final(false).Cost(b)
		return cmp.Compare(x, y)
	})
	return sorted[len(sorted)/2]
}

// lookScores says which scores are left.
func (r *Run) lookScores(ctx context.Context, s *RankSpec, all []ranked, v *RankPreview, measure bool) error {
	complete, err := s.supernet(r.Plan, r.Folder)
	if err != nil {
		return err
	}
	known := map[string]rundir.RankScore{}
	if complete { // else what there is, is of another one
		rec, err := currentScores(r.Config, r.described, r.Folder)
		if err != nil && !(r.override && !rundir.IsNewer(err)) {
			return err
		}
		if rec != nil && err == nil {
			err = scanSummed(r.Folder.File(rankScores), func(b []byte) (bool, error) {
				l, err := r.parseScore(b)
				known[l.Hash] = l
				return err == nil, err
			})
			if err != nil && !r.override {
				return fault.WithCode(err, fault.ExitInvalid, rundir.FromCopy)
			}
		}
	} else if measure {
		f := Forecasts(ctx, r.Plan, r.rt, []string{"train"}, nil, r.process.UI.Now)
		step, _ := lastCheckpoint(r.Folder.File("supernet"))
		share := float64(f[0].Steps-step) / float64(f[0].Steps)
		f[0].Seconds, f[0].Alone = f[0].Seconds*share, f[0].Alone*share
		v.Ahead = append(f, v.Ahead...)
	}
	missing := missingOf(all, known)
	if v.ScoresLeft = len(missing); !measure || len(missing) == 0 {
		return nil
	}
	took, err := r.scoreTime(ctx, missing)
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		v.Why = err.Error()
	}
	v.ScoreSeconds = took.Seconds() * float64(len(missing))
	return nil
}

// scoreTime measures what a score takes, on a supernet that has learnt nothing.
func (r *Run) scoreTime(ctx context.Context, of []ranked) (time.Duration, error) {
	need, err := r.Need("search", nil)
	if err != nil {
		return 0, err
	}
	if free := machine.AvailableMemory(); free > 0 && need > free {
		return 0, fmt.Errorf("scoring needs about %d MB, and %d MB are available", megabytes(need), megabytes(free))
	}
	n, err := supernet.New(r.Supernet(), r.Config.Seed, r.rt)
	if err != nil {
		return 0, err
	}
	s, err := supernet.NewScorer(n, r.Data.Train, r.Data.Search.Part(r.Config.Score.Images), r.Scoring(false))
	if err != nil {
		return 0, err
	}
	defer s.Close()
	now := r.process.UI.Now
	from, scored := now(), 0
	const most = 4
	for i := 0; i < min(most, len(of)) && (scored < 2 || now().Sub(from) < fullStep); i++ {
		var none *supernet.NoNumberError
		if _, err := s.Score(ctx, of[i*len(of)/min(most, len(of))].arch); err != nil && !errors.As(err, &none) {
			return 0, err
		}
		if scored++; i == 0 && len(of) > 1 { // it has built graphs and warmed the caches
			from, scored = now(), 0
		}
	}
	return now().Sub(from) / time.Duration(scored), nil
}

// scanSummed reads a file of lines with checksums as rundir.OpenSummed does, and changes nothing. None is no lines.
func scanSummed(path string, keep func(line []byte) (bool, error)) error {
	if _, err := rundir.ProveLines(path); err != nil {
		return err
	}
	f, _, err := atomicfile.OpenRegular(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	_, _, err = rundir.ScanJSONL(f, path, keep)
	return err
}
