package rundir

// SearchSummary is search/best.json and what `search --json` prints. Scores are
// fractions; unless they say otherwise they are first scores, all on the same
// images. Nothing in it depends on the clock, unless search.time ended the search.
type SearchSummary struct {
	Algo string `json:"algo"`
	// Arch is the winner: the best second score, or the best first one where
	// search.top is 0.
	Arch         string   `json:"arch"`
	Hash         string   `json:"hash"`
	Score        float64  `json:"score"`
	RecheckScore *float64 `json:"recheck_score"` // null where search.top is 0
	Params       int64    `json:"params"`
	MAdds        int64    `json:"madds"`
	// RandomScore is the mean score of the uniformly random subnetworks scored
	// first, on the same images: what picking one blindly would have given.
	RandomScore float64 `json:"random_score"`
	Random      int     `json:"random_samples"`
	Samples     int     `json:"samples"`
	// HighestScore is the highest first score, LastThirdMean the mean of the last
	// third of them: these are what baselines are compared with.
	HighestScore  float64 `json:"highest_score"`
	LastThirdMean float64 `json:"last_third_mean"`
	Exhausted     bool    `json:"exhausted"` // the whole space is scored
	TimedOut      bool    `json:"timed_out"` // search.time ended it
	SearchDetail
}

// SearchDetail is the part of a search's report that result.json has too.
type SearchDetail struct {
	ScoreBy   string        `json:"score_by,omitempty"` // "loss" where scores are by it, see score.by; else accuracy
	Top       []TopEntry    `json:"top"`                // from the winner
	Pareto    []ParetoEntry `json:"pareto"`             // from the fewest multiply-adds
	Tree      *TreeSummary  `json:"tree"`               // null where the algorithm has none
	Baselines []Baseline    `json:"baselines"`          // in the order asked for
	// Failed are the samples that have no score, as their numbers are none; they count as 0 in
	// means. FailedRechecks are such of the best by their second score.
	Failed         int `json:"failed,omitempty"`
	FailedRechecks int `json:"failed_rechecks,omitempty"`
}

// TopEntry is one of the best samples.
type TopEntry struct {
	Rank         int      `json:"rank"` // from 1, by the second score
	Sample       int      `json:"sample"`
	Arch         string   `json:"arch"`
	Hash         string   `json:"hash"`
	Score        float64  `json:"score"`
	RecheckScore *float64 `json:"recheck_score"`
	Params       int64    `json:"params"`
	MAdds        int64    `json:"madds"`
	Failed       string   `json:"failed,omitempty"` // why the second score is none; it is 0 then
}

// ParetoEntry is a sample that no other beats in score at as few multiply-adds.
type ParetoEntry struct {
	Sample int     `json:"sample"`
	Arch   string  `json:"arch"`
	Hash   string  `json:"hash"`
	Score  float64 `json:"score"`
	Params int64   `json:"params"`
	MAdds  int64   `json:"madds"`
}

// Baseline is what another algorithm found on the same supernet with the
// same number of samples. Its first search.init samples are those of the search.
type Baseline struct {
	Algo          string  `json:"algo"`
	Samples       int     `json:"samples"`
	Reused        int     `json:"reused"` // scores known from the search, or from a baseline before
	Arch          string  `json:"arch"`
	Hash          string  `json:"hash"`
	BestScore     float64 `json:"best_score"`
	LastThirdMean float64 `json:"last_third_mean"`
	Params        int64   `json:"params"`
	MAdds         int64   `json:"madds"`
	Failed        int     `json:"failed,omitempty"` // samples without a score
}
