// Package cuda makes plans of kernel launches, and runs them on an NVIDIA GPU.
//
// What. A task is one call of a kernel on arguments of its own. A [Builder] takes tasks
// over virtual buffers and orders them by what they read and write. Tasks that call the
// same kernel and do not need each other's results become one launch of its [Plan]. An
// [Engine] owns a device: it loads a plan ([Engine.Load]) and launches its sections
// ([Loaded.Launch]). The kernels are CUDA C in the folder kernels, committed as PTX and as
// machine code too. args.go declares their arguments, table.go says which of these a kernel
// writes.
//
// Why. A training step has a thousand small tasks, and each launch costs time; see
// docs/decisions/gpu.md.
//
// Contract. A plan is made without a device. Sums over blocks have a fixed order, so a plan
// gives the same bits each time on the same device. Too little memory is a [*MemoryError];
// [IsAbsent] tells the error of a machine without a device. After a fault that a device
// cannot recover from ([IsLost]) every call of its engine fails.
//
// Example makes a plan without a GPU.
package cuda
