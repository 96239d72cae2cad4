package landscape

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"oneshot/internal/rng"
)

// family makes the score function of a landscape from a random stream. A score
// function gives the raw score of an architecture (a candidate for each block),
// higher being better.
type family struct {
	name, about string
	sizes       []int
	make        func(r *rand.Rand, sizes []int) func(arch []int) float64
	scale       scale
	// noise is the standard deviation of Score - True, in percent points. One
	// point on top of macro makes Kendall's tau of score and truth 0.66, about
	// what supernets reach.
	noise float64
}

// scale turns raw scores into percent: the best architecture gets best, and the
// standard deviation over the space becomes spread; what falls below 10, the
// chance level of 10 classes, is 10. A zero spread leaves scores as they are.
type scale struct{ best, spread float64 }

var (
	edges6x5  = []int{5, 5, 5, 5, 5, 5}       // 15625 architectures
	layers8x3 = []int{3, 3, 3, 3, 3, 3, 3, 3} // 6561
)

var families = []family{
	{"additive", "every candidate has its own effect", edges6x5, additive, scale{94, 2}, 0},
	{"nk", "a block's effect depends on two others", layers8x3, nk, scale{94, 1.5}, 0},
	{"deceptive", "slopes that lead away from narrow optima", edges6x5, deceptive, scale{94, 1.5}, 0},
	{"macro", "layers with diminishing returns and interacting neighbours", layers8x3, macroLike, scale{}, 0},
	{"noisy", "macro, seen through the noise of a supernet", layers8x3, macroLike, scale{}, 1},
	{"cell", "a cell of 4 nodes and 6 edges; cut edges, equal twins", edges6x5, cell, scale{}, 0},
}

// Families are the names that Generate knows.
func Families() []string {
	var names []string
	for _, f := range families {
		names = append(names, f.name)
	}
	return names
}

// About describes a family in a few words; "" when there is none of that name.
func About(name string) string {
	for _, f := range families {
		if f.name == name {
			return f.about
		}
	}
	return ""
}

// steps rounds scores to 1/steps percent: processors differ in the last bits of
// exponentials, and architectures that compute the same must tie.
const steps = 1e4

// Generate returns the complete table of a family and a seed, with the name
// "family:seed". Its scores are between 10 and 100 percent.
func Generate(name string, seed uint64) (*Table, error) {
	i := slices.IndexFunc(families, func(f family) bool { return f.name == name })
	if i < 0 {
		return nil, fmt.Errorf("landscape: no family %s", quote(name))
	}
	f := families[i]
	c, err := NewChoices(f.sizes)
	if err != nil {
		return nil, err
	}
	score := f.make(rng.New(seed, "landscape "+name), f.sizes)
	var keys []string
	var raw []float64
	c.each(func(arch []int) {
		code, _ := c.Code(arch) // each lists the space
		keys = append(keys, string(code))
		raw = append(raw, score(arch))
	})
	f.scale.apply(raw)
	noise := rng.New(seed, "landscape noise")
	rows := make(map[string]Row, len(keys))
	for i, key := range keys {
		row := Row{Score: raw[i], True: raw[i]}
		if f.noise > 0 {
			row.Score = percent(raw[i] + f.noise*noise.NormFloat64())
		}
		rows[key] = row
	}
	return newTable(fmt.Sprintf("%s:%d", name, seed), c, rows, false)
}

// apply works in place.
func (s scale) apply(raw []float64) {
	a, b := 1.0, 0.0 // percent = a*raw + b
	if s.spread > 0 {
		best, m := slices.Max(raw), mean(raw)
		var sq float64
		for _, v := range raw {
			sq += float64((v - m) * (v - m))
		}
		a = s.spread / math.Sqrt(sq/float64(len(raw)))
		b = s.best - float64(a*best)
	}
	for i, v := range raw {
		raw[i] = percent(float64(a*v) + b)
	}
}

// percent rounds a score and keeps it between chance and everything right.
func percent(v float64) float64 { return math.Round(min(100, max(chance, v))*steps) / steps }

// chance is the accuracy in percent of guessing among 10 classes.
const chance = 10
