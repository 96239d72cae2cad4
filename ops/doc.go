// Package ops holds the differentiable operations of the NASNet/DARTS cell
// space as gorgonia operations, and the executor that runs them.
//
// What. gorgonia builds and differentiates the expression graph of every
// sampled subnetwork (one node per NAS operation, gorgonia.SDOp); this package
// compiles that graph once into a straight-line Program and runs it on a
// Backend. gorgonia's own machines stay as the slow check in the tests.
//
// Why. A sampled subnetwork changes every step. gorgonia's reverse mode is
// sound and cheap (supernet.BenchmarkBuild), but its TapeMachine needs
// longer to compile a graph than oneshot needs to train it, merges nodes on a
// 32-bit hash, and runs everything at a few GFLOP/s; see the wart list in
// ARCHITECTURE.md before replacing the executor by it.
//
// Contract.
//
//   - Activations are NHWC; a tensor's shape is written (N,H,W,C).
//   - An Op is a plain value describing one operation: shapes in, shape out,
//     which inputs are differentiated. It holds no buffers, so one Op may be
//     used by any number of graphs and goroutines.
//   - Memory is named, not pointed to: a Mem is (region, offset, length), and
//     the Backend owns the regions. The same Program therefore runs on a
//     processor's memory or on a device's.
//   - Parameters, gradients and momentum lie at the same offsets of three flat
//     regions; activations share one arena, laid out by liveness.
//   - A batch-normalisation op works in three modes (Mode): with the statistics
//     of the batch, with running statistics, and accumulating running
//     statistics for recalibration.
//   - Where a value has several consumers, the first one's Backward writes the
//     gradient and the others add to it in place (Call.DAdd); a node's sum passes
//     its gradient on without a copy.
//   - Batch normalisation is deferred: an op leaves its output raw with
//     coefficients, and whoever reads it normalises on the way (Call.InNorm).
//
// The steps of a caller:
//
//	g := ops.NewGraph(tensor.Float32)
//	x := g.Input("x", ops.Mem{Region: ops.Input, Len: n}, N, H, W, 3)
//	w := g.Input("stem.conv.weight", paramMem, 3, 3, 3, 48)
//	y, err := g.Apply(ops.Stem{...}, state, x, w, gamma, beta)
//	...
//	grads, err := g.Grad(loss, wanted)
//	prog, err := g.Compile(backend, ops.Roots{...})
//	err = prog.Run(backend, ops.Train, 0.1)
package ops
