package supernet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"oneshot/data"
	"oneshot/internal/setting"
	"oneshot/supernet/engine"
	"oneshot/supernet/space"
)

// Result is a measurement on a number of images.
type Result struct {
	Top1   float64 // fraction of images classified right
	Loss   float64 // mean cross-entropy in nats
	Images int
}

// ScoreConfig says how a subnetwork is measured.
type ScoreConfig struct {
	RecalImages int `yaml:"recal_images" json:"recal_images" default:"512" rule:"recal_batch.." doc:"training images that re-estimate the subnetwork's statistics of batch normalisation"`
	RecalBatch  int `yaml:"recal_batch" json:"recal_batch" default:"128" want:"2..65536" doc:"images per batch of those"`
	// RecheckRecalImages is for those who score again, see Again.
	RecheckRecalImages int `yaml:"recheck_recal_images" json:"recheck_recal_images" rule:"0 or recal_batch.." doc:"recal_images of the second scores of the best; 0 is four times recal_images, at most all training images"`
	Batch              int `yaml:"batch" json:"batch" default:"256" want:"1..65536" doc:"search images per batch, at least 2 with statistics of the batch, which then decide the score; with recalibrated ones it changes no score"`
	// A loss says of each image how right a network is, and not only whether it is.
	By string `yaml:"by" json:"by" default:"accuracy" rule:"accuracy or loss" doc:"what a score is: accuracy is the share of search images that are classified right; loss is e to the power of minus the mean cross-entropy, the probability given to the right class in the geometric mean over these images"`
	// Statistics of the batch are those by which a supernet is trained. Without a pass over training
	// images a score takes less time, and depends on which images are together.
	Statistics string `yaml:"statistics" json:"statistics" default:"recalibrated" rule:"recalibrated or batch" doc:"by which statistics batch normalisation normalises in a score: recalibrated are those of training images, batch those of each batch of search images itself, where a last image alone goes with the batch before"`
	Seed       uint64 `yaml:"-" json:"-"` // chooses the training images
}

// DefaultScore is what benchmarks measure: 1,280 images in batches of 64, as preset
// cifar10-small has. The default of a configuration is less, see the tags.
func DefaultScore() ScoreConfig { return ScoreConfig{RecalImages: 1280, RecalBatch: 64, Batch: 250} }

// ofBatch are the statistics that are not the default.
const ofBatch = "batch"

var statistics = []string{"recalibrated", ofBatch}

// ByLoss is the measure that is not the default.
const ByLoss = "loss"

var measures = []string{"accuracy", ByLoss}

// Rules implements setting.Ruled.
func (c ScoreConfig) Rules() []setting.Rule {
	least := max(2, c.RecalBatch)
	ok := func(images int) bool { return images >= least && images <= math.MaxInt32 }
	want := fmt.Sprintf("%d..%d", least, math.MaxInt32)
	return []setting.Rule{
		{Name: "statistics", Value: c.Statistics, OK: c.Statistics == "" || slices.Contains(statistics, c.Statistics), Want: "one of " + strings.Join(statistics, ", "), Among: statistics},
		{Name: "by", Value: c.By, OK: c.By == "" || slices.Contains(measures, c.By), Want: "one of " + strings.Join(measures, ", "), Among: measures},
		{Name: "batch", OK: c.Statistics != ofBatch || c.Batch >= 2, Want: "at least 2 with @statistics = " + ofBatch},
		{Name: "recal_images", OK: ok(c.RecalImages), Want: want},
		{Name: "recheck_recal_images", OK: c.RecheckRecalImages == 0 || ok(c.RecheckRecalImages), Want: want},
	}
}

// Value is the score of a measurement, in 0..1; a higher one is a better one.
func (c ScoreConfig) Value(r Result) float64 {
	if c.By == ByLoss {
		return math.Exp(-r.Loss)
	}
	return r.Top1
}

// Check reports the first field out of range; it wraps a *setting.Error.
func (c ScoreConfig) Check() error { return setting.First("supernet", c) }

// againFactor is how many times the images of the first score re-estimate the
// statistics of the second one by default.
const againFactor = 4

// Again is the configuration of a second, more exact score, for that many training
// images.
func (c ScoreConfig) Again(images int) ScoreConfig {
	if c.RecheckRecalImages == 0 {
		c.RecheckRecalImages = min(againFactor*c.RecalImages, images)
	}
	c.RecalImages = c.RecheckRecalImages
	return c
}

var errNoImages = errors.New("supernet: no images to evaluate")

// Scorer measures subnetworks with inherited weights. It never changes the
// network: statistics are re-estimated on a copy.
type Scorer struct {
	net           *Net
	recal, search *engine.Images
	eval          engine.Measurer
	state         []float32 // the measurer's
	batches       int64     // whole ones that re-estimate the statistics
	own           bool      // each batch has its own statistics
}

// NewScorer scores subnetworks of n: BN statistics from train images or of each batch, accuracy
// on the search split.
func NewScorer(n *Net, train *data.Train, search *data.Search, c ScoreConfig) (*Scorer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	state := make([]float32, len(n.state))
	eval, err := n.rt.eng.Measure(n.model(state))
	if err != nil {
		return nil, err
	}
	type batches = iter.Seq[*data.Batch]
	return &Scorer{net: n, eval: eval, state: state, own: c.Statistics == ofBatch, batches: int64(c.RecalImages / c.RecalBatch),
		recal:  &engine.Images{Batch: c.RecalBatch, Len: min(c.RecalImages, train.Len()), Batches: func() batches { return train.Calib(c.Seed, c.RecalImages, c.RecalBatch) }},
		search: &engine.Images{Batch: c.Batch, Len: search.Len(), Batches: func() batches { return search.Batches(c.Batch) }}}, nil
}

// Close gives the scorer's memory back. It may be used again all the same.
func (s *Scorer) Close() { s.eval.Close() }

// Score measures arch. The same architecture and weights give the same result
// bit for bit, in any order of calls. It is a *NoNumberError where the loss or one of the
// statistics is none: an infinite variance silences a channel, and what is left of the
// network may look sound.
func (s *Scorer) Score(ctx context.Context, arch space.Arch) (Result, error) {
	return s.score(ctx, arch, s.statistics())
}

// statistics are the images that re-estimate them; nil where each batch has its own.
func (s *Scorer) statistics() *engine.Images {
	if s.own {
		return nil
	}
	return s.recal
}

// score is Score with the statistics of recal or, where that is nil, of each batch.
func (s *Scorer) score(ctx context.Context, arch space.Arch, recal *engine.Images) (Result, error) {
	arch, err := s.net.pick(arch)
	if err != nil {
		return Result{}, err
	}
	t, err := s.eval.Score(ctx, s.net.path(arch), recal, s.search)
	if err != nil {
		return Result{}, err
	}
	return s.judge(arch, t)
}

// judge makes a score of the counts of arch, a canonical one. It is a *NoNumberError where they are none.
func (s *Scorer) judge(arch space.Arch, t engine.Tally) (Result, error) {
	r, err := result(t, nil)
	if err != nil {
		return Result{}, err
	}
	none := &NoNumberError{Of: "score of " + s.net.cfg.Space.Format(arch), Images: r.Images}
	switch {
	case t.BadState:
		none.Why = cmp.Or(s.net.badState(s.state), "a statistic of batch normalisation is no number")
	case !finite(r.Loss):
		none.Why = fmt.Sprintf("loss %g", r.Loss)
	default:
		return r, nil
	}
	return Result{}, none
}

// Evaluator measures networks with their running statistics.
type Evaluator struct {
	net  *Net
	eval engine.Measurer
}

// NewEvaluator evaluates n, as it is at each call.
func NewEvaluator(n *Net) (*Evaluator, error) {
	e, err := n.rt.eng.Measure(n.model(n.state))
	if err != nil {
		return nil, err
	}
	return &Evaluator{net: n, eval: e}, nil
}

// Close gives the evaluator's memory back. It may be used again all the same.
func (e *Evaluator) Close() { e.eval.Close() }

// Evaluate measures the network, if it is one of one architecture, or a path of the
// supernet. progress, if not nil, is told the images done. The loss is no number where the
// outputs are none.
func (e *Evaluator) Evaluate(ctx context.Context, arch space.Arch, batches iter.Seq[*data.Batch], progress func(done int)) (Result, error) {
	arch, err := e.net.pick(arch)
	if err != nil {
		return Result{}, err
	}
	if progress == nil {
		progress = func(int) {}
	}
	return result(e.eval.Evaluate(ctx, e.net.path(arch), batches, progress))
}

// result makes fractions and means of a count.
func result(t engine.Tally, err error) (Result, error) {
	if err == nil && t.Images == 0 {
		err = errNoImages
	}
	if err != nil {
		return Result{}, err
	}
	n := float64(t.Images)
	return Result{Top1: float64(t.Right) / n, Loss: t.Loss / n, Images: t.Images}, nil
}

// Logits computes the network's outputs (N,Classes) for normalised images
// x (N,Image,Image,3) with running statistics.
func (n *Net) Logits(arch space.Arch, x []float32) ([]float32, error) {
	arch, err := n.pick(arch)
	if err != nil {
		return nil, err
	}
	size := n.cfg.Image * n.cfg.Image * 3
	if len(x) == 0 || len(x)%size != 0 {
		return nil, fmt.Errorf("supernet: %d values are no whole number of images of %d", len(x), size)
	}
	e, err := n.rt.eng.Measure(n.model(n.state))
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return e.Logits(n.path(arch), &data.Batch{X: x, Y: make([]int32, len(x)/size), N: len(x) / size})
}
