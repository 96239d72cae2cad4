package fault

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// Report prints err as the user sees it and returns the exit code. A broken
// pipe is silent: whoever read our output has seen enough.
func Report(w io.Writer, err error) int {
	if err == nil {
		return ExitOK
	}
	e := Classify(err)
	if e.Code == ExitFailure && errors.Is(err, syscall.EPIPE) {
		return ExitOK
	}
	fmt.Fprintf(w, "oneshot: %v\n", e.Err)
	if e.Hint != "" {
		fmt.Fprintf(w, "hint: %s\n", e.Hint)
	}
	return e.Code
}
