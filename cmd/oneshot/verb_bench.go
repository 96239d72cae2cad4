package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

func (a *app) benchCmd() *cobra.Command {
	var steps int
	cmd := &cobra.Command{
		Use: "bench step|eval", Short: "Measure training steps or scoring, in images per second",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != "step" && args[0] != "eval" {
				return usageError("", "bench wants one of: step, eval")
			}
			if steps < 1 {
				return usageError("", "--steps %d: want 1 or more", steps)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.bench(cmd.Context(), args[0], steps) },
	}
	cmd.Flags().IntVar(&steps, "steps", 20, "steps or subnetworks to measure, after two to warm up")
	a.opt.bindSGD(cmd, "train")
	return cmd
}

type benchReport struct {
	Bench       string  `json:"bench"`
	Preset      string  `json:"preset"`
	Images      int     `json:"images"`
	Seconds     float64 `json:"seconds"`
	ImagesPerS  float64 `json:"images_per_s"`
	MSPerRound  float64 `json:"ms_per_round"`
	FastestMS   float64 `json:"fastest_ms"`
	Rounds      int     `json:"rounds"`
	Batch       int     `json:"batch"`
	Threads     int     `json:"threads"`
	CPU         string  `json:"cpu"`
	Params      int64   `json:"params"`
	EstimateMiB int64   `json:"estimate_mib"`
}

// benchWarmUp rounds run before the clock does: graphs and arenas are built.
const benchWarmUp = 2

func (a *app) bench(ctx context.Context, what string, rounds int) error {
	c, err := a.opt.resolve(nil, "tiny")
	if err != nil {
		return err
	}
	c.Train.Steps, c.Train.WarmupSteps = rounds+benchWarmUp, 0
	j := &job{cfg: c, ui: a.ui}
	if j.space, err = space.New(c.Net.Ops, c.Net.Nodes); err != nil {
		return err
	}
	if j.data, err = openData(c); err != nil {
		return err
	}
	if j.rt, err = newRuntime(c.Run); err != nil {
		return err
	}
	defer j.rt.Close()
	n, err := supernet.New(j.netConfig(), c.Seed, j.rt)
	if err != nil {
		return err
	}
	round, done, err := j.benchRound(ctx, what, n)
	if err != nil {
		return err
	}
	defer done()
	r := benchReport{
		Bench: what, Preset: c.Preset, Rounds: rounds, Batch: c.Train.Batch, Threads: threads(c.Run), CPU: cpuModel(),
		Params: n.Params(),
	}
	train, _, err := j.estimate()
	if err != nil {
		return err
	}
	r.EstimateMiB = train >> 20
	if what == "eval" {
		r.Batch = c.Score.Batch
	}
	if err := r.measure(round); err != nil {
		return err
	}
	if a.opt.json {
		return a.ui.json(r)
	}
	a.ui.printf("%s  %.1f images/s, %.2f ms a round (fastest %.2f), batch %d, %d threads, %s\n",
		what, r.ImagesPerS, r.MSPerRound, r.FastestMS, r.Batch, r.Threads, r.CPU)
	return nil
}

func (r *benchReport) measure(round func() (int, error)) error {
	var total time.Duration
	for i := range r.Rounds + benchWarmUp {
		start := time.Now()
		n, err := round()
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		took := time.Since(start)
		if i < benchWarmUp {
			continue
		}
		total += took
		r.Images += n
		if ms := took.Seconds() * 1000; r.FastestMS == 0 || ms < r.FastestMS {
			r.FastestMS = ms
		}
	}
	r.Seconds = total.Seconds()
	r.ImagesPerS = float64(r.Images) / r.Seconds
	r.MSPerRound = r.Seconds * 1000 / float64(r.Rounds)
	return nil
}

// benchRound returns one unit of work, which reports the images it processed.
func (j *job) benchRound(ctx context.Context, what string, n *supernet.Net) (round func() (int, error), done func(), err error) {
	if what == "step" {
		t, err := supernet.NewTrainer(n, j.data.Train, j.sgdConfig(j.cfg.Train.SGDConfig, j.data.Train.Len()))
		if err != nil {
			return nil, nil, err
		}
		return func() (int, error) {
			s, err := t.Step(ctx)
			return s.Images, err
		}, t.Close, nil
	}
	return scoreRound(ctx, j, n, j.data.Search)
}

func scoreRound(ctx context.Context, j *job, n *supernet.Net, images *data.Search) (func() (int, error), func(), error) {
	s, err := supernet.NewScorer(n, j.data.Train, images, j.scoreConfig())
	if err != nil {
		return nil, nil, err
	}
	r := rng.New(j.cfg.Seed, "arch")
	return func() (int, error) {
		res, err := s.Score(ctx, j.space.Sample(r))
		return res.Images, err
	}, func() {}, nil
}
