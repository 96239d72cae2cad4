package fault

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"oneshot/internal/ui"
)

// Report prints err as the user sees it and returns the exit code. A broken
// pipe is silent: whoever read our output has seen enough. Nothing that a file or its name holds acts on a
// terminal.
func Report(w io.Writer, err error) int {
	if err == nil {
		return ExitOK
	}
	e := Classify(err)
	if e.Code == ExitFailure && errors.Is(err, syscall.EPIPE) {
		return ExitOK
	}
	fmt.Fprintf(w, "oneshot: %s\n", ui.Message(e.Err.Error()))
	if e.Hint != "" {
		fmt.Fprintf(w, "hint: %s\n", ui.Message(e.Hint))
	}
	return e.Code
}
