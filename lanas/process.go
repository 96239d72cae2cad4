package lanas

import "math"

// shape says how similar the scores of two codes are expected to be, by the
// Hamming distance d of the codes:
//
//	k(d) = (1-linear) exp(-d/(length mean)) + linear (dim-d)/mean
//
// where mean is the mean distance of two random samples. The second part is the
// kernel of a linear model of the entries. Noise is the variance of a score
// that is asked for twice. All in units of the scores' variance.
type shape struct {
	length, linear, noise float64
}

// table tabulates k over the distances 0..dim.
func (s shape) table(dim int, mean float64) []float64 {
	k := make([]float64, dim+1)
	for d := range k {
		k[d] = (1-s.linear)*math.Exp(-float64(d)/(s.length*mean)) + float64(s.linear*(float64(dim-d)/mean))
	}
	return k
}

// process is a Gaussian process with an unknown constant mean and an unknown
// variance (Rasmussen and Williams, Gaussian Processes for Machine Learning,
// algorithm 2.1 and section 2.7). Samples are appended a row of the Cholesky
// factor at a time, so that the factor does not depend on when they come.
type process struct {
	k     []float64 // by distance
	noise float64
	codes []packed
	rows  [][]float64 // of the factor L of K + noise
	ones  []float64   // L^-1 1

	// What depends on the scores; see observe.
	weights  []float64 // (K + noise)^-1 (y - mean)
	norm     float64   // |ones|^2; of the same sum whenever the codes came
	mean     float64
	variance float64
}

func newProcess(s shape, dim int, mean float64) *process {
	return &process{k: s.table(dim, mean), noise: s.noise}
}

func (p *process) len() int { return len(p.codes) }

// add appends a code; false when rounding leaves the factor without a root.
func (p *process) add(x packed) bool {
	n := len(p.codes)
	row := make([]float64, n+1)
	for j, y := range p.codes {
		row[j] = (p.k[hamming(x, y)] - dot(row[:j], p.rows[j][:j])) / p.rows[j][j]
	}
	d := p.k[0] + p.noise - dot(row[:n], row[:n])
	if !(d > 0) {
		return false
	}
	row[n] = math.Sqrt(d)
	one := (1 - dot(row[:n], p.ones)) / row[n]
	p.codes, p.rows, p.ones = append(p.codes, x), append(p.rows, row), append(p.ones, one)
	return true
}

// truncate forgets all but the first n codes.
func (p *process) truncate(n int) {
	p.codes, p.rows, p.ones = p.codes[:n], p.rows[:n], p.ones[:n]
}

// forward replaces b (n) by L^-1 b.
func (p *process) forward(b []float64) {
	for i, row := range p.rows[:len(b)] {
		b[i] = (b[i] - dot(row[:i], b[:i])) / row[i]
	}
}

// observe takes the scores y (n) of the codes and returns the logarithm of their
// likelihood without its constants, at the most likely mean and variance.
func (p *process) observe(y []float64) float64 {
	n := len(y)
	b := append(p.weights[:0], y...)
	p.forward(b)
	p.norm = dot(p.ones, p.ones)
	p.mean = dot(p.ones, b) / p.norm
	var log float64
	for i := range b {
		b[i] -= float64(p.mean * p.ones[i])
		log += math.Log(p.rows[i][i])
	}
	p.variance = max(dot(b, b)/float64(n), 1e-12)
	for i := n - 1; i >= 0; i-- {
		b[i] /= p.rows[i][i]
		row := p.rows[i]
		for j := range i {
			b[j] -= float64(row[j] * b[i])
		}
	}
	p.weights = b
	return -0.5*float64(n)*math.Log(p.variance) - log
}

// at is the posterior mean at the i-th of the codes, whose score was y.
func (p *process) at(i int, y float64) float64 { return y - float64(p.noise*p.weights[i]) }

// expect is the posterior mean at x. It leaves the covariances with the samples
// in cov (n), for deviation, and returns the largest of them.
func (p *process) expect(x packed, cov []float64) (mean, nearest float64) {
	least := len(p.k) - 1
	for i, y := range p.codes[:len(cov)] {
		d := hamming(x, y)
		least = min(least, d)
		cov[i] = p.k[d]
	}
	nearest = p.k[least]
	return p.mean + dot(cov, p.weights[:len(cov)]), nearest
}

// deviation is the posterior standard deviation of the truth where the
// covariances with the samples are cov, which it overwrites.
func (p *process) deviation(cov []float64) float64 {
	p.forward(cov)
	u := 1 - dot(cov, p.ones)
	v := p.k[0] - dot(cov, cov) + u*u/p.norm
	return math.Sqrt(max(v, 1e-9) * p.variance)
}

// bound is no less than deviation, from the nearest sample alone, where |u| of
// the latter is at most 1. That holds save for codes unlike any sample.
func (p *process) bound(nearest float64) float64 {
	v := p.k[0] - nearest*nearest/(p.k[0]+p.noise)
	return math.Sqrt(max(v, 1e-9)*p.variance) + math.Sqrt(p.variance/p.norm)
}
