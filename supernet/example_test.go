package supernet_test

import (
	"context"
	"errors"
	"fmt"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Train a supernet, score some of its subnetworks with inherited weights, retrain
// the best from scratch and look at the test images once. Here architectures are
// drawn at random; package lanas chooses them better, and package weights keeps
// what was trained.
func Example() {
	if err := oneShot(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// supernet trained for 4 steps of 8 images
	// best of 3 architectures scored on 20 images
	// winner trained for 4 steps of 8 images
	// winner tested on 20 images
}

func oneShot(ctx context.Context) error {
	d, err := data.Open(data.Config{Name: "shapes10", Seed: 42, TrainSize: 40, SearchSize: 20, TestSize: 20})
	if err != nil {
		return err
	}
	s, err := space.New("lanas", 2)
	if err != nil {
		return err
	}
	rt, err := supernet.NewRuntime(2) // threads; their number changes no result
	if err != nil {
		return err
	}
	defer rt.Close()

	cfg := supernet.NetConfig{Space: s, Size: net.Size{Geometry: net.Geometry{Layers: 3, Channels: 4, StemMultiplier: 1}, Classes: 10, Image: 32}}
	super, err := supernet.New(cfg, 42, rt)
	if err != nil {
		return err
	}
	if err := train(ctx, "supernet", super, d.Train); err != nil {
		return err
	}
	best, err := bestOf(ctx, 3, super, s, d)
	if err != nil {
		return err
	}
	cfg.Affine = true // the normalisations of the winner learn scale and shift
	winner, err := supernet.NewArch(cfg, best, 42, rt)
	if err != nil {
		return err
	}
	if err := train(ctx, "winner", winner, d.Train); err != nil {
		return err
	}
	e, err := supernet.NewEvaluator(winner)
	if err != nil {
		return err
	}
	defer e.Close()
	r, err := e.Evaluate(ctx, best, d.Test.Batches(20), nil)
	if err != nil {
		return err
	}
	fmt.Println("winner tested on", r.Images, "images") // r.Top1 of them are classified right
	return nil
}

// train takes all steps of a training; each returns its loss among other things.
func train(ctx context.Context, what string, n *supernet.Net, images *data.Train) error {
	c := supernet.DefaultTrain()
	c.Steps, c.Batch, c.Seed = 4, 8, 42
	t, err := supernet.NewTrainer(n, images, c)
	if err != nil {
		return err
	}
	defer t.Close()
	var last supernet.StepStats
	for {
		s, err := t.Step(ctx)
		if errors.Is(err, supernet.ErrDone) {
			fmt.Println(what, "trained for", last.Step, "steps of", last.Images, "images")
			return nil
		}
		if err != nil {
			return err
		}
		last = s
	}
}

// bestOf scores n random architectures, which changes nothing in the supernet, and
// returns the one with the highest accuracy on the search split.
func bestOf(ctx context.Context, n int, super *supernet.Net, s space.Space, d *data.Dataset) (space.Arch, error) {
	c := supernet.DefaultScore()
	c.RecalImages, c.RecalBatch, c.Batch = 16, 8, 20
	scorer, err := supernet.NewScorer(super, d.Train, d.Search, c)
	if err != nil {
		return nil, err
	}
	defer scorer.Close()
	var best space.Arch
	var top supernet.Result
	for i := range n {
		a := s.Sample(rng.New(42, "example", uint64(i)))
		r, err := scorer.Score(ctx, a)
		if err != nil {
			return nil, err
		}
		if best == nil || r.Top1 > top.Top1 {
			best, top = a, r
		}
	}
	fmt.Println("best of", n, "architectures scored on", top.Images, "images")
	return best, nil
}
