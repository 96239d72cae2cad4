package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"oneshot/internal/device"
)

// This file and main.go are where the process reads its surroundings (invariant
// I6): environment and terminal here; clock, standard files and exit in main.go.

// isLive reports whether w is a terminal, and nothing in the environment asks
// for plain text.
func isLive(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || os.Getenv("NO_COLOR") != "" || os.Getenv("CI") != "" {
		return false
	}
	return term.IsTerminal(int(f.Fd()))
}

// deviceFiles are those that the environment names instead of the usual ones.
func deviceFiles() device.Files {
	return device.Files{Driver: os.Getenv("CUDA_DRIVER_LIBRARY"), Kernels: os.Getenv("ONESHOT_CUDA_KERNELS")}
}

// gcIsSet says that the user decided about garbage collection.
func gcIsSet() bool { return os.Getenv("GOGC") != "" }
