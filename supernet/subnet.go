package supernet

import (
	"context"

	"oneshot/supernet/space"
)

// Subnet scores arch with statistics of training images, and returns it as a network of its own: with
// the weights that it inherits, and the statistics of batch normalisation of that score. Evaluated on the images of the score it has the same
// accuracy and, in batches of the same size, the same loss, bit for bit. Where scores have the statistics of each batch
// this is another number: one image has no such.
func (s *Scorer) Subnet(ctx context.Context, arch space.Arch) (*Net, Result, error) {
	arch, err := s.net.pick(arch)
	if err != nil {
		return nil, Result{}, err
	}
	r, err := s.score(ctx, arch, s.recal)
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
