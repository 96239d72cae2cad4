package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"oneshot/internal/atomicfile"
	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rundir"
	"oneshot/internal/search"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// currentScores is the record of the scores that a folder has; nil is that there are none. It is an error where they are of
// something else than is there now.
func currentScores(c config.Config, images rundir.Dataset, d rundir.Folder) (*rundir.Record, error) {
	if !d.Has(rankScores) {
		return nil, nil
	}
	rec, err := d.ReadRecord(rankRecord)
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, rankStale(d, "no record says of what they are")
	}
	now := inheritedInputs(c, images, d)
	if names := rundir.Differences(rec.Inputs, now); len(names) > 0 {
		return nil, rankStale(d, "their inputs have changed:"+changes(*rec, now, names))
	}
	return rec, nil
}

// rankStale is the error of scores that are of something else.
func rankStale(d rundir.Folder, why string) error {
	return fault.New(fault.ExitInvalid, "the same command with --override scores anew, and keeps what there is in a folder beside it", "the scores in %s are not of what there is now: %s", d.File(rankFolder), why)
}

// scoreRanked are the scores of networks by hash. Those that the folder has are read, the others are made, and each is on
// disk as soon as it is known.
func (r *Run) scoreRanked(ctx context.Context, spec *RankSpec, all []ranked) (map[string]rundir.RankScore, error) {
	complete, err := spec.supernet(r.Plan, r.Folder)
	if err != nil {
		return nil, err
	}
	var s *supernet.Scorer
	if !complete { // what its scores are of is known when it is
		if s, err = r.rankScorer(ctx); err != nil {
			return nil, err
		}
		defer func() { s.Close() }()
	}
	rec, err := currentScores(r.Config, r.described, r.Folder)
	if err != nil && r.override && !rundir.IsNewer(err) {
		if rec, err = nil, r.scoresAside(err); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	known, file, err := r.openScores(rec)
	if fault.Classify(err).Code == fault.ExitInvalid && r.override && !rundir.IsNewer(err) {
		if err = r.scoresAside(err); err == nil {
			rec = nil
			known, file, err = r.openScores(rec)
		}
	}
	if err != nil {
		return nil, err
	}
	defer func() { file.Close() }()
	missing := missingOf(all, known)
	if a := r.rt.Arithmetic(); rec != nil && len(missing) > 0 && len(rec.Arithmetic) > 0 && rec.Arithmetic[0] != a {
		err := rankStale(r.Folder, fmt.Sprintf("they were computed with %q, and this process computes with %q", rec.Arithmetic[0], a))
		if !r.override {
			return nil, err
		}
		file.Close()
		if err := r.scoresAside(err); err != nil {
			return nil, err
		}
		if known, file, err = r.openScores(nil); err != nil {
			return nil, err
		}
		missing = missingOf(all, known)
	}
	if len(missing) == 0 {
		return known, nil
	}
	if s == nil {
		if s, err = r.rankScorer(ctx); err != nil {
			return nil, err
		}
		defer func() { s.Close() }()
	}
	return known, r.scoreMissing(ctx, s, file, missing, known, len(all))
}

// missingOf are the networks without a score.
func missingOf(all []ranked, known map[string]rundir.RankScore) (missing []ranked) {
	for _, n := range all {
		if _, ok := known[n.hash]; !ok {
			missing = append(missing, n)
		}
	}
	return missing
}

// openScores reads the scores that are there, and opens their file. Where rec is nil there are none, and the record of
// those that follow is written.
func (r *Run) openScores(rec *rundir.Record) (map[string]rundir.RankScore, *rundir.SummedLines, error) {
	if err := r.Folder.MakeDir(rankFolder); err != nil {
		return nil, nil, err
	}
	if rec == nil {
		next := rundir.Record{Stage: rankFolder, Inputs: inheritedInputs(r.Config, r.described, r.Folder), Arithmetic: []string{r.rt.Arithmetic()}}
		if err := r.Folder.KeepRecord(rankRecord, next); err != nil {
			return nil, nil, err
		}
	}
	known := map[string]rundir.RankScore{}
	file, torn, err := rundir.OpenSummed(r.Folder.File(rankScores), r.process.UI.Warnf, func(b []byte) (bool, error) {
		l, err := r.parseScore(b)
		if err == nil && known[l.Hash].Hash != "" {
			err = fmt.Errorf("%s is there twice", l.Hash)
		}
		known[l.Hash] = l
		return err == nil, err
	})
	if err != nil {
		return nil, nil, fault.WithCode(err, fault.ExitInvalid, "put the file back as it was; `oneshot rank --override --out "+r.Folder.Arg()+"` scores anew, and keeps this one in a folder beside it")
	}
	if torn {
		r.process.UI.Warnf("%s: dropped an incomplete last line", r.Folder.File(rankScores))
	}
	return known, file, nil
}

// parseScore reads a line strictly: scores of another run, or edited ones, would be ranked like any.
func (r *Run) parseScore(b []byte) (l rundir.RankScore, err error) {
	if err := json.Unmarshal(b, &l); err != nil {
		return l, err
	}
	if l.Seed != r.Config.Seed {
		return l, fmt.Errorf("score of seed %d, want %d", l.Seed, r.Config.Seed)
	}
	if err := search.CheckRankScore(l); err != nil {
		return l, err
	}
	return l, r.hashOf(l.Arch, l.Hash)
}

// hashOf wants a hash to be that of an architecture's text.
func (r *Run) hashOf(text, hash string) error {
	a, err := r.Space.Parse(text)
	if err != nil {
		return fmt.Errorf("arch: %v", err)
	}
	if h := space.Hash(r.Space, a); h != hash {
		return fmt.Errorf("hash %s does not belong to the architecture (%s)", hash, h)
	}
	return nil
}

// scoreMissing scores the networks that are missing of so many in all, and adds the scores to those that are known.
func (r *Run) scoreMissing(ctx context.Context, s *supernet.Scorer, file *rundir.SummedLines, missing []ranked, known map[string]rundir.RankScore, total int) error {
	announceMemory(r.Plan, r.Folder, []string{rankFolder}, []string{rankFolder}, nil, r.process.UI)
	restore, err := r.lessGarbage(rankFolder)
	if err != nil {
		return err
	}
	defer restore()
	archs := make([]space.Arch, len(missing))
	for i, n := range missing {
		archs[i] = n.arch
	}
	done, images := total-len(missing), 0
	meter := r.process.UI.Meter(rankFolder, done, total)
	defer meter.Finish()
	err = s.ScoreAll(ctx, archs, func(i int, x supernet.Scored) error {
		n, l := missing[i], search.RankScore(r.Scoring(false), x)
		l.Arch, l.Hash, l.Seed = r.Space.Format(n.arch), n.hash, r.Config.Seed
		if err := file.Append(l); err != nil {
			return err
		}
		known[n.hash] = l
		note := fmt.Sprintf("score %.3f", l.Score)
		if l.Failed != "" {
			note = "no score"
			r.process.UI.Debugf("%s has no score: %s", n.hash, l.Failed)
		}
		done++
		if images += l.Images; !x.More { // the time was that of all
			meter.Update(done, images, note)
			images = 0
		}
		return nil
	})
	if ctx.Err() != nil {
		return fault.Stopped(ctx, r.Folder.Arg(), rankFolder, done, total)
	}
	return err
}

// scoresAside gives the scores and what was made of them room in a folder of their own. The record goes first: scores
// without one are never taken for others.
func (r *Run) scoresAside(why error) error {
	d := rundir.Folder(r.Folder.File(rankFolder))
	before := d.FreeName("before")
	r.process.UI.Warnf("networks are scored anew, and what there is is kept as %s: %v", d.File(before), why)
	return aside(d, before, "record.json", "scores.jsonl", "scores.sums", "rank.json")
}

// aside puts files of a folder, as far as they are there, into a new one in it.
func aside(d rundir.Folder, to string, names ...string) error {
	if err := d.MakeDir(to); err != nil {
		return err
	}
	for _, name := range names {
		if !d.Has(name) {
			continue
		}
		if err := atomicfile.OS.Rename(d.File(name), d.File(to, name)); err != nil {
			return err
		}
	}
	return errors.Join(atomicfile.OS.SyncDir(d.File(to)), atomicfile.OS.SyncDir(string(d)))
}
