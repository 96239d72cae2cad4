package main

import (
	"context"

	"oneshot/supernet"
)

// trainSummary is the supernet's part of result.json.
type trainSummary struct {
	Steps int     `json:"steps"`
	Loss  float64 `json:"loss"` // mean over the last lossWindow steps
}

// train brings the supernet to its last step, from wherever it stands, and
// returns it.
func (j *job) train(ctx context.Context) (*supernet.Net, error) {
	images := j.data.Train
	c := j.sgdConfig(j.cfg.Train.SGD, images.Len())
	n, err := supernet.New(j.netConfig(), j.cfg.Seed, j.rt)
	if err != nil {
		return nil, err
	}
	j.ui.debugf("supernet: %d parameters, %d training images, %d steps of %d", n.Params(), images.Len(), c.Steps, c.Batch)
	return n, j.advance(ctx, "train", n, images, c)
}

func (j *job) trainSummary() (trainSummary, error) {
	loss, err := j.finalLoss("train")
	return trainSummary{Steps: j.cfg.Train.StepsFor(j.data.Train.Len()), Loss: loss}, err
}
