package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"

	"oneshot/lanas"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// sampleLine is a line of search/samples.jsonl: a subnetwork and its score. The
// file is all a search remembers; the tree is a function of it and the seed.
type sampleLine struct {
	Index  int          `json:"index"` // from 0
	Arch   string       `json:"arch"`
	Hash   string       `json:"hash"`
	Score  float64      `json:"score"` // top-1 on the search split
	Loss   float64      `json:"loss"`
	Images int          `json:"images"`
	Source lanas.Source `json:"source"` // warm-up, reject or mutate
	Seed   uint64       `json:"seed"`
}

// searchSummary is search/best.json.
type searchSummary struct {
	Arch  string  `json:"arch"`
	Hash  string  `json:"hash"`
	Score float64 `json:"score"`
	// RandomScore is the mean score of the uniformly random subnetworks scored
	// first, on the same images: what picking one blindly would have given.
	RandomScore float64 `json:"random_score"`
	Random      int     `json:"random_samples"`
	Samples     int     `json:"samples"`
	Exhausted   bool    `json:"exhausted"` // the whole space is scored
}

// codes shows a space to lanas as 0/1 codes.
type codes struct{ space.Space }

func (c codes) Sample(r *rand.Rand) []byte { return c.Encode(c.Space.Sample(r)) }

func (c codes) Mutate(code []byte, r *rand.Rand) []byte {
	a, err := c.Decode(code)
	if err != nil { // lanas hands back only codes it got from us
		panic("search: " + err.Error())
	}
	return c.Encode(c.Space.Mutate(a, r))
}

func (j *job) searchConfig() lanas.Config {
	s := j.cfg.Search
	c := lanas.Default()
	c.Init, c.Height, c.Cp, c.SelectPerTree, c.Seed = s.Init, s.Height, s.Cp, s.PerTree, j.cfg.Seed
	return c
}

// search scores subnetworks of n until the budget is used, and writes best.json.
func (j *job) search(ctx context.Context, n *supernet.Net) (searchSummary, error) {
	var best searchSummary
	searcher, err := lanas.New(codes{j.space}, j.searchConfig())
	if err != nil {
		return best, err
	}
	if err := os.MkdirAll(j.dir.file("search"), 0o755); err != nil {
		return best, err
	}
	samples, file, err := j.openSamples(searcher)
	if err != nil {
		return best, err
	}
	defer file.close()
	if j.dir.has("search", "best.json") {
		if err := j.dir.readJSON(&best, "search", "best.json"); err != nil {
			return best, err
		}
		// The samples are the truth; the file is only their summary.
		want := summarise(samples, j.cfg.Search.Init)
		want.Exhausted = best.Exhausted
		if best == want && (best.Exhausted || best.Samples >= j.cfg.Search.Samples) {
			return best, nil
		}
		if best.Samples == len(samples) && best != want {
			j.ui.warnf("%s does not agree with samples.jsonl: written again", j.dir.file("search", "best.json"))
		}
	}
	metrics, err := j.openMetrics("search", len(samples))
	if err != nil {
		return best, err
	}
	defer metrics.close()
	scorer, err := supernet.NewScorer(n, j.data.Train, j.data.Search, j.scoreConfig())
	if err != nil {
		return best, err
	}
	defer scorer.Close()
	if samples, err = j.score(ctx, searcher, scorer, samples, file, metrics); err != nil {
		return best, err
	}
	if err := j.rewriteMetrics(inOrder); err != nil {
		return best, err
	}
	best = summarise(samples, j.cfg.Search.Init)
	best.Exhausted = len(samples) < j.cfg.Search.Samples
	return best, j.dir.writeJSON(best, "search", "best.json")
}

// score runs the ask-score-tell loop. A sample is on disk before it is told.
func (j *job) score(ctx context.Context, s *lanas.Searcher, scorer *supernet.Scorer, done []sampleLine, file, metrics *jsonl) ([]sampleLine, error) {
	total := j.cfg.Search.Samples
	meter := j.ui.meter("search", len(done), total)
	defer meter.finish()
	best := summarise(done, 0).Score
	for len(done) < total {
		if ctx.Err() != nil {
			return nil, j.stopped(ctx, "search", len(done), total)
		}
		p, err := s.Propose()
		if errors.Is(err, lanas.ErrExhausted) {
			j.ui.infof("search: all %d subnetworks of the space are scored", len(done))
			break
		}
		if err != nil {
			return nil, err
		}
		arch, err := j.space.Decode(p.Code)
		if err != nil {
			return nil, err
		}
		r, err := scorer.Score(ctx, arch)
		if ctx.Err() != nil { // the sample is not recorded: it will be asked for again
			return nil, j.stopped(ctx, "search", len(done), total)
		}
		if err != nil {
			return nil, fmt.Errorf("search: score %s: %w", j.space.Format(arch), err)
		}
		best = max(best, r.Top1)
		line := sampleLine{len(done), j.space.Format(arch), j.space.Hash(arch), r.Top1, r.Loss, r.Images, p.Source, j.cfg.Seed}
		if err := j.record(line, best, file, metrics); err != nil {
			return nil, err
		}
		if err := s.Tell(p.Code, r.Top1); err != nil {
			return nil, err
		}
		done = append(done, line)
		meter.update(len(done), r.Images, fmt.Sprintf("score %.3f  best %.3f", r.Top1, best))
	}
	return done, nil
}

// record writes the metrics before the sample: a sample counts as done once it
// is in samples.jsonl, and metrics beyond the last sample are cut on resume.
func (j *job) record(line sampleLine, best float64, file, metrics *jsonl) error {
	m := metric{Stage: "search", Step: line.Index + 1, Loss: &line.Loss, Top1: &line.Score, Best: &best, Arch: line.Hash}
	if err := metrics.append(m); err != nil {
		return err
	}
	if err := metrics.sync(); err != nil {
		return err
	}
	if err := file.append(line); err != nil {
		return err
	}
	return file.sync()
}

// openSamples reads samples.jsonl and tells the searcher what it holds.
func (j *job) openSamples(s *lanas.Searcher) ([]sampleLine, *jsonl, error) {
	var lines []sampleLine
	var told []lanas.Sample
	path := j.dir.file("search", "samples.jsonl")
	file, torn, err := openJSONL(path, func(b []byte) (bool, error) {
		l, arch, err := j.parseSample(b, len(lines))
		if err != nil {
			return false, err
		}
		lines = append(lines, l)
		told = append(told, lanas.Sample{Code: j.space.Encode(arch), Score: l.Score})
		return true, nil
	})
	if err != nil {
		return nil, nil, withCode(err, exitInvalid, "restore the file, or delete it to search again")
	}
	if torn {
		j.ui.warnf("%s: dropped an incomplete last line", path)
	}
	if err := s.Replay(told); err != nil {
		file.close()
		return nil, nil, withCode(fmt.Errorf("%s: %w", path, err), exitInvalid, "")
	}
	return lines, file, nil
}

// parseSample reads one line strictly: the samples of another run, or edited
// ones, must not steer this search.
func (j *job) parseSample(b []byte, index int) (sampleLine, space.Arch, error) {
	var l sampleLine
	if err := json.Unmarshal(b, &l); err != nil {
		return l, space.Arch{}, err
	}
	if l.Index != index {
		return l, space.Arch{}, fmt.Errorf("index %d, want %d", l.Index, index)
	}
	if l.Seed != j.cfg.Seed {
		return l, space.Arch{}, fmt.Errorf("sample of seed %d, want %d", l.Seed, j.cfg.Seed)
	}
	if !(l.Score >= 0 && l.Score <= 1) {
		return l, space.Arch{}, fmt.Errorf("score %v is not in 0..1", l.Score)
	}
	arch, err := j.space.Parse(l.Arch)
	if err != nil {
		return l, arch, err
	}
	if h := j.space.Hash(arch); h != l.Hash {
		return l, arch, fmt.Errorf("hash %s does not belong to the architecture (%s)", l.Hash, h)
	}
	return l, arch, nil
}

// summarise finds the best sample, the earliest among equals, and the mean of
// the first random ones.
func summarise(samples []sampleLine, random int) searchSummary {
	out := searchSummary{Samples: len(samples), Random: min(random, len(samples))}
	for i, s := range samples {
		if i == 0 || s.Score > out.Score {
			out.Arch, out.Hash, out.Score = s.Arch, s.Hash, s.Score
		}
		if i < out.Random {
			out.RandomScore += s.Score / float64(out.Random)
		}
	}
	return out
}
