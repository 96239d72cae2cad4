package rundir

// Top is retrain/top.json: the best architectures of a search, each retrained. It sums up what the search and the
// trainings have left, and is never gone on from.
type Top struct {
	Seeds int `json:"seeds"` // trainings of each
	// Score is which score Archs have: second (on all search images) where each has one, else first.
	Score string    `json:"score"`
	Archs []TopArch `json:"archs"` // as the search ranks them; the first is the one that it has found, and is exported
	// Test and Search compare the score with the accuracy after retraining, on the test and on the search images. Null
	// below three architectures, Search also where the networks were trained on the search images.
	Test   *Kendall `json:"test_kendall"`
	Search *Kendall `json:"search_kendall"`
	// Looks is how often the test images were classified: once by each network, after its last step. Nothing was
	// chosen by what came out.
	Looks int `json:"test_looks"`
}

// TopArch is one of them.
type TopArch struct {
	Arch
	Score float64 `json:"score"` // with weights inherited from the supernet
	// Test and Search are top-1 over its trainings; Search is null where it was trained on the search images.
	Test    Spread  `json:"test_top1"`
	Search  *Spread `json:"search_top1"`
	Weights string  `json:"weights"` // of its first training: a path in the run folder
}

// The two scores that Top.Score names.
const (
	FirstScore  = "first"
	SecondScore = "second"
)

// LeastRanked is how many architectures have an order that says something.
const LeastRanked = 3

// Compare computes what Test, Search and Looks are of Archs.
func (t *Top) Compare() {
	t.Test, t.Search, t.Looks = nil, nil, len(t.Archs)*t.Seeds
	if len(t.Archs) < LeastRanked {
		return
	}
	var score, test, search []float64
	for _, a := range t.Archs {
		score, test = append(score, a.Score), append(test, a.Test.Mean)
		if a.Search != nil {
			search = append(search, a.Search.Mean)
		}
	}
	k := KendallOf(score, test)
	t.Test = &k
	if len(search) == len(score) {
		k := KendallOf(score, search)
		t.Search = &k
	}
}
