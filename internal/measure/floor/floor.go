// Package floor says how little work a network needs, for those who compare it with
// the time that was measured.
//
//	w, err := floor.Of(s, size, arch, 64, ops.SGD{}) // a training step on 64 images
//
// Contract: a pure function of the description of the network. It knows no machine: peak
// rates turn a Work into a bound on the time.
package floor

import (
	"oneshot/ops"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// Work is what a processor cannot avoid.
type Work struct{ Flops, Bytes int64 }

// Of is the least work of a training step with optimizer o, or with o nil of a
// forward pass with running statistics, on batch images of path arch of s, built to size z: what a perfectly fused
// implementation has to multiply, add and move between the processor and
// memory. A machine's peak rates turn it into a bound on the time.
//
// Flops are two for each multiply-add of net.Network.Cost, three times that to train.
//
// Bytes of a training step assume that a batch's activations fit no cache, so
// that whatever one pass over the batch leaves for another is written and read,
// 4 bytes each:
//
//   - The network is cut at each batch normalisation, as its statistics need the
//     whole batch. What a segment moves, its operation says (ops.Cost.Moved).
//   - The gradient of a state with k readers takes k-1 more reads to add up.
//   - A parameter is read forward and backward, its gradient written, and the
//     update reads value, gradient and the optimizer's slots and writes value and slots.
//
// Scoring has no statistics to wait for: a few images can pass through the whole
// network in a cache, so it has to read the images and the parameters, once.
//
// It leaves out what does not reach the output and the auxiliary head; the labels,
// the logits and the statistics are too small to count. Reading twice what a second
// pass needs again, such as the gradient before and after the sums of batch
// normalisation's backward, is not in it: a step cannot be faster, and a real one is
// slower.
func Of(s space.Space, z net.Size, arch space.Arch, batch int, o ops.Optimizer) (Work, error) {
	n, err := s.Describe(z.Counted(), arch)
	if err != nil {
		return Work{}, err
	}
	params, madds, err := n.Cost()
	if err != nil {
		return Work{}, err
	}
	params, madds = params-n.Unread.Params, madds-n.Unread.MAdds // which are counted, but not computed
	if o == nil {
		image := int64(z.Image * z.Image * 3)
		return Work{Flops: 2 * madds * int64(batch), Bytes: 4 * (image*int64(batch) + params)}, nil
	}
	floats, err := n.Moved()
	if err != nil {
		return Work{}, err
	}
	moves := int64(6 + 2*len(o.Slots())) // of every parameter
	return Work{Flops: 3 * 2 * madds * int64(batch), Bytes: 4 * (floats*int64(batch) + moves*params)}, nil
}
