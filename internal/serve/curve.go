package serve

// mostPoints is how many points a curve has at most: about one for two pixels.
const mostPoints = 400

// curve is a figure of a training against its step. It keeps means over parts of the training, which become twice as
// long whenever they are too many; so it has a bounded size, however long the training.
type curve struct {
	per   int       // steps of a part, 0 before the first
	means []float64 // of whole parts
	sum   float64   // of the part that goes on
	n     int
}

func (c *curve) add(v float64) {
	if c.per == 0 {
		c.per = 1
	}
	c.sum += v
	if c.n++; c.n < c.per {
		return
	}
	c.means, c.sum, c.n = append(c.means, c.sum/float64(c.n)), 0, 0
	if len(c.means) < mostPoints {
		return
	}
	for i := range len(c.means) / 2 {
		c.means[i] = (c.means[2*i] + c.means[2*i+1]) / 2
	}
	c.means, c.per = c.means[:len(c.means)/2], 2*c.per
}
