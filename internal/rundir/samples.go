package rundir

import "math"

// NoLoss is the loss of a score that failed: worse than any, and none that a network can have.
const NoLoss = math.MaxFloat64

// Sample is a line of search/samples.jsonl and of search/baseline-*.jsonl: a
// subnetwork and its score. The file is all a search remembers; the tree is a
// function of it and the seed. It has no times: see Time.
type Sample struct {
	Index int     `json:"index"` // from 0
	Arch  string  `json:"arch"`
	Hash  string  `json:"hash"`
	Score float64 `json:"score"` // by score.by, on score.images of the search split
	// Top1 is the accuracy, where the score is something else.
	Top1   *float64 `json:"top1,omitempty"`
	Loss   float64  `json:"loss"`
	Images int      `json:"images"`
	// Params and MAdds are those of the network that would be retrained.
	Params int64  `json:"params"`
	MAdds  int64  `json:"madds"`
	Source string `json:"source"` // how it was found: warm-up, or the algorithm's word
	Seed   uint64 `json:"seed"`
	// Failed says why there is no score: the first value that is no number. Score is 0 then, which
	// no score is below, and Loss is NoLoss.
	Failed string `json:"failed,omitempty"`
}

// Recheck is a line of search/rechecks.jsonl: the second score of one of the
// best samples.
type Recheck struct {
	Index       int      `json:"index"` // rank by the first score, from 0
	Arch        string   `json:"arch"`
	Hash        string   `json:"hash"`
	Score       float64  `json:"score"`          // by score.by, on the whole search split
	Top1        *float64 `json:"top1,omitempty"` // see Sample
	Loss        float64  `json:"loss"`
	Images      int      `json:"images"`
	RecalImages int      `json:"recal_images"`
	Seed        uint64   `json:"seed"`
	Failed      string   `json:"failed,omitempty"` // see Sample
}

// Time is a line of search/times.jsonl: what a sample took, proposal and
// writing included. Times are kept apart from the samples so that those are
// equal, byte for byte, after a resume.
type Time struct {
	Sample  int     `json:"sample"` // index in samples.jsonl
	Seconds float64 `json:"seconds"`
}
