package rundir

import "oneshot/internal/rank"

// Ranking is rank/rank.json: how well scores with inherited weights order networks whose truth is known. `rank --json`
// prints it without its points.
type Ranking struct {
	rank.Stats
	Resamples int        `json:"resamples"` // draws behind each interval
	Failed    int        `json:"failed"`    // networks without a score, which count as the worst
	Truths    RankTruths `json:"truths"`
	// Warnings say where a score is not shown to know more than a count of multiply-adds.
	Warnings []string    `json:"warnings"`
	Points   []RankPoint `json:"points,omitempty"` // sorted by hash
}

// RankTruths says where the truths are from.
type RankTruths struct {
	From string `json:"from"` // FromTable or FromRetraining
	// Of a table: the name of the file, its checksum, its texts, and how many networks these are.
	File     string `json:"file,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
	Texts    int    `json:"texts,omitempty"`
	Networks int    `json:"networks,omitempty"`
	LeftOut  int    `json:"left_out,omitempty"` // texts of networks that are no path of the supernet, which cannot be scored
	Percent  bool   `json:"percent"`            // the file has percent, and not fractions
	// Costs is CostsOfTable or CostsCounted.
	Costs string `json:"costs"`
	// Sample is how many of the networks were drawn with SampleSeed, 0 where all count. Retrained ones are always drawn,
	// unless a file named them.
	Sample     int    `json:"sample"`
	SampleSeed uint64 `json:"sample_seed"`
	// Of networks that were retrained: how long, from which seed, how many times with seeds that count up from it, and on how
	// many images each was classified. Seeds is 0 where that is once.
	Steps  int    `json:"steps,omitempty"`
	Seeds  int    `json:"seeds,omitempty"`
	Seed   uint64 `json:"seed,omitempty"`
	Images int    `json:"images,omitempty"`
}

// What RankTruths.From and Costs say.
const (
	FromTable      = "table"
	FromRetraining = "retrained"
	CostsOfTable   = "table"
	CostsCounted   = "counted"
)

// RankPoint is a network with its score and its truth, both fractions.
type RankPoint struct {
	Hash   string  `json:"hash"`
	Arch   string  `json:"arch"`
	Score  float64 `json:"score"`
	Truth  float64 `json:"truth"`
	Params int64   `json:"params"`
	MAdds  int64   `json:"madds"`
	Failed string  `json:"failed,omitempty"` // see Sample
}

// RankScore is a line of rank/scores.jsonl: a network and its first score.
type RankScore struct {
	Arch   string   `json:"arch"`
	Hash   string   `json:"hash"`
	Score  float64  `json:"score"`
	Top1   *float64 `json:"top1,omitempty"` // see Sample
	Loss   float64  `json:"loss"`
	Images int      `json:"images"`
	Seed   uint64   `json:"seed"`
	Failed string   `json:"failed,omitempty"` // see Sample
}

// RankTruth is a line of rank/retrain/truths.jsonl: a network that was retrained, and its accuracy on the search images.
type RankTruth struct {
	Arch   string  `json:"arch"`
	Hash   string  `json:"hash"`
	Top1   float64 `json:"top1"`
	Images int     `json:"images"`
	Seed   uint64  `json:"seed"`
}
