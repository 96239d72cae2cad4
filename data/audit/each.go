package audit

import (
	"context"
	"runtime"
	"slices"
	"sort"
	"sync"
	"sync/atomic"

	"oneshot/data"
)

// numbering gives every record of every split a number, in the order of the files.
type numbering []int // the first number of each split, and the number of all

func number(f *data.Files) numbering {
	n := numbering{0}
	for _, s := range f.Info.Splits {
		n = append(n, n[len(n)-1]+len(s.Labels))
	}
	return n
}

func (n numbering) all() int { return n[len(n)-1] }

// at finds a record by its number.
func (n numbering) at(i int) (split, record int) {
	split = sort.Search(len(n)-1, func(s int) bool { return n[s+1] > i })
	return split, i - n[split]
}

// workers is how many goroutines read n records.
func (o Options) workers(n int) int {
	w := o.Workers
	if w == 0 {
		w = runtime.GOMAXPROCS(0)
	}
	return max(1, min(w, n))
}

// each calls do for k = 0 to n-1, with the reader of the worker w that does. It ends early
// with ctx, and with an error of do.
func each(ctx context.Context, f *data.Files, o Options, n int, do func(w int, r *data.FileReader, k int) error) error {
	errs := make([]error, o.workers(n))
	var next, done atomic.Int64
	var stop atomic.Bool
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			r := f.Reader()
			defer r.Close()
			for !stop.Load() {
				k := int(next.Add(1)) - 1
				if k >= n {
					return
				}
				if errs[w] = context.Cause(ctx); errs[w] == nil {
					errs[w] = do(w, r, k)
				}
				if errs[w] != nil {
					stop.Store(true)
					return
				}
				if d := int(done.Add(1)); o.Progress != nil && (w == 0 || d == n) {
					mu.Lock()
					o.Progress(int(done.Load()), n)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if i := slices.IndexFunc(errs, func(err error) bool { return err != nil }); i >= 0 {
		return errs[i]
	}
	return nil
}
