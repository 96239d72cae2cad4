package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// bench measures programs in turn.
type bench struct {
	jobs    []job
	rounds  int
	threads int
	log     io.Writer // is told what runs
}

// figure is one quantity of a program, measured once a round.
type figure struct {
	name, unit string
	less       bool // less is better
	exact      bool // the same in every round, and so measured once
	values     []float64
}

// measure runs every job with every program once a round, and returns the figures of
// each program, in the same order. Which program comes first changes from round to
// round, so that none always follows the other's heat and cache.
func (b bench) measure(ctx context.Context, programs ...string) ([][]figure, machine, error) {
	results := make([][][]result, len(programs)) // program, job, round
	for p := range programs {
		results[p] = make([][]result, len(b.jobs))
	}
	for round := range b.rounds {
		for j, job := range b.jobs {
			fmt.Fprintf(b.log, "bench: round %d of %d: %s\n", round+1, b.rounds, job.Name)
			for k := range programs {
				p := (k + round) % len(programs)
				r, err := job.run(ctx, programs[p], b.threads)
				if err != nil {
					return nil, machine{}, err
				}
				results[p][j] = append(results[p][j], r)
			}
		}
	}
	if err := b.same(results); err != nil {
		return nil, machine{}, err
	}
	var all [][]figure
	for p, program := range programs {
		info, err := os.Stat(program)
		if err != nil {
			return nil, machine{}, err
		}
		var fs []figure
		for j, job := range b.jobs {
			speed := figure{name: job.Name, unit: "images/s"}
			memory := figure{name: job.Name + " memory", unit: "MB", less: true}
			for _, r := range results[p][j] {
				speed.values = append(speed.values, r.ImagesPerS)
				memory.values = append(memory.values, r.MemoryMB)
			}
			fs = append(fs, speed, memory)
		}
		all = append(all, append(fs, figure{name: "program", unit: "MB", less: true, exact: true, values: []float64{float64(info.Size()) / 1e6}}))
	}
	return all, results[0][0][0].machine, nil
}

// same wants the same work in every round of every program, on the same machine.
func (b bench) same(results [][][]result) error {
	for _, of := range results {
		for j, rounds := range of {
			first := results[0][j][0]
			for _, r := range rounds {
				if r.work != first.work {
					return fmt.Errorf("%s: the programs do other work, which makes speed incomparable: %+v and %+v", b.jobs[j].Name, first.work, r.work)
				}
				if r.machine != first.machine {
					return fmt.Errorf("%s: the programs ran differently: %+v and %+v", b.jobs[j].Name, first.machine, r.machine)
				}
			}
		}
	}
	if len(b.jobs) == 0 {
		return errors.New("there is nothing to measure")
	}
	return nil
}
