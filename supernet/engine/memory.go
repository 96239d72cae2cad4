package engine

// Sizes are what of a network decides how much memory it takes.
type Sizes struct {
	Params, State int // values
	Image         int // values of an image (Side,Side,3)
	Classes       int
	Widest        int // as in Model
}

// ScoreSizes say how many images a score is taken with.
type ScoreSizes struct {
	Recal, RecalBatch int // re-estimate the statistics, in batches of so many
	Search            int // are classified
	// SearchBatch, above 0, has these normalised by the statistics of each batch of so many;
	// nothing is re-estimated then.
	SearchBatch int
}

// Memory is about how many bytes of its own memory a device takes. It is 0 where the
// processor computes, which has the memory of the process.
type Memory struct {
	Weights int64 // values, gradients and their sums, optimizer, averages
	Input   int64 // images and labels as the network takes them, masks, recipes
	Pixels  int64 // images of a data set that batches are made of
	Arena   int64 // activations and their gradients
	Tables  int64 // arguments of the kernels of the plans under way
}

// Total is the sum.
func (m Memory) Total() int64 { return m.Weights + m.Input + m.Pixels + m.Arena + m.Tables }

// After is what m takes on an engine that has done something else before: the pixels, the
// arena and the room for tables of that stay until the engine is closed.
func (m Memory) After(before Memory) Memory {
	m.Pixels = max(m.Pixels, before.Pixels)
	m.Arena = max(m.Arena, before.Arena)
	m.Tables = max(m.Tables, before.Tables)
	return m
}
