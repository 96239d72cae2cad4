package supernet

import (
	"context"

	"oneshot/supernet/space"
)

// Subnet scores arch as Score does, and returns it as a network of its own: with the weights that it inherits,
// and the statistics of batch normalisation of that score. Evaluated on the images of the score it has the same
// accuracy and, in batches of the same size, the same loss, bit for bit.
func (s *Scorer) Subnet(ctx context.Context, arch space.Arch) (*Net, Result, error) {
	r, err := s.Score(ctx, arch)
	if err == nil {
		err = s.eval.Statistics()
	}
	if err != nil {
		return nil, Result{}, err
	}
	out, err := newNet(s.net.cfg, arch, 0, s.net.rt)
	if err != nil {
		return nil, Result{}, err
	}
	out.take(s.net, s.state)
	for i := range out.tracked { // the batches that they are the average of
		out.tracked[i] = s.batches
	}
	return out, r, nil
}
