//go:build !noasm

package cpu

// pause works like its portable version. It tells the processor that we spin,
// which leaves power and memory bandwidth to the other threads.
func pause()
