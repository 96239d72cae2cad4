package measure

import (
	"errors"

	"oneshot/data"
	"oneshot/internal/rng"
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

// onBatch is a training of n whose steps all take b, by d. Those of a supernet follow
// the paths archs[order[0]], archs[order[1]] and so on, and then begin again; as in any
// training, the graph of the next path is built beside a step. A network of one
// architecture has only that.
func onBatch(n *supernet.Net, b *data.Batch, archs []space.Arch, order []int, d ops.Descent) (*supernet.Trainer, error) {
	if len(archs) == 0 || len(order) == 0 {
		return nil, errors.New("bench: no architecture")
	}
	c := supernet.DefaultTrain()
	c.Batch, c.Descent = b.N, d
	c.Steps = 1 << 30 // the schedule stays at its start
	t, err := supernet.NewTrainerOn(n, func(int) *data.Batch { return b }, c)
	if err != nil {
		return nil, err
	}
	t.Follow(func(step int) space.Arch { return archs[order[step%len(order)]] })
	return t, nil
}
