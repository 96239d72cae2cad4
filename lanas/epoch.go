package lanas

// epoch is what was learnt at one moment and holds until the next: the belief,
// the scale and the tree. The samples told since then are routed into it.
type epoch struct {
	belief
	scale
	*tree
	n      int // learnt from the first n samples
	dim    int
	values []float64 // of all samples told so far, on the scale
	expert *expert   // nil until it is asked
}

// period is the number of samples that an epoch lasts which begins at n. Trees
// from many samples change slowly and cost more.
func (c Config) period(n int) int {
	if !c.Model {
		return max(c.SelectPerTree, n/256)
	}
	return max(c.SelectPerTree, min(n/8, 64), n/32)
}

// beliefPeriod is the same for the belief: a sixth more samples.
func beliefPeriod(n int) int { return max(5, n/6) }

// last is the greatest member of the sequence from, from+step(from), ... that is
// at most n.
func last(from, n int, step func(int) int) int {
	for {
		next := from + step(from)
		if next > n {
			return from
		}
		from = next
	}
}
