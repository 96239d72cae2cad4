package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

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

func (r *race) run(ctx context.Context, f searchBench) {
	s, err := lanas.NewSearch(r.algo, r.table.Space(), lanas.Options{Seed: r.seed, Budget: f.budget})
	if err != nil {
		r.err = err
		return
	}
	start := time.Now()
	r.trace, r.err = r.table.Race(ctx, s, landscape.Rules{Budget: f.budget, Batch: f.batch}, func() time.Duration { return time.Since(start) })
	if r.err != nil {
		r.err = fmt.Errorf("%s on %s, seed %d: %w", r.algo, r.table.Name(), r.seed, r.err)
		return
	}
	if t, ok := s.(interface{ Tree() []lanas.Region }); ok && r.seed == f.firstSeed {
		r.tree = t.Tree()
	}
}

// races runs all seeds of all algorithms on all tables, on f.threads goroutines.
// What a race finds depends on its own seed alone. Results are printed in the
// order of tables and algorithms; an error is that of the first race that failed.
func (a *app) races(ctx context.Context, f searchBench, tables []*landscape.Table) ([]raceResult, error) {
	var all []*race
	for _, t := range tables {
		for _, algo := range f.algos {
			for i := range f.seeds {
				all = append(all, &race{table: t, algo: algo, seed: f.firstSeed + uint64(i)})
			}
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	next, done := make(chan int), make(chan int)
	var workers sync.WaitGroup
	for range min(f.threads, len(all)) {
		workers.Go(func() {
			for i := range next {
				if all[i].err = ctx.Err(); all[i].err == nil {
					all[i].run(ctx, f)
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
	first, left := len(all), make([]int, len(all)/f.seeds)
	for g := range left {
		left[g] = f.seeds
	}
	m := a.ui.meter("races", 0, len(all))
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
		m.update(count, 0, all[i].algo+" on "+all[i].table.Name())
		left[i/f.seeds]--
		for g := len(results); failed == nil && g < len(left) && left[g] == 0; g++ {
			r, err := condense(all[g*f.seeds:(g+1)*f.seeds], f.budget)
			if err != nil {
				cancel()
				failed = err
				break
			}
			results = append(results, r)
			a.printRace(f, r, g%len(f.algos) == 0)
		}
	}
	m.finish()
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
