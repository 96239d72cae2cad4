package rundir

// Result is result.json and the object `run --json` ends with. Accuracies are
// fractions. Nothing in it depends on the clock or the machine.
type Result struct {
	Run      string         `json:"run"` // base name of the folder
	Supernet TrainSummary   `json:"supernet"`
	Search   ResultSearch   `json:"search"`
	Arch     Arch           `json:"arch"`
	Retrain  RetrainSummary `json:"retrain"`
	TestTop1 float64        `json:"test_top1"`
	// TestTop5 is null where there are five classes or fewer.
	TestTop5  *float64 `json:"test_top5"`
	TestCount int      `json:"test_images"`
	Classes   []Class  `json:"classes,omitempty"` // of the test images
	// BadSamples is how many test images were left out because they cannot be decoded.
	BadSamples int `json:"test_bad_samples,omitempty"`
}

// Class counts the images of a class.
type Class struct {
	Name   string `json:"name"`
	Images int    `json:"images"`
	Right  int    `json:"right"` // classified right
}

// ResultSearch is SearchSummary without the winner, which is Arch.
type ResultSearch struct {
	Samples      int      `json:"samples"`
	BestScore    float64  `json:"best_score"` // the winner's first score
	RandomScore  float64  `json:"random_score"`
	Algo         string   `json:"algo"`
	RecheckScore *float64 `json:"recheck_score"`
	SearchDetail
}

// Arch is an architecture: what it is called and what it costs when it is retrained.
type Arch struct {
	Hash   string `json:"hash"`
	Text   string `json:"text"`
	Params int64  `json:"params"`
	MAdds  int64  `json:"madds"`
}

// TrainSummary is the supernet's part of result.json.
type TrainSummary struct {
	Steps int     `json:"steps"`
	Loss  float64 `json:"loss"` // mean over the last lossWindow steps
	// Replaced is how often an image that cannot be decoded was replaced by another.
	Replaced int `json:"replaced,omitempty"`
}

// RetrainSummary is the final network's part of result.json.
type RetrainSummary struct {
	Epochs   float64 `json:"epochs"`
	Replaced int     `json:"replaced,omitempty"` // see TrainSummary
	// SearchTop1 is top-1 on the search split, null where the network was
	// trained on these images too (retrain.all_images).
	SearchTop1 *float64 `json:"search_top1"`
}
