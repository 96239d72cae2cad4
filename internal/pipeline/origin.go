package pipeline

import "fmt"

// Weights that can be exported: what the recipe of the retraining ends with, which is averaged weights where
// retrain.ema is above 0; what a subnetwork inherits from the supernet; averaged weights; those of the last step.
const (
	Retrained = "retrained"
	Inherited = "inherited"
	Averaged  = "ema"
	Raw       = "raw"
)

// WeightNames are the values of --weights of export.
func WeightNames() []string { return []string{Retrained, Inherited, Averaged, Raw} }

// Origin says where the weights of an exported file are from, where they are not what the recipe of a
// retraining ends with.
type Origin struct {
	Kind string `json:"kind"` // Inherited or Raw
	// Step of Steps of the training that they are from: the supernet's, or the retraining.
	Step  int `json:"step"`
	Steps int `json:"steps"`
	// Of inherited ones: the training images of the statistics, and the accuracy with them on search images, which is the score
	// where score.by is accuracy.
	RecalImages int      `json:"recal_images,omitempty"`
	Score       *float64 `json:"score,omitempty"`
	Images      int      `json:"images,omitempty"`
}

// String says it in a line.
func (o Origin) String() string {
	if o.Kind == Raw {
		return fmt.Sprintf("raw: of the last of %d steps, and not the averaged weights that the recipe ends with", o.Steps)
	}
	var score float64
	if o.Score != nil {
		score = *o.Score
	}
	return fmt.Sprintf("inherited from a supernet at step %d of %d, not trained by itself: what it scores (%.2f %% on %d search images) is no final accuracy",
		o.Step, o.Steps, 100*score, o.Images)
}

// OriginOf is what the metadata of a safetensors file says of its weights; nil is nothing.
func OriginOf(meta map[string]string) *Origin {
	a, err := parseAbout(meta[aboutKey])
	if err != nil {
		return nil
	}
	return a.Weights
}
