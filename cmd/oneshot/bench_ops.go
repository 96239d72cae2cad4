package main

import (
	"time"

	"github.com/spf13/cobra"

	"oneshot/ops/cpu"
)

// seconds times f.
func seconds(f func() error) (float64, error) {
	start := time.Now()
	err := f()
	return time.Since(start).Seconds(), err
}

// fastest is the time of f at its best. What is shorter than a tenth of a
// millisecond is repeated between two looks at the clock.
func fastest(f func()) time.Duration {
	const (
		shortest = 100 * time.Microsecond
		budget   = 30 * time.Millisecond
	)
	f()
	n := 1
	run := func() time.Duration {
		start := time.Now()
		for range n {
			f()
		}
		return time.Since(start)
	}
	took := run()
	for took < shortest && n < 1<<20 {
		n *= 2
		took = run()
	}
	best := took
	for spent, runs := took, 1; spent < budget || runs < 3; runs++ {
		took = run()
		spent += took
		best = min(best, took)
	}
	return best / time.Duration(n)
}

// benchPeak measures the machine's peaks.
func benchPeak(threads int) cpu.Peak {
	p := cpu.NewPool(threads)
	defer p.Close()
	return cpu.MeasurePeak(p, fastest)
}

func (a *app) benchOpsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "ops", Short: "The kernels, against the machine's peaks", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			c, err := a.opt.resolve(nil, "")
			if err != nil {
				return err
			}
			return a.benchOps(threads(c.Run))
		},
	}
}

func (a *app) benchOps(threads int) error {
	p := benchPeak(threads)
	if a.opt.json {
		return a.ui.json(p)
	}
	a.ui.printf("%+v\n", p)
	return nil
}
