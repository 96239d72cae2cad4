// Package cpu holds the kernels of the trainer for the CPU: what a convolutional
// network of separable convolutions, pools and batch normalisation needs to run
// forward and backward, and one optimizer step.
//
// # Layout
//
// Every tensor is a plain slice of float32 or float64, contiguous, with the
// channel innermost: images are (N,H,W,C), depthwise weights (K,K,C), pointwise
// and linear weights (Cin,Cout). Matrices are row-major. Sizes are arguments.
//
// # Contracts
//
// A kernel panics with a constant string if a slice does not have the length its
// shape says, or a shape makes no sense: that is a mistake of the caller. Empty
// shapes are fine. Results overwrite their destination unless the name or the
// comment says "add". A destination must not overlap an operand unless the
// comment says it may be one. Scratch is memory that the caller lends: its
// content means nothing before and after, and the function named XScratch says
// how much X needs.
//
// NaN and Inf are values like any other: no kernel skips a product with zero or
// turns a NaN into a number, so a diverged network shows in its loss. Where a
// kernel differs from IEEE 754 arithmetic on them, its comment says so.
//
// # Threads
//
// A kernel cuts its work into chunks by shape alone and runs them on a [Pool].
// Partial sums are added in the order of the chunks, so the number of threads
// changes no bit of any result. Another processor may round differently: the
// fast versions of the primitives fuse multiply and add.
//
// A kernel allocates a few hundred bytes for its bookkeeping and nothing that
// grows with the shape.
//
// # Primitives
//
// The loops live in a few single-threaded primitives on rows, such as gemmRows
// and dwRow. Each has a reference in plain Go, fooRef, which defines it. On
// amd64 processors with AVX2 and FMA there is a float32 version in assembly,
// which the build tag noasm leaves out.
package cpu
