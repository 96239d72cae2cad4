package landscape

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oneshot/lanas"
)

// Rules are what all searches of a race have in common.
type Rules struct {
	// Budget is the number of samples; 1 or more.
	Budget int
	// Batch is how many architectures are asked for before their scores are told;
	// 1 or more.
	Batch int
}

// Check reports the first rule out of range.
func (r Rules) Check() error {
	switch {
	case r.Budget < 1:
		return fmt.Errorf("landscape: budget is %d, want 1 or more", r.Budget)
	case r.Batch < 1:
		return fmt.Errorf("landscape: batch is %d, want 1 or more", r.Batch)
	}
	return nil
}

// Trace is what one search found, in the order of its samples; percent. It is
// shorter than the budget only where the space was used up.
type Trace struct {
	Seen, True []float64     // what the search was told, and the truth
	AskTell    time.Duration // spent in the search, all samples together
}

// Race runs a search on the table. now tells the time since any moment; nil
// leaves AskTell 0. An architecture that the table does not have ends the race with
// an *AbsentError, a cancelled ctx with its cause.
func (t *Table) Race(ctx context.Context, s lanas.Search, rules Rules, now func() time.Duration) (Trace, error) {
	if err := rules.Check(); err != nil {
		return Trace{}, err
	}
	if now == nil {
		now = func() time.Duration { return 0 }
	}
	var tr Trace
	for ended := false; !ended && len(tr.Seen) < rules.Budget; {
		if ctx.Err() != nil {
			return tr, context.Cause(ctx)
		}
		start := now()
		codes, err := lanas.AskBatch(s, min(rules.Batch, rules.Budget-len(tr.Seen)))
		tr.AskTell += now() - start
		if ended = errors.Is(err, lanas.ErrExhausted); err != nil && !ended {
			return tr, err
		}
		rows := make([]Row, len(codes))
		for i, code := range codes {
			if rows[i], err = t.Row(code); err != nil {
				return tr, err
			}
		}
		start = now()
		for i, code := range codes {
			if err := s.Tell(code, rows[i].Score/100); err != nil {
				return tr, err
			}
		}
		tr.AskTell += now() - start
		for _, row := range rows {
			tr.Seen, tr.True = append(tr.Seen, row.Score), append(tr.True, row.True)
		}
	}
	return tr, nil
}

// incumbents are, for each of n samples, the true score of the sample that
// looked best so far, the earliest among equals: what the user of a search that
// stopped there would get. After the last sample they stay what they are.
func (tr Trace) incumbents(n int) []float64 {
	out := make([]float64, n)
	best := 0
	for i := range out {
		if i < len(tr.Seen) && tr.Seen[i] > tr.Seen[best] {
			best = i
		}
		out[i] = tr.True[best]
	}
	return out
}

// firstAtLeast is the 1-based index of the first sample whose true score is at
// least v, or budget+1.
func (tr Trace) firstAtLeast(v float64, budget int) float64 {
	for i, x := range tr.True {
		if x >= v {
			return float64(i + 1)
		}
	}
	return float64(budget + 1)
}
