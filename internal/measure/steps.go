package measure

import (
	"errors"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/internal/setting"
	"oneshot/ops"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// randomImages are that many random images for networks of a size, always the same.
func randomImages(c supernet.NetConfig, n int) *data.Batch {
	b := &data.Batch{N: n, X: make([]float32, n*c.Image*c.Image*3), Y: make([]int32, n)}
	r := rng.New(1, "bench images")
	for i := range b.X {
		b.X[i] = float32(r.NormFloat64())
	}
	for i := range b.Y {
		b.Y[i] = int32(r.IntN(c.Classes))
	}
	return b
}

// training describes the steps of a measurement: the defaults with a batch and an
// optimizer. The schedule stays at its start.
func training(batch int, d ops.Descent) supernet.TrainConfig {
	c := supernet.DefaultTrain()
	c.Steps, c.Batch, c.Descent = 1<<30, batch, d
	return c
}

// recipe describes steps as a run takes them, with all settings of a retraining.
func (j Job) recipe() supernet.TrainConfig {
	r := j.Config.Retrain
	c := supernet.TrainConfig{Training: r.SGD, Sampling: setting.Default[supernet.Sampling](), Scratch: r.Scratch, Seed: j.Config.Seed, Workers: j.Config.Run.Workers}
	c.Steps, c.WarmupSteps, c.WarmupEpochs = 1<<30, 0, 0
	return c
}

// onBatch is a training of n whose steps all take b. Those of a supernet follow
// the paths archs[order[0]], archs[order[1]] and so on, and then begin again; as in any
// training, the graph of the next path is built beside a step. A network of one
// architecture has only that.
func onBatch(n *supernet.Net, b *data.Batch, archs []space.Arch, order []int, c supernet.TrainConfig) (*supernet.Trainer, error) {
	if len(archs) == 0 || len(order) == 0 {
		return nil, errors.New("bench: no architecture")
	}
	t, err := supernet.NewTrainerOn(n, func(int) *data.Batch { return b }, c)
	if err != nil {
		return nil, err
	}
	t.Follow(func(step int) space.Arch { return archs[order[step%len(order)]] })
	return t, nil
}
