package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rank"
	"oneshot/internal/rank/truths"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// rankFolder has what `rank` computes in a run folder: scores.jsonl with a line for each network that was scored,
// rank.json with the last answer, and record.json, which says of what they are. What they replaced is in folders before,
// before-2 and so on. Networks that were retrained are in retrain, which does not depend on the supernet.
const rankFolder = "rank"

const (
	rankRecord = rankFolder + "/record.json"
	rankScores = rankFolder + "/scores.jsonl"
	rankFile   = rankFolder + "/rank.json"
)

// RankSpec says with which truths scores are compared: those of a table, or of networks that are retrained.
type RankSpec struct {
	Table      string
	Sample     int     // networks of it that are drawn; 0 is all
	SampleSeed *uint64 // nil is that of the run

	Retrain       int    // networks that are drawn and retrained
	Archs         string // a file that names them
	Epochs, Steps int    // of each training; both 0 is what the run's own retraining has
	Seeds         int    // trainings of each, with seeds that count up from the run's; 0 is one

	table *truths.Table
	named []namedArch
}

// Check refuses what can be asked of no run, and reads the files.
func (s *RankSpec) Check() (err error) {
	switch retrains := s.Retrain != 0 || s.Archs != ""; {
	case s.Table == "" && !retrains:
		return fault.Usage("`oneshot rank --help` shows the forms of a table", "rank wants truths to compare with: --table FILE, or --retrain K")
	case s.Table != "" && retrains:
		return fault.Usage("leave out one of them", "--table has truths, and --retrain and --archs make some")
	case s.Table != "" && (s.Epochs != 0 || s.Steps != 0):
		return fault.Usage("", "--epochs and --steps are of --retrain: with --table nothing is trained")
	case s.Table != "" && s.Seeds != 0:
		return fault.Usage("", "--seeds is of --retrain: with --table nothing is trained")
	case s.Seeds < 0 || s.Seeds > mostSeeds:
		return fault.Usage("", "--seeds %d: want 1..%d", s.Seeds, mostSeeds)
	case s.Table == "" && s.Sample != 0:
		return fault.Usage("--retrain says how many are drawn", "--sample is of --table")
	case s.Sample < 0 || s.Sample > 0 && s.Sample < rank.Least:
		return fault.Usage("", "--sample %d: %d networks are the least that have an order", s.Sample, rank.Least)
	case s.Retrain < 0 || s.Retrain > 0 && s.Retrain < rank.Least:
		return fault.Usage("", "--retrain %d: %d networks are the least that have an order", s.Retrain, rank.Least)
	case s.Epochs != 0 && s.Steps != 0:
		return fault.Usage("leave out one of them", "--epochs and --steps both say how long a training is")
	case s.Epochs < 0 || s.Steps < 0:
		return fault.Usage("", "a training has at least one step: --epochs %d, --steps %d", s.Epochs, s.Steps)
	case s.Archs != "":
		s.named, err = readNamed(s.Archs)
	case s.Table != "":
		s.table, err = truths.ReadFile(s.Table)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	return fault.WithCode(err, fault.ExitInvalid, "`oneshot rank --help` shows the forms")
}

// ranked is a network that is ranked.
type ranked struct {
	hash string
	arch space.Arch // the canonical one
	rank.Network
}

// Needs is Request.Needs of it: everything that is wrong is found before something is computed. override has scores of
// something else make room.
func (s *RankSpec) Needs(override bool) func(p *plan.Plan, d rundir.Folder) error {
	return func(p *plan.Plan, d rundir.Folder) error {
		if _, any := lastCheckpoint(d.File("supernet")); !any {
			return fault.Usage("`oneshot train --resume --out "+d.Arg()+"` trains one", "%s has no supernet whose scores could be ranked", d)
		}
		if _, err := s.supernet(p, d); err != nil {
			return err
		}
		if s.table != nil {
			if _, _, err := s.tabled(p); err != nil {
				return err
			}
		} else if err := s.trainable(p, d, override); err != nil {
			return err
		}
		if override {
			return nil
		}
		_, err := currentScores(p.Config, describeImages(p.Data), d)
		return err
	}
}

// supernet says whether the supernet is complete, and refuses one that is of something else than is there now.
func (s *RankSpec) supernet(p *plan.Plan, d rundir.Folder) (complete bool, err error) {
	chain, err := chainOf(d, p.Config)
	if err != nil {
		return false, err
	}
	l := chain[0]
	if l.State == StateStale {
		return false, stageOf("train").stale(d, d, l.Why)
	}
	return l.State == StateFresh, nil
}

// seed is that of what is drawn.
func (s *RankSpec) seed(p *plan.Plan) uint64 {
	if s.SampleSeed != nil {
		return *s.SampleSeed
	}
	return p.Config.Seed
}

// Rank scores the networks whose truth is known, as far as their scores are not there, and says how well the scores order
// them. Truths that are not there are made first. A supernet that was stopped is trained to its end.
func (r *Run) Rank(ctx context.Context, s *RankSpec) (rundir.Ranking, error) {
	var all []ranked
	var from rundir.RankTruths
	var err error
	if s.table != nil {
		all, from, err = s.tabled(r.Plan)
	} else {
		all, from, err = r.retrained(ctx, s)
	}
	if err != nil {
		return rundir.Ranking{}, err
	}
	scores, err := r.scoreRanked(ctx, s, all)
	if err != nil {
		return rundir.Ranking{}, err
	}
	out := rundir.Ranking{Resamples: rank.Resamples, Truths: from}
	networks := make([]rank.Network, len(all))
	first := ""
	for i, n := range all {
		l := scores[n.hash]
		n.Score = l.Score
		networks[i] = n.Network
		if l.Failed != "" {
			out.Failed++
			first = cmp.Or(first, l.Arch+": "+l.Failed)
		}
		out.Points = append(out.Points, rundir.RankPoint{Hash: n.hash, Arch: r.Space.Format(n.arch), Score: n.Score, Truth: n.Truth, Params: n.Params, MAdds: n.MAdds, Failed: l.Failed})
	}
	if out.Failed == len(all) {
		return out, fault.New(fault.ExitDiverged, "`oneshot train --resume --override --out "+r.Folder.Arg()+"` with a smaller learning rate (--lr) trains another supernet, and keeps this one until it is complete",
			"none of %d networks has a score: the supernet has diverged; the first is %s", len(all), first)
	}
	if out.Failed > 0 {
		r.process.UI.Warnf("%d of %d networks have no score and count as the worst; the first is %s", out.Failed, len(all), first)
	}
	out.Stats = rank.Measure(networks, r.Config.Seed)
	out.Warnings = append([]string{}, out.Stats.Warnings()...) // in JSON a list, also where there are none
	if t := s.table; t != nil && t.Low > 0 {
		out.Warnings = append(out.Warnings, fmt.Sprintf("%s is read as percent, and %d of its %d texts have an accuracy of 1 or less: if that is a fraction, their truth is wrong", filepath.Base(s.Table), t.Low, len(t.Rows)))
	}
	return out, r.keepRanking(out)
}

// keepRanking writes the answer, and the record with the checksums of what there is.
func (r *Run) keepRanking(out rundir.Ranking) error {
	b, err := rundir.Indented(out)
	if err != nil {
		return err
	}
	if _, err := r.Folder.Update(b, rankFolder, "rank.json"); err != nil {
		return err
	}
	rec, err := r.Folder.ReadRecord(rankRecord)
	if err != nil {
		return err
	}
	if rec == nil {
		return fmt.Errorf("%s is gone", r.Folder.File(rankRecord))
	}
	if rec.Outputs, err = r.Folder.Hashes(rankScores, rankFile); err != nil {
		return err
	}
	return r.Folder.KeepRecord(rankRecord, *rec)
}

// CurrentRanking is the last answer of `rank` in a folder, nil where there is none or it is of something else than is
// there now, which why says.
func CurrentRanking(d rundir.Folder) (out *rundir.Ranking, why string, err error) {
	if !d.Has(rankFolder, "rank.json") {
		return nil, "", nil
	}
	c, err := loadStored(d)
	if err != nil {
		return nil, "", err
	}
	m, err := d.ReadManifest()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, "", err
	}
	rec, err := d.ReadRecord(rankRecord)
	switch {
	case err != nil:
		return nil, "", err
	case rec == nil:
		return nil, "no record says of what it is", nil
	}
	now := inheritedInputs(c, m.Dataset, d)
	if names := rundir.Differences(rec.Inputs, now); len(names) > 0 {
		return nil, "it is of something else than is there now:" + strings.ReplaceAll(changes(*rec, now, names), "\n ", ""), nil
	}
	have, err := d.Hashes(rankScores, rankFile)
	if err != nil {
		return nil, "", err
	}
	if !maps.Equal(have, rec.Outputs) {
		return nil, "it was stopped, or its files are not those that it has left", nil
	}
	out = new(rundir.Ranking)
	return out, "", d.ReadJSON(out, rankFolder, "rank.json")
}

// RankNotes says of the last answer of `rank` in a folder why it is not one of what is there now, as a list of at most
// one text.
func RankNotes(d rundir.Folder) ([]string, error) {
	_, why, err := CurrentRanking(d)
	if err != nil || why == "" {
		return nil, err
	}
	return []string{rankFile + ": " + why + "; `oneshot rank` makes it again"}, nil
}

// parseKey reads an architecture as tables name it: with the name of its space, or without.
func parseKey(s space.Space, text string) (space.Arch, error) {
	own := s.Name() + ":"
	if name, _, ok := strings.Cut(text, ":"); strings.HasPrefix(text, own) || ok && space.IsName(name) {
		return s.Parse(text)
	}
	return s.Parse(own + text)
}

// errNoPath says that an architecture has no inherited weights: it is no path of the supernet, or nothing of it can be trained.
var errNoPath = errors.New("is no path of the supernet")

// pathOfKey is parseKey of a path of the supernet.
func pathOfKey(s space.Space, text string) (space.Arch, error) {
	a, err := parseKey(s, text)
	if err == nil && s.Encode(a) == nil {
		return nil, fmt.Errorf("%.80q %w", text, errNoPath)
	}
	if err != nil { // not wrapped: a space.FieldError is a mistake on the command line
		return nil, fmt.Errorf("%.80q: the run is of space %s: %v", text, s.Name(), err)
	}
	return s.Canonical(a), nil
}

// tabled are the networks of the table, or a sample of them, sorted by hash. Equal networks are one: its truth is the mean of
// those of its texts, and their trainings are all trainings of it, but for texts that have the very same ones, as where a
// table repeats them. Of twins whose costs differ the least count.
func (s *RankSpec) tabled(p *plan.Plan) ([]ranked, rundir.RankTruths, error) {
	from := rundir.RankTruths{From: rundir.FromTable, File: filepath.Base(s.Table), SHA256: s.table.SHA256, Texts: len(s.table.Rows), Percent: s.table.Percent,
		Costs: rundir.CostsOfTable, Sample: s.Sample, SampleSeed: s.seed(p)}
	if slices.ContainsFunc(s.table.Rows, func(r truths.Row) bool { return r.Params == 0 || r.MAdds == 0 }) {
		from.Costs = rundir.CostsCounted
	}
	rows := slices.SortedFunc(slices.Values(s.table.Rows), func(a, b truths.Row) int { return strings.Compare(a.Arch, b.Arch) })
	type group struct {
		ranked
		texts []truths.Row
	}
	groups := map[string]*group{}
	for _, row := range rows {
		a, err := pathOfKey(p.Space, row.Arch)
		if errors.Is(err, errNoPath) { // NAS-Bench-201 has networks whose output is the same for all images
			from.LeftOut++
			continue
		}
		if err != nil {
			return nil, from, fault.New(fault.ExitInvalid, "a table has truths of networks of the run's space, by its texts; `oneshot rank --help` shows the forms", "%s: %w", s.Table, err)
		}
		hash := space.Hash(p.Space, a)
		g := groups[hash]
		if g == nil {
			g = &group{ranked: ranked{hash: hash, arch: a}}
			groups[hash] = g
		}
		g.texts = append(g.texts, row)
	}
	if from.Networks = len(groups); from.Networks < rank.Least {
		return nil, from, fault.New(fault.ExitInvalid, "", "%s has %s; %d are the least that have an order", s.Table, ui.Plural(from.Networks, "network", "networks"), rank.Least)
	}
	if s.Sample > from.Networks {
		return nil, from, fault.Usage("leave it out for all", "--sample is %d, and %s has %d networks", s.Sample, s.Table, from.Networks)
	}
	hashes := slices.Sorted(maps.Keys(groups))
	if s.Sample > 0 {
		hashes = slices.Sorted(slices.Values(rank.Sample(hashes, s.Sample, s.seed(p))))
	}
	out := make([]ranked, 0, len(hashes))
	for _, h := range hashes {
		g := groups[h]
		for i, row := range g.texts {
			g.Truth += row.Mean / float64(len(g.texts))
			if !slices.ContainsFunc(g.texts[:i], func(o truths.Row) bool { return slices.Equal(o.Truths, row.Truths) }) {
				g.Truths = append(g.Truths, row.Truths...)
			}
			if i == 0 || row.MAdds < g.MAdds {
				g.Params, g.MAdds = row.Params, row.MAdds
			}
		}
		if from.Costs == rundir.CostsCounted {
			a, err := p.DescribeArch(g.arch)
			if err != nil {
				return nil, from, err
			}
			g.Params, g.MAdds = a.Params, a.MAdds
		}
		out = append(out, g.ranked)
	}
	return out, from, nil
}

// rankScorer opens what scores the networks that have none yet.
func (r *Run) rankScorer(ctx context.Context) (*supernet.Scorer, error) {
	n, err := r.Train(ctx)
	if err != nil {
		return nil, err
	}
	return supernet.NewScorer(n, r.Data.Train, r.Data.Search.Part(r.Config.Score.Images), r.Scoring(false))
}
