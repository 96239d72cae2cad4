// Package graph builds and differentiates the expression graph of a network and
// compiles it to an ops.Program. It is the only package that knows gorgonia.
//
// What. Each application of an op is a gorgonia node (gorgonia.SDOp) on those of
// its activations and one leaf that stands for all of its parameters; gorgonia
// differentiates the graph, and Compile turns it into a straight line of
// instructions. gorgonia's own machines stay as the slow check in the tests.
//
// Why. A sampled subnetwork changes every step. gorgonia's reverse mode is
// sound and cheap (supernet.BenchmarkBuild), but its TapeMachine needs
// longer to compile a graph than oneshot needs to train it, merges nodes on a
// 32-bit hash, and runs everything at a few GFLOP/s; see the list of its faults in
// docs/decisions/graph.md before replacing the executor by it.
//
// The steps of a caller:
//
//	g := graph.New()
//	x := g.Input("x", ops.Mem{Region: ops.Input, Len: n}, N, H, W, 3)
//	y, err := g.Apply(ops.Stem{...}, params, state, x)
//	...
//	err = g.Grad(loss)
//	prog, err := g.Compile(backend, logits, loss)
//	err = prog.Run(backend, ops.Train, 0.1)
//	backend.At(prog.Kept[0]) // the logits
package graph
