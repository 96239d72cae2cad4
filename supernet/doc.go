// Package supernet trains the weight-sharing network of a space of architectures,
// scores its subnetworks, and retrains the one that was chosen.
//
// What. A Net holds named parameters and batch-normalisation statistics, for
// the whole supernet or for one architecture. There is no "current"
// subnetwork: every function that computes takes the architecture. Each
// training step samples one path uniformly, or several (Sampling), builds the expression graph of
// exactly its live operations (in the background, while the previous step
// runs) and updates exactly its parameters. The training of one architecture may
// learn from a Teacher beside the labels, and start from values of another network
// (Net.Inherit).
//
// Why so. Uniform single-path sampling with inherited weights follows
// arXiv 1904.00420; statistics of batch normalisation that were averaged over
// many paths fit none of them, so Scorer re-estimates them on training images,
// on a copy, before it measures (same paper, section 3.4).
//
// Contract.
//
//   - Everything is a function of (config, seed, data): the architecture, the
//     batch and the drop-path masks of step s are drawn from streams named by
//     s, so stopping after any step and restoring a checkpoint continues to
//     the same bits, at any thread count.
//   - A teacher never changes. It sees the images of the batch as they are trained on,
//     augmented and mixed.
//   - Scoring never changes a Net, and takes a *data.Search: the test split
//     has another type.
//   - A parameter that the sampled path does not use is not touched: no
//     weight decay, no momentum, as torch does for parameters without gradient.
//   - Accuracies are fractions in [0,1], losses are means over images in nats.
//
// Example goes the whole way: a supernet, scores, the winner from scratch, the test
// images.
package supernet
