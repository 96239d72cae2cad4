package rundir

// SeenFile is where the stage test keeps what it saw, below the run folder.
const SeenFile = "test/examples.json"

// Seen is test/examples.json: what a test saw beside the counts that a result has. It is kept because the test
// images are looked at once.
type Seen struct {
	Export string `json:"export"` // SHA-256 of the exported file that was tested
	// Confusion counts the test images: a row for each class that they are of, a column for each that they were
	// taken for. It is nil where there are more than MostConfusion classes.
	Confusion [][]int `json:"confusion,omitempty"`
	// Confused are the pairs that were taken for one another most often where there is no Confusion; at most
	// MostConfused of them, the most frequent first.
	Confused []Confused `json:"confused,omitempty"`
	// Right are the images that were classified right with the highest probability and, after these, with the
	// lowest; Wrong those that were classified wrong with the highest.
	Right []Example `json:"right"`
	Wrong []Example `json:"wrong"`
}

// Bounds of Seen, so that the file stays small.
const (
	MostConfusion = 50 // classes
	MostConfused  = 50 // pairs
	MostSide      = 48 // pixels
	MostExamples  = 12 // images right, and as many wrong
)

// Confused is how many images of a class were taken for another.
type Confused struct {
	Label  int `json:"label"`
	Guess  int `json:"guess"`
	Images int `json:"images"`
}

// Example is a test image, and what the network took it for.
type Example struct {
	Image       int     `json:"image"` // its number among the test images, from 0
	Label       int     `json:"label"`
	Guess       int     `json:"guess"`
	Probability float64 `json:"probability"` // of the guess, to four decimals
	Side        int     `json:"side"`        // pixels
	RGB         []byte  `json:"rgb"`         // (Side,Side,3)
}
