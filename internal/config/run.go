package config

import "runtime"

// ThreadCount is how many threads compute: Threads, or where that is 0 all processors.
func (r Run) ThreadCount() int {
	if r.Threads > 0 {
		return r.Threads
	}
	return runtime.GOMAXPROCS(0)
}

// Half says whether activations on a GPU are bfloat16.
func (r Run) Half() bool { return r.AMP != "float32" }
