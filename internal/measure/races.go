package measure

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"oneshot/internal/ui"
	"oneshot/lanas"
	"oneshot/lanas/landscape"
)

// raceResult is one algorithm on one table.
type raceResult struct {
	table   *landscape.Table
	algo    string
	summary landscape.Summary
	tree    []lanas.Region // at the end of the first seed; nil of an algorithm without
}

// race is one seed of it.
type race struct {
	table *landscape.Table
	algo  string
	seed  uint64
	trace landscape.Trace
	tree  []lanas.Region
	err   error
}

func (r *race) run(ctx context.Context, f Races, now func() time.Time) {
	s, err := lanas.NewSearch(r.algo, r.table.Space(), lanas.Options{Seed: r.seed, Budget: f.Budget})
	if err != nil {
		r.err = err
		return
	}
	start := now()
	r.trace, r.err = r.table.Race(ctx, s, landscape.Rules{Budget: f.Budget, Batch: f.Batch}, func() time.Duration { return now().Sub(start) })
	if r.err != nil {
		r.err = fmt.Errorf("%s on %s, seed %d: %w", r.algo, r.table.Name(), r.seed, r.err)
		return
	}
	if t, ok := s.(interface{ Tree() []lanas.Region }); ok && r.seed == f.FirstSeed {
		r.tree = t.Tree()
	}
}

// races runs all seeds of all algorithms on all tables, on f.Threads goroutines.
// What a race finds depends on its own seed alone. Results are printed in the
// order of tables and algorithms; an error is that of the first race that failed.
func (f Races) races(ctx context.Context, u *ui.UI, asJSON bool, tables []*landscape.Table) ([]raceResult, error) {
	var all []*race
	for _, t := range tables {
		for _, algo := range f.Algos {
			for i := range f.Seeds {
				all = append(all, &race{table: t, algo: algo, seed: f.FirstSeed + uint64(i)})
			}
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	next, done := make(chan int), make(chan int)
	var workers sync.WaitGroup
	for range min(f.Threads, len(all)) {
		workers.Go(func() {
			for i := range next {
				if all[i].err = ctx.Err(); all[i].err == nil {
					all[i].run(ctx, f, u.Now)
				}
				done <- i
			}
		})
	}
	go func() {
		for i := range all {
			next <- i
		}
		close(next)
		workers.Wait()
		close(done)
	}()

	var results []raceResult
	var failed error // the first, in the order of the races, that is not just cancelled
	first, left := len(all), make([]int, len(all)/f.Seeds)
	for g := range left {
		left[g] = f.Seeds
	}
	m := u.Meter("races", 0, len(all))
	count := 0
	for i := range done {
		if err := all[i].err; err != nil {
			cancel()
			if failed == nil || i < first && !errors.Is(err, context.Canceled) || errors.Is(failed, context.Canceled) {
				failed, first = err, i
			}
			continue
		}
		count++
		m.Update(count, 0, all[i].algo+" on "+all[i].table.Name())
		left[i/f.Seeds]--
		for g := len(results); failed == nil && g < len(left) && left[g] == 0; g++ {
			r, err := condense(all[g*f.Seeds:(g+1)*f.Seeds], f.Budget)
			if err != nil {
				cancel()
				failed = err
				break
			}
			results = append(results, r)
			f.print(u, asJSON, r, g%len(f.Algos) == 0)
		}
	}
	m.Finish()
	return results, failed
}

func condense(seeds []*race, budget int) (raceResult, error) {
	r := raceResult{table: seeds[0].table, algo: seeds[0].algo, tree: seeds[0].tree}
	var traces []landscape.Trace
	for _, s := range seeds {
		traces = append(traces, s.trace)
	}
	var err error
	r.summary, err = r.table.Summarise(traces, budget)
	return r, err
}
