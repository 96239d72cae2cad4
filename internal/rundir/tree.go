package rundir

// Tree is search/tree.json: the regions at the end of the search, parents
// before children.
type Tree struct {
	Schema  int      `json:"schema"`
	Algo    string   `json:"algo"`
	Samples int      `json:"samples"`
	Regions []Region `json:"regions"` // empty where the algorithm has no tree
}

// TreeSchema is the version of the form.
const TreeSchema = 1

// Region is lanas.Region with words; null stands for what is not finite.
type Region struct {
	ID        int      `json:"id"`
	Parent    int      `json:"parent"` // -1 for the root
	Depth     int      `json:"depth"`
	Good      bool     `json:"good"` // the better side of its parent's split
	Leaf      bool     `json:"leaf"`
	Threshold float64  `json:"threshold"` // predicted score that splits it
	Samples   int      `json:"samples"`
	Visits    int      `json:"visits"`
	Mean      *float64 `json:"mean"`
	Best      *float64 `json:"best"`
	UCB       *float64 `json:"ucb"`
	Share     float64  `json:"share"` // of the space, 0..1; 0 = not estimated
	Terms     []Term   `json:"terms"`
	Rule      []string `json:"rule"` // what holds inside, one line for each split above
}

// Term is a part of the model that splits a region.
type Term struct {
	Feature int     `json:"feature"`
	Words   string  `json:"words"`
	Weight  float64 `json:"weight"` // in units of the score
}

// TreeSummary is a tree in a few figures.
type TreeSummary struct {
	Regions int    `json:"regions"`
	Leaves  int    `json:"leaves"`
	Depth   int    `json:"depth"`
	Best    Region `json:"best_leaf"`
}
