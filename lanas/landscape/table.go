package landscape

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"oneshot/lanas"
)

// Row is what a table knows of an architecture.
type Row struct {
	// Score is what a search is told, True what decides how good its findings
	// are; percent. They differ in tables of noisy scores only.
	Score, True float64
	// Params and Madds are costs: weights, and multiply-adds of an image; 0 in
	// tables without costs.
	Params, Madds float64
}

// Table is a space of architectures and their scores.
type Table struct {
	name    string
	choices *Choices
	space   lanas.Space    // choices, or the part of it within limits
	rows    map[string]Row // by code
	truth   []float64      // the True of all rows, ascending
	costs   bool
}

// AbsentError means that a search asked for an architecture that the table does
// not have.
type AbsentError struct {
	Table, Key string
	Have       int     // rows of the table
	Size       float64 // architectures of the space
}

func (e *AbsentError) Error() string {
	return fmt.Sprintf("landscape: table %s has no score for %s; it has %d of %.0f architectures", e.Table, e.Key, e.Have, e.Size)
}

// newTable takes over rows.
func newTable(name string, c *Choices, rows map[string]Row, costs bool) (*Table, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("landscape: table %s has no scores", quote(name))
	}
	t := &Table{name: name, choices: c, space: c, rows: rows, costs: costs}
	for _, r := range rows {
		t.truth = append(t.truth, r.True)
	}
	slices.Sort(t.truth)
	return t, nil
}

// Name is the table's name in messages and results.
func (t *Table) Name() string { return t.name }

// Choices is the whole space, in which codes are written.
func (t *Table) Choices() *Choices { return t.choices }

// Space is what a search may propose from: Choices, or what Within left of it.
func (t *Table) Space() lanas.Space { return t.space }

// Len is the number of architectures with a score.
func (t *Table) Len() int { return len(t.rows) }

// Max is the best true score, in percent.
func (t *Table) Max() float64 { return t.truth[len(t.truth)-1] }

// Top is the true score, in percent, from which an architecture is among the
// top 0.1 %: that of the k-th best, k being a thousandth of the table rounded
// down, and at least 1.
func (t *Table) Top() float64 { return t.truth[len(t.truth)-max(1, len(t.truth)/1000)] }

// Noisy says whether the scores differ from the truth.
func (t *Table) Noisy() bool {
	for _, r := range t.rows {
		if r.Score != r.True {
			return true
		}
	}
	return false
}

// Row returns what is known of an architecture, or an *AbsentError.
func (t *Table) Row(code []byte) (Row, error) {
	r, ok := t.rows[string(code)]
	if !ok {
		return Row{}, &AbsentError{t.name, t.choices.Key(code), len(t.rows), t.choices.Size()}
	}
	return r, nil
}

// ErrNoCosts means that a limit was asked of a table without costs.
var ErrNoCosts = errors.New("the table has no params and flops to limit")

// Within returns the part of a table whose architectures have at most so many
// weights and multiply-adds; 0 is no limit. Its best and its top are those of
// this part. Only a table with the costs of the whole space can be limited; when
// nothing is within the limits the error is a *lanas.LimitError.
func (t *Table) Within(params, madds float64) (*Table, error) {
	var limits []lanas.Limit
	cost := func(name string, most float64, of func(Row) float64) {
		if most != 0 {
			limits = append(limits, lanas.Limit{Name: name, Max: most, Cost: func(code []byte) float64 { return of(t.rows[string(code)]) }})
		}
	}
	cost("params", params, func(r Row) float64 { return r.Params })
	cost("flops", madds, func(r Row) float64 { return r.Madds })
	switch {
	case len(limits) == 0:
		return t, nil
	case !t.costs:
		return nil, fmt.Errorf("landscape: table %s: %w", quote(t.name), ErrNoCosts)
	case float64(len(t.rows)) != t.choices.Size():
		return nil, fmt.Errorf("landscape: table %s has %d of %.0f architectures; limits need all", quote(t.name), len(t.rows), t.choices.Size())
	}
	s, err := lanas.WithLimits(t.choices, limits...)
	if err != nil {
		return nil, fmt.Errorf("landscape: table %s: %w", quote(t.name), err)
	}
	rows := map[string]Row{}
	for code, r := range t.rows {
		if !slices.ContainsFunc(limits, func(l lanas.Limit) bool { return l.Cost([]byte(code)) > l.Max }) {
			rows[code] = r
		}
	}
	part, err := newTable(t.name, t.choices, rows, true)
	if err != nil {
		return nil, err
	}
	part.space = s
	return part, nil
}

// checkScore wants a score in percent.
func checkScore(v float64) error {
	if !(v >= 0 && v <= 100) || math.IsInf(v, 0) {
		return fmt.Errorf("score %v, want percent in 0..100", v)
	}
	return nil
}
