// Package net is the description of a network and what follows from it.
//
// A Network is an ordered list of layers. A layer is an operation (a value of
// package ops, which knows its shapes, parameters and costs), the layers it reads
// and the prefix of its tensors' names. A space of architectures writes the list
// (space.Space.Describe); everything else is a plain loop over it:
//
//	Network.Shapes    the shape of every layer's output
//	Network.Cost      parameters and multiply-adds
//	Network.Moved     floats that a training step moves: the floor of its time
//	NewLayout         where each parameter and statistic lies, its name and first value
//	Network.Select    the path of one architecture through a supernet
//	supernet.build    the expression graph, and from it the program
//
// The description of a supernet has every candidate of every choice. A layer with
// choices (Layer.Pick) lists the candidates and says which entries of an
// architecture choose among them; Select keeps what was chosen and what that needs.
// So a path is never described a second time.
//
// A layer uses the whole of each of its parameters. Where a space shares parts of them,
// such as the first channels of a convolution, an operation that takes the part stands
// in front, so that kernels know nothing of it.
//
// What does not reach an output is in no path: an architecture whose nodes ignore an
// input leaves preprocesses or whole cells without use, and nothing computes, counts
// or exports them.
//
// Example describes a network with one choice and follows it.
package net
