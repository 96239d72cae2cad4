// Package nb201 is the space of NAS-Bench-201 (arXiv 2001.00326), whose 15,625 networks were
// all trained by its authors.
//
// A cell has four nodes and an edge from each to every later one. Each edge is one of five
// operations; a node is the sum of the edges that enter it, and the last one is the cell's
// output. Every cell of a network is the same, but for its channels.
//
// The list of choices (space.Arch) has six entries, the operations of the edges in the order
// of the text form: 0 to 1, 0 to 2, 1 to 2, 0 to 3, 1 to 3, 2 to 3.
//
// # Twins
//
// Many of the 15,625 are one function. An operation of nothing is nothing, which a sum leaves
// out; a node that nobody reads does not matter. What is left is a sum of terms: the input, or
// an operation of such a sum. A skip is the sum that it reads, so that its terms are terms of
// the sum that it enters. Two architectures are twins when their sums have the same terms
// as often, in any order, and when they have as many convolutions of each kind that are read:
// a convolution that two terms share is another function than two that have weights of their
// own. There are 5,260 such classes, one of which is the network of nothing, which cannot be
// trained: 5,259 are sampled. That an average is linear, and that a normalisation takes a
// factor before a convolution away, is not made use of: such networks differ by rounding, or
// by the epsilon of the normalisation.
//
// The architecture that stands for a class is its first one in the order of the choices. As
// none is the first operation, it has no part that is not read.
//
// What a network costs is said of its text, as the authors count: with every part, read or not.
package nb201
