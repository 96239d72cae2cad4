package rundir

// Result is result.json and the object `run --json` ends with. Accuracies are
// fractions. Nothing in it depends on the clock or the machine.
type Result struct {
	Run       string         `json:"run"` // base name of the folder
	Supernet  TrainSummary   `json:"supernet"`
	Search    ResultSearch   `json:"search"`
	Arch      Arch           `json:"arch"`
	Retrain   RetrainSummary `json:"retrain"`
	TestTop1  float64        `json:"test_top1"`
	TestCount int            `json:"test_images"`
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
}

// RetrainSummary is the final network's part of result.json.
type RetrainSummary struct {
	Epochs float64 `json:"epochs"`
	// SearchTop1 is top-1 on the search split, null where the network was
	// trained on these images too (retrain.all_images).
	SearchTop1 *float64 `json:"search_top1"`
}
