package supernet

import "oneshot/supernet/space"

// Work is what a processor cannot avoid.
type Work struct{ Flops, Bytes int64 }

// Floor is the least work of a training step, or of a forward pass with running
// statistics, on batch images of path arch: what a perfectly fused
// implementation has to multiply, add and move between the processor and
// memory. A machine's peak rates turn it into a bound on the time.
//
// Flops are two for each multiply-add of space.Cost, three times that to train.
//
// Bytes of a training step assume that a batch's activations fit no cache, so
// that whatever one pass over the batch leaves for another is written and read,
// 4 bytes each:
//
//   - The network is cut at each batch normalisation, as its statistics need the
//     whole batch. A segment (ReLU, convolutions or pooling, and the sums of the
//     statistics) reads its input and writes its output before normalisation;
//     whoever reads that normalises on the way. Backward it reads the gradient,
//     its own output and its input, and writes the input's gradient. Pooling
//     needs no input then, the stem makes no gradient, and a factorized
//     reduction reads only the half of the pixels that it uses.
//   - A node reads its two terms and writes their sum. Backward its gradient is that of both terms.
//   - The gradient of a state with k readers takes k-1 more reads to add up.
//   - Global pooling reads the last cell and writes its gradient.
//   - A parameter is read forward and backward, its gradient written, and the
//     update reads value, gradient and momentum and writes value and momentum.
//
// Scoring has no statistics to wait for: a few images can pass through the whole
// network in a cache, so it has to read the images and the parameters, once.
//
// Like space.Cost it leaves out what does not reach the output and the
// auxiliary head; the labels, the logits and the statistics are too small to
// count. Reading twice what a second pass needs again, such as the gradient
// before and after the sums of batch normalisation's backward, is not in it: a
// step cannot be faster, and a real one is slower.
func Floor(c NetConfig, arch space.Arch, batch int, train bool) Work {
	params, madds := c.Space.Cost(arch, c.Spec())
	if !train {
		image := int64(c.Image * c.Image * 3)
		return Work{Flops: 2 * madds * int64(batch), Bytes: 4 * (image*int64(batch) + params)}
	}
	var f floor
	f.net(c, arch)
	return Work{Flops: 3 * 2 * madds * int64(batch), Bytes: 4 * (f.floats*int64(batch) + 8*params)}
}

// floor counts the floats that one image moves in a training step.
type floor struct{ floats int64 }

// segment ends in a batch normalisation whose output has that many floats:
// forward reads read, backward reads again, dx is the gradient it makes.
func (f *floor) segment(read, again, dx, out int) {
	f.floats += int64(read + out + 2*out + again + dx)
}

// sum adds up the gradient of a state of that many floats and readers.
func (f *floor) sum(size, readers int) {
	f.floats += int64(size * max(0, readers-1))
}

func (f *floor) net(c NetConfig, arch space.Arch) {
	hw := c.Image
	live := c.Space.Live(arch, withoutAux(c).Spec())
	// readers of the output of cell l-1, or of the stem for l = 0
	readers := func(l int) int {
		n := 0
		if l == c.Layers {
			n++ // global pooling
		}
		if l < c.Layers && live[l].S1 {
			n++
		}
		if l+1 < c.Layers && live[l+1].S0 {
			n++
		}
		if l == 0 && live[0].S0 {
			n++
		}
		return n
	}
	pixels := hw * hw
	stem := pixels * c.StemMultiplier * c.Channels
	f.segment(pixels*3, pixels*3, 0, stem)
	f.sum(stem, readers(0))
	for _, g := range c.cells() {
		pixels := hw * hw
		if g.reduction {
			hw /= 2
		}
		if !live[g.layer].Cell {
			continue
		}
		if live[g.layer].S0 {
			if g.reducedBefore {
				f.segment(2*pixels*g.cpp, 2*pixels*g.cpp, 4*pixels*g.cpp, pixels*g.c)
			} else {
				f.segment(pixels*g.cpp, pixels*g.cpp, pixels*g.cpp, pixels*g.c)
			}
		}
		if live[g.layer].S1 {
			f.segment(pixels*g.cp, pixels*g.cp, pixels*g.cp, pixels*g.c)
		}
		f.cell(c, g, arch, pixels*g.c, hw*hw*g.c, readers(g.layer+1))
	}
	last := hw * hw * c.cells()[c.Layers-1].out(c.Space.Nodes)
	f.floats += int64(2 * last)
}

// cell counts the nodes of a cell whose input states have before floats and
// whose nodes have after; readers read its output.
func (f *floor) cell(c NetConfig, g cell, arch space.Arch, before, after, readers int) {
	uses := make([]int, 2+c.Space.Nodes)
	for node := range c.Space.Nodes {
		for _, p := range g.pairs(arch, node) {
			uses[p.Edge]++
			in := after
			if p.Edge < 2 {
				in = before
			}
			f.candidate(kindOf(c.Space.Ops[p.Op]), g.stride(p.Edge), in, after)
		}
		f.floats += int64(3 * after)
	}
	for i, n := range uses {
		if i < 2 {
			f.sum(before, n)
		} else {
			f.sum(after, n+readers)
		}
	}
}

// candidate counts an operation on an edge, up to where its node reads it.
func (f *floor) candidate(k opKind, stride, in, out int) {
	switch {
	case k.skip && stride == 1:
	case k.skip: // a factorized reduction
		f.segment(in/2, in/2, in, out)
	case k.pool:
		f.segment(in, 0, in, out)
	default:
		f.segment(in, in, in, out)
		for s := 1; s < k.stages; s++ {
			f.segment(out, out, out, out)
		}
	}
}

func withoutAux(c NetConfig) NetConfig {
	c.Aux = false
	return c
}
