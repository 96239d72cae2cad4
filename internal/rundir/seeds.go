package rundir

import "math"

// Seeds is retrain/seeds.json: an architecture trained several times. It grows by a run when
// one is done.
type Seeds struct {
	Arch string    `json:"arch"`
	Runs []SeedRun `json:"runs"` // by ascending seed
	// Test and Search are top-1 over the runs; Search is null where the network was trained
	// on the search images.
	Test   Spread  `json:"test_top1"`
	Search *Spread `json:"search_top1"`
}

// SeedRun is one of the trainings. Its network is that after the last step.
type SeedRun struct {
	Seed    uint64   `json:"seed"`
	Weights string   `json:"weights"` // path in the run folder
	Loss    *float64 `json:"loss"`    // mean over the last lossWindow steps, null where metrics.jsonl was lost
	Tested
}

// Tested is what an exported network was evaluated to, once.
type Tested struct {
	SearchTop1 *float64 `json:"search_top1"` // null where it was trained on these images
	TestTop1   float64  `json:"test_top1"`
	TestTop5   *float64 `json:"test_top5"` // null where there are five classes or fewer
	TestImages int      `json:"test_images"`
	TestBad    int      `json:"test_bad_samples,omitempty"`
	// Classes is the accuracy by class; of several trainings only the first has it.
	Classes []Class `json:"classes,omitempty"`
	// Seen is what was seen then; only retrain/seeds.json has it here, of the first training.
	Seen *Seen `json:"seen,omitempty"`
}

// Spread is a mean with its deviation.
type Spread struct {
	Mean float64 `json:"mean"`
	// Deviation is the unbiased standard deviation, null of one value.
	Deviation *float64 `json:"deviation"`
}

// SpreadOf is the mean and the deviation of some values.
func SpreadOf(values []float64) Spread {
	n := float64(len(values))
	var s Spread
	for _, v := range values {
		s.Mean += v / n
	}
	if n < 2 {
		return s
	}
	sum := 0.0
	for _, v := range values {
		sum += (v - s.Mean) * (v - s.Mean)
	}
	d := math.Sqrt(sum / (n - 1))
	s.Deviation = &d
	return s
}

// Add appends a run and computes the spreads.
func (s *Seeds) Add(r SeedRun) {
	s.Runs = append(s.Runs, r)
	s.spread()
}

// First is s as it is of its first n runs; it has as many.
func (s Seeds) First(n int) Seeds {
	s.Runs = s.Runs[:n:n]
	s.spread()
	return s
}

func (s *Seeds) spread() {
	var test, search []float64
	for _, r := range s.Runs {
		test = append(test, r.TestTop1)
		if r.SearchTop1 != nil {
			search = append(search, *r.SearchTop1)
		}
	}
	s.Test, s.Search = SpreadOf(test), nil
	if len(search) == len(test) {
		all := SpreadOf(search)
		s.Search = &all
	}
}
