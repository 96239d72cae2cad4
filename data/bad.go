package data

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"

	"oneshot/data/decode"
	"oneshot/data/source"
)

// BadSampleError says that a record cannot be used, or that more cannot be used than
// Config.OnBadSample tolerates.
type BadSampleError struct {
	Last  *source.Fault // that was found
	Found int
	Limit int
}

func (e *BadSampleError) Error() string {
	if e.Limit == 0 {
		return e.Last.Error()
	}
	return fmt.Sprintf("data: %d records cannot be used, on_bad_sample tolerates %d; the last one: %v", e.Found, e.Limit, e.Last)
}

func (e *BadSampleError) Unwrap() error { return e.Last }

// badSamples remembers the records that cannot be used.
type badSamples struct {
	limit int
	mu    sync.Mutex
	found map[ref]*source.Fault
}

func newBadSamples(limit int) *badSamples {
	return &badSamples{limit: limit, found: map[ref]*source.Fault{}}
}

// has tells whether a record was found bad.
func (b *badSamples) has(r ref) bool {
	if b.limit == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.found[r] != nil
}

// add takes note of a bad record. The error says that there are too many.
func (b *badSamples) add(r ref, f *source.Fault) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.found[r] = f
	if len(b.found) > b.limit {
		return &BadSampleError{Last: f, Found: len(b.found), Limit: b.limit}
	}
	return nil
}

func (b *badSamples) list() []*source.Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	refs := make([]ref, 0, len(b.found))
	for r := range b.found {
		refs = append(refs, r)
	}
	slices.SortFunc(refs, func(a, b ref) int { return cmp.Or(cmp.Compare(a.split, b.split), cmp.Compare(a.record, b.record)) })
	out := make([]*source.Fault, len(refs))
	for i, r := range refs {
		out[i] = b.found[r]
	}
	return out
}

// asFault returns what is wrong with a record, nil where the error is none of the record:
// a disk that fails.
func asFault(err error, at source.Place) *source.Fault {
	var f *source.Fault
	if errors.As(err, &f) {
		return f
	}
	var d *decode.Error
	if errors.As(err, &d) {
		at.Offset += d.Offset
		return &source.Fault{Place: at, Msg: d.Msg, Err: d.Err}
	}
	return nil
}
