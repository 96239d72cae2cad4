package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"path/filepath"
	"slices"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rank"
	"oneshot/internal/rng"
	"oneshot/internal/rundir"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// Networks that are retrained to be ranked lie in rank/retrain: truths.jsonl has a line for each training that is done, and
// record.json says how they are trained. One that goes on has a folder, named by the network's hash and, behind the first, the
// seed, until its line is there. They see no search image in their training, whatever retrain.all_images says, as these are
// what they are measured on.
const (
	truthsFolder = rankFolder + "/retrain"
	truthsRecord = truthsFolder + "/record.json"
	truthsFile   = truthsFolder + "/truths.jsonl"
)

// mostRetrained is how many networks may be named, mostSeeds how often each may be trained.
const (
	mostRetrained = 10_000
	mostSeeds     = 100
)

// truthKey is a training of a network.
type truthKey struct {
	hash string
	seed uint64
}

// namedArch is an architecture as a line of a file names it.
type namedArch struct {
	text string
	line int // from 1
}

// readNamed reads a file of architectures, one a line.
func readNamed(path string) (names []namedArch, err error) {
	b, err := atomicfile.ReadAtMost(path, mostRetrained*1000)
	if err != nil {
		return nil, err
	}
	line, err := plan.Lines(bytes.NewReader(b), func(text string, line int) error {
		names = append(names, namedArch{text, line})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", path, line, err)
	}
	if len(names) == 0 || len(names) > mostRetrained {
		return nil, fmt.Errorf("%s: %d architectures, want 1..%d, one a line", path, len(names), mostRetrained)
	}
	return names, nil
}

// drawn are the networks that are retrained: those that a file names, in its order, or as many drawn ones. More of them
// begin with the fewer.
func (s *RankSpec) drawn(p *plan.Plan) (archs []space.Arch, err error) {
	seen := map[string]bool{}
	add := func(a space.Arch) bool {
		h := space.Hash(p.Space, a)
		if seen[h] {
			return false
		}
		seen[h] = true
		archs = append(archs, a)
		return true
	}
	for _, n := range s.named {
		a, err := pathOfKey(p.Space, n.text)
		if err != nil {
			return nil, fault.New(fault.ExitInvalid, "a line is a text of the run's space", "%s:%d: %w", s.Archs, n.line, err)
		}
		if add(a); s.Retrain > 0 && len(archs) == s.Retrain {
			break
		}
	}
	if s.Archs != "" {
		if want := max(s.Retrain, rank.Least); len(archs) < want {
			return nil, fault.Usage("", "%s names %d different networks, and %d are wanted", s.Archs, len(archs), want)
		}
		return archs, nil
	}
	if p.Space.Size().Cmp(big.NewInt(int64(s.Retrain))) < 0 {
		return nil, fault.Usage("", "--retrain %d: space %s has %v networks", s.Retrain, p.Space.Name(), p.Space.Size())
	}
	r := rng.New(s.seed(p), "rank-retrain")
	for tries := 0; len(archs) < s.Retrain; tries++ {
		if tries > 1000*s.Retrain {
			return nil, fault.Usage("ask for fewer", "--retrain %d: only %d different networks of space %s were drawn", s.Retrain, len(archs), p.Space.Name())
		}
		add(p.Space.Canonical(p.Space.Sample(r)))
	}
	return archs, nil
}

// brief is the plan of a training of one of them: as the run's own retraining, but as short as is asked for, with a warm-up
// that is as much shorter, from scratch, and on training images alone.
func (s *RankSpec) brief(p *plan.Plan) (*plan.Plan, error) {
	q := *p
	q.Teacher = nil
	c := &q.Config.Retrain
	c.AllImages, c.Init, c.Teacher, c.TeacherSHA256, c.InitSHA256, c.Seeds, c.Top = false, "", "", "", "", 1, 1
	images := q.Images("retrain").Len()
	was, warm := c.StepsFor(images), c.WarmupFor(images)
	if s.Epochs > 0 {
		c.Epochs, c.Steps = s.Epochs, 0
	}
	if s.Steps > 0 {
		c.Steps = s.Steps
	}
	if now := c.StepsFor(images); now != was {
		c.WarmupEpochs, c.WarmupSteps = 0, int(math.Round(float64(warm)*float64(now)/float64(was)))
	}
	if err := q.Check(); err != nil {
		return nil, err
	}
	return &q, nil
}

// trainable finds what would stop the trainings.
func (s *RankSpec) trainable(p *plan.Plan, d rundir.Folder, override bool) error {
	if _, err := s.drawn(p); err != nil {
		return err
	}
	q, err := s.brief(p)
	if err != nil || override {
		return err
	}
	_, err = currentTruths(q, d)
	return err
}

// truthInputs is what the truths are made of.
func truthInputs(q *plan.Plan) map[string]string {
	of := stageOf("retrain").settings(q.Config, describeImages(q.Data))
	for _, k := range []string{"retrain.epochs", "retrain.warmup_epochs"} {
		delete(of, k)
	}
	t := q.Training("retrain") // the same steps are the same training, whatever they are called
	of["retrain.steps"], of["retrain.warmup_steps"] = fmt.Sprint(t.Steps), fmt.Sprint(t.WarmupSteps)
	return of
}

// currentTruths is the record of the truths that a folder has; nil is that there are none. It is an error where they were
// made in another way.
func currentTruths(q *plan.Plan, d rundir.Folder) (*rundir.Record, error) {
	if !d.Has(truthsFolder) {
		return nil, nil
	}
	rec, err := d.ReadRecord(truthsRecord)
	if err != nil {
		return nil, err
	}
	if rec == nil && !d.Has(truthsFile) {
		return nil, nil
	}
	if rec == nil {
		return nil, truthsStale(d, "no record says of what they are")
	}
	now := truthInputs(q)
	if names := rundir.Differences(rec.Inputs, now); len(names) > 0 {
		return nil, truthsStale(d, "their inputs have changed:"+changes(*rec, now, names))
	}
	return rec, nil
}

func truthsStale(d rundir.Folder, why string) error {
	return fault.New(fault.ExitInvalid, "the same command with --override trains anew, and keeps what there is in a folder beside it", "the networks in %s are not trained as is asked for: %s", d.File(truthsFolder), why)
}

// truthsFrom says of which trainings the truths are.
func (s *RankSpec) truthsFrom(p, q *plan.Plan, networks int) rundir.RankTruths {
	from := rundir.RankTruths{From: rundir.FromRetraining, Costs: rundir.CostsCounted, Steps: q.Training("retrain").Steps, Seed: p.Config.Seed,
		Images: p.Data.Search.Len(), Sample: networks, SampleSeed: s.seed(p)}
	if s.Seeds > 1 {
		from.Seeds = s.Seeds
	}
	if s.Archs != "" {
		from.File, from.Sample, from.SampleSeed = filepath.Base(s.Archs), 0, 0
	}
	return from
}

// seeds are those that each network is trained with.
func (s *RankSpec) seeds(p *plan.Plan) (seeds []uint64) {
	for i := range max(1, s.Seeds) {
		seeds = append(seeds, p.Config.Seed+uint64(i))
	}
	return seeds
}

// retrained are the networks with what their own trainings reach, sorted by hash. Each is trained from where it stands, all
// with a seed before the first with the next one. The truth is the mean.
func (r *Run) retrained(ctx context.Context, s *RankSpec) ([]ranked, rundir.RankTruths, error) {
	q, err := s.brief(r.Plan)
	if err != nil {
		return nil, rundir.RankTruths{}, err
	}
	archs, err := s.drawn(r.Plan)
	if err != nil {
		return nil, rundir.RankTruths{}, err
	}
	known, file, err := r.openTruths(q)
	if err != nil {
		return nil, rundir.RankTruths{}, err
	}
	defer file.Close()
	from := s.truthsFrom(r.Plan, q, len(archs))
	all := make([]ranked, len(archs))
	for i, arch := range archs {
		a, err := r.DescribeArch(arch)
		if err != nil {
			return nil, from, err
		}
		all[i] = ranked{a.Hash, arch, rank.Network{Params: a.Params, MAdds: a.MAdds}}
	}
	for _, seed := range s.seeds(r.Plan) {
		for i := range all {
			n := &all[i]
			home := r.truthHome(n.hash, seed)
			l, ok := known[truthKey{n.hash, seed}]
			if !ok {
				of := ""
				if from.Seeds > 1 {
					of = fmt.Sprintf(", seed %d", seed)
				}
				r.process.UI.Infof("truth    %s (%d of %d%s)", n.hash, i+1, len(all), of)
				if l, err = r.truthOf(ctx, q, n.arch, seed, home); err != nil {
					return nil, from, err
				}
				if err := file.Append(l); err != nil {
					return nil, from, err
				}
			}
			if err := atomicfile.RemoveTree(atomicfile.OS, string(home)); err != nil { // its line has what it was for
				return nil, from, err
			}
			from.Images = l.Images
			n.Truths = append(n.Truths, l.Top1)
		}
	}
	for i := range all {
		for _, v := range all[i].Truths {
			all[i].Truth += v / float64(len(all[i].Truths))
		}
	}
	slices.SortFunc(all, func(a, b ranked) int { return strings.Compare(a.hash, b.hash) })
	return all, from, nil
}

// truthHome is the folder of a training that is not done.
func (r *Run) truthHome(hash string, seed uint64) rundir.Folder {
	if seed != r.Config.Seed {
		hash += fmt.Sprintf("-%d", seed)
	}
	return rundir.Folder(r.Folder.File(truthsFolder, hash))
}

// usableTruths is currentTruths of this process, whose arithmetic must be theirs.
func (r *Run) usableTruths(q *plan.Plan) (*rundir.Record, error) {
	rec, err := currentTruths(q, r.Folder)
	if a := r.rt.Arithmetic(); err == nil && rec != nil && len(rec.Arithmetic) > 0 && rec.Arithmetic[0] != a {
		err = truthsStale(r.Folder, fmt.Sprintf("they were computed with %q, and this process computes with %q", rec.Arithmetic[0], a))
	}
	return rec, err
}

// openTruths reads the truths that are there, and opens their file. Those that were made in another way make room, where the
// request allows it.
func (r *Run) openTruths(q *plan.Plan) (map[truthKey]rundir.RankTruth, *rundir.SummedLines, error) {
	rec, err := r.usableTruths(q)
	if err != nil && r.override && !rundir.IsNewer(err) {
		d := rundir.Folder(r.Folder.File(rankFolder))
		before := d.FreeName("retrain-before")
		r.process.UI.Warnf("networks are trained anew, and what there is is kept as %s: %v", d.File(before), err)
		rec, err = nil, moveFolder(d.File("retrain"), d.File(before))
	}
	if err != nil {
		return nil, nil, err
	}
	if err := r.Folder.MakeDir(truthsFolder); err != nil {
		return nil, nil, err
	}
	if rec == nil {
		next := rundir.Record{Stage: "rank-retrain", Inputs: truthInputs(q), Arithmetic: []string{r.rt.Arithmetic()}}
		if err := r.Folder.KeepRecord(truthsRecord, next); err != nil {
			return nil, nil, err
		}
	}
	known := map[truthKey]rundir.RankTruth{}
	file, torn, err := rundir.OpenSummed(r.Folder.File(truthsFile), r.process.UI.Warnf, r.keepTruths(known))
	if err != nil {
		return nil, nil, fault.WithCode(err, fault.ExitInvalid, rundir.FromCopy)
	}
	if torn {
		r.process.UI.Warnf("%s: dropped an incomplete last line", r.Folder.File(truthsFile))
	}
	return known, file, nil
}

// keepTruths reads lines of truths.jsonl into known.
func (r *Run) keepTruths(known map[truthKey]rundir.RankTruth) func(line []byte) (bool, error) {
	return func(line []byte) (bool, error) {
		l, err := r.parseTruth(line)
		key := truthKey{l.Hash, l.Seed}
		if _, twice := known[key]; err == nil && twice {
			err = fmt.Errorf("%s is there twice", l.Hash)
		}
		known[key] = l
		return err == nil, err
	}
}

// parseTruth is as strict as parseScore.
func (r *Run) parseTruth(b []byte) (l rundir.RankTruth, err error) {
	if err := json.Unmarshal(b, &l); err != nil {
		return l, err
	}
	switch {
	case l.Seed-r.Config.Seed >= mostSeeds: // they count up, and around
		return l, fmt.Errorf("training of seed %d, want %d or one that counts up from it", l.Seed, r.Config.Seed)
	case !(l.Top1 >= 0 && l.Top1 <= 1) || l.Images < 1:
		return l, fmt.Errorf("top1 %v of %d images", l.Top1, l.Images)
	}
	return l, r.hashOf(l.Arch, l.Hash)
}

// truthOf trains a network to its last step in a folder, from wherever it stands, and classifies the search images. Weights,
// order and augmentation follow the seed.
func (r *Run) truthOf(ctx context.Context, q *plan.Plan, arch space.Arch, seed uint64, home rundir.Folder) (l rundir.RankTruth, err error) {
	if err := home.MakeDir("retrain"); err != nil {
		return l, err
	}
	n, err := supernet.NewArch(q.Final(true), arch, seed, r.rt)
	if err != nil {
		return l, err
	}
	c := q.Training("retrain")
	c.Seed = seed
	t := training{
		stage: stageOf("retrain"), of: r.Folder, folder: home, ui: r.process.UI, net: n, images: q.Images("retrain"), config: c,
		every: r.Config.Run.CheckpointSteps, keep: r.Config.Run.CheckpointKeep, saveAsked: r.process.SaveAsked,
		hash:    func(a space.Arch) string { return space.Hash(r.Space, a) },
		prepare: func() (func(), error) { return r.lessGarbage("retrain") },
	}
	if err := t.run(ctx); err != nil {
		return l, err
	}
	res, err := r.evaluate(ctx, "check", n, arch, r.Data.Search.Batches(evalBatch), r.Data.Search.Len(), nil)
	if err == nil {
		err = numbers(string(home), res)
	}
	return rundir.RankTruth{Arch: r.Space.Format(arch), Hash: space.Hash(r.Space, arch), Top1: res.Top1, Images: res.Images, Seed: seed}, err
}
