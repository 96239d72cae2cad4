// Package ops holds the differentiable operations of the networks, the optimizers,
// and the backends that run them.
//
// What. An Op says everything about one operation: its parameters and batch
// normalisations, shapes, gradients, cost. A Backend has kernels for it: CPU those
// of ops/cpu, CUDA those of ops/cuda. A Program is a straight line of operations,
// forward and backward, over named memory; package ops/graph compiles it from an
// expression graph, or it can be written by hand.
//
// Contract.
//
//   - Activations are NHWC; a tensor's shape is written (N,H,W,C).
//   - An Op is a plain value. It holds no buffers, so one Op may be used by any
//     number of graphs and goroutines.
//   - Memory is named, not pointed to: a Mem is (region, offset, length), and
//     the Backend owns the regions. The same Program therefore runs on a
//     processor's memory or on a device's.
//   - Parameters, gradients and the optimizer's slots lie at the same offsets of
//     flat regions; activations share one arena, laid out by liveness.
//   - A batch-normalisation op works in three modes (Mode): with the statistics
//     of the batch, with running statistics, and accumulating running
//     statistics for recalibration.
//   - Where a value has several consumers, the first one's Backward writes the
//     gradient and the others add to it in place (Call.DAdd); a node's sum passes
//     its gradient on without a copy. A parameter has one use in a program, which
//     writes its gradient.
//   - Batch normalisation is deferred: an op leaves its output raw with
//     coefficients, and whoever reads it normalises on the way (Call.InNorm).
//   - Backward of a normalisation needs sums of its output's gradient. Where one
//     operation alone wrote that, it may have them already (Call.DInSum, DOutSum).
//
// Normalisation stands last in an operation and activations first: what an operation
// with Norms writes is raw, and the activation behind it is its reader's.
//
// A new operation is one file here: its type with the methods of Op, its kernels'
// arguments for both backends, and a call of register; beside it a pass in ops/cpu
// and a kernel in ops/cuda, and a case in opstest.Cases, without which a test fails.
//
// Example runs a program written by hand.
package ops
