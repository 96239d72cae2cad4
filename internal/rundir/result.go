package rundir

import (
	"fmt"
	"strings"
)

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
	Steps int      `json:"steps"`
	Loss  *float64 `json:"loss"` // mean over the last lossWindow steps, null where metrics.jsonl was lost
	// Replaced is how often an image that cannot be decoded was replaced by another.
	Replaced int `json:"replaced,omitempty"`
}

// RetrainSummary is the final network's part of result.json.
type RetrainSummary struct {
	Epochs   float64 `json:"epochs"`             // images of all steps, divided by those there are
	Replaced int     `json:"replaced,omitempty"` // see TrainSummary
	// SearchTop1 is top-1 on the search split, null where the network was
	// trained on these images too (retrain.all_images).
	SearchTop1 *float64 `json:"search_top1"`
	// TrainedOnSearch says that it was.
	TrainedOnSearch bool `json:"trained_on_search_images,omitempty"`
	// Start is what the weights started from; null where they were drawn.
	Start *Start `json:"init,omitempty"`
	// Teacher is the file whose outputs were learnt too.
	Teacher *Teacher `json:"teacher,omitempty"`
	// Seeds is null where the architecture was trained once.
	Seeds *Seeds `json:"seeds,omitempty"`
	// Top is null where only one architecture was trained.
	Top *Top `json:"top,omitempty"`
}

// Start is retrain/init.json: what the weights of a retraining started from.
type Start struct {
	From    string `json:"from"` // name of a file, or inherited: the supernet
	SHA256  string `json:"sha256,omitempty"`
	Image   int    `json:"image,omitempty"`   // side that the file's network was trained at
	Classes int    `json:"classes,omitempty"` // that it knows
	// Drawn are the layers whose weights were random.
	Drawn []string `json:"drawn"`
	// SeenSearch says that the file's network was trained on images of the search split.
	SeenSearch bool `json:"trained_on_search_images,omitempty"`
}

// FromSupernet is what Start.From has where a network began with the supernet's weights.
const FromSupernet = "inherited"

// String is the start in words.
func (s Start) String() string {
	text := "the weights of " + s.From
	if s.From == FromSupernet {
		text = "the weights of the supernet"
	}
	if s.Classes > 0 {
		text += fmt.Sprintf(" (%d classes, %d pixels, sha256 %.12s)", s.Classes, s.Image, s.SHA256)
	}
	if len(s.Drawn) > 0 {
		text += "; drawn anew: " + strings.Join(s.Drawn, ", ")
	}
	return text
}

// Teacher is an exported file whose outputs were learnt.
type Teacher struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}
