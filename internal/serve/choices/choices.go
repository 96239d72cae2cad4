// Package choices tells what the samples of a search say of single choices: which operation stands on each edge of
// a network, how much of the variance of the scores goes with each edge, and a drawing of all of them in parallel
// coordinates.
//
// Contract: everything is a function of its arguments. Samples without a score count for nothing, but are drawn.
package choices

import (
	"slices"
	"strings"
)

// Sample is a scored architecture: its 0/1 code and its score.
type Sample struct {
	Name   string
	Code   []byte
	Score  float64
	Failed string // why there is no score
}

// Choice is a place of a network where something is chosen, with what each sample has there.
type Choice struct {
	Name   string   // such as "normal node 1, input 0"
	Values []string // what was chosen by any sample, in the order of the code; "none" first where some have nothing there
	At     []int    // of each sample, an index of Values
}

// none is the value of a place where a sample has nothing.
const none = "none"

// Of lists the choices of a space of codes with dim entries. feature says in words what an entry stands for, as
// space.Space.Feature does. Choices of which all samples have made the same are left out: nothing can be said of them.
func Of(samples []Sample, dim int, feature func(int) string) []Choice {
	type place struct {
		name    string
		entries []int
		words   []string
	}
	var places []place
	known := map[string]int{}
	for i := range dim {
		where, what := split(feature(i))
		at, ok := known[where]
		if !ok {
			at = len(places)
			known[where] = at
			places = append(places, place{name: where})
		}
		places[at].entries, places[at].words = append(places[at].entries, i), append(places[at].words, what)
	}
	var out []Choice
	for _, p := range places {
		c := Choice{Name: p.name, Values: []string{none}}
		rank := map[string]uint64{none: 0} // in the order of the code
		for _, s := range samples {
			var on []string
			var bits uint64
			for k, i := range p.entries {
				if i < len(s.Code) && s.Code[i] != 0 {
					on = append(on, p.words[k])
					bits |= 1 << min(k, 63)
				}
			}
			value := none
			if len(on) > 0 {
				value = strings.Join(on, " + ")
			}
			if _, ok := rank[value]; !ok {
				rank[value] = bits
				c.Values = append(c.Values, value)
			}
			c.At = append(c.At, slices.Index(c.Values, value))
		}
		if out = append(out, c.ordered(rank)); len(out[len(out)-1].Values) < 2 {
			out = out[:len(out)-1]
		}
	}
	return out
}

// ordered sorts the values by rank, and leaves out "none" where no sample has it.
func (c Choice) ordered(rank map[string]uint64) Choice {
	out := Choice{Name: c.Name}
	for i, v := range c.Values {
		if i > 0 || slices.Contains(c.At, 0) {
			out.Values = append(out.Values, v)
		}
	}
	slices.SortStableFunc(out.Values, func(a, b string) int {
		switch x, y := rank[a], rank[b]; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	for _, at := range c.At {
		out.At = append(out.At, slices.Index(out.Values, c.Values[at]))
	}
	return out
}

// split takes the words of an entry apart: "normal node 1: max_pool of input 0" is "max_pool" at "normal node 1, input 0".
// Words without these parts are a place of their own, where something is or is not.
func split(words string) (where, what string) {
	where, what, ok := strings.Cut(words, ": ")
	if !ok {
		return words, "chosen"
	}
	if op, from, ok := strings.Cut(what, " of "); ok {
		return where + ", " + from, op
	}
	return where, what
}
