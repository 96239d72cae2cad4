package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"oneshot/data"
	"oneshot/ops/cuda"
	"oneshot/supernet"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// Exit codes. They are part of the interface: schedulers and scripts branch on
// them, so a number never changes its meaning.
const (
	exitOK       = 0
	exitFailure  = 1  // anything without a better code
	exitUsage    = 2  // wrong flag, argument or configuration; nothing was started
	exitInvalid  = 3  // data or checkpoint missing, damaged or inconsistent
	exitLocked   = 4  // another process works in the run folder
	exitDiverged = 5  // the loss or a gradient is not a finite number
	exitSpace    = 6  // out of memory or disk
	exitDevice   = 7  // the accelerator was lost
	exitStopped  = 75 // EX_TEMPFAIL: stopped on request after a checkpoint; --resume continues
)

// exitError is an error that knows the exit code of the process and, when there
// is something the user can do, one line of advice.
type exitError struct {
	code int
	err  error
	hint string // "" = none; printed as "hint: ..."
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// fail makes an exitError from a message.
func fail(code int, hint, format string, args ...any) error {
	return &exitError{code: code, err: fmt.Errorf(format, args...), hint: hint}
}

// usageError is fail for a mistake on the command line or in the configuration.
func usageError(hint, format string, args ...any) error {
	return fail(exitUsage, hint, format, args...)
}

// withCode gives err a code unless it, or something it wraps, has a better one.
func withCode(err error, code int, hint string) error {
	if err == nil {
		return nil
	}
	if known := classify(err); known.code != exitFailure {
		return err
	}
	return &exitError{code: code, err: err, hint: hint}
}

// errStopped is the cause of a context cancelled by SIGINT or SIGTERM.
var errStopped = errors.New("stopped on request")

// classify finds the exit code and the hint of any error.
func classify(err error) *exitError {
	var known *exitError
	if errors.As(err, &known) {
		return &exitError{code: known.code, err: err, hint: known.hint}
	}
	var format *data.FormatError
	var config *data.ConfigError
	var diverged *supernet.DivergedError
	var infinite *weights.NonFiniteError
	var field *space.FieldError
	var memory *cuda.MemoryError
	switch {
	case errors.As(err, &diverged):
		return &exitError{exitDiverged, err, "a smaller learning rate (train.lr, retrain.lr) or gradient clipping usually helps; the last checkpoint is kept"}
	case errors.As(err, &memory):
		return &exitError{exitSpace, err, "a smaller micro-batch (--set train.micro_batch=..., retrain.micro_batch) needs less; so does --amp bf16"}
	case cuda.IsAbsent(err):
		return &exitError{exitDevice, err, "without an NVIDIA GPU and its driver, use --device cpu"}
	case cuda.IsLost(err):
		return &exitError{exitDevice, err, "nothing was written since the last checkpoint; --resume continues from it, on this device or with --device cpu"}
	case errors.As(err, &format):
		return &exitError{exitInvalid, err, orElse(format.Hint, "`oneshot doctor --dataset ... --data-dir ...` only reads the data")}
	case errors.As(err, &config):
		return &exitError{exitUsage, err, config.Hint}
	case errors.Is(err, weights.ErrNewer), errors.Is(err, weights.ErrDType):
		return &exitError{exitInvalid, err, ""}
	case errors.As(err, &infinite):
		return &exitError{exitDiverged, err, "the last checkpoint is kept; a smaller learning rate usually helps"}
	case errors.Is(err, weights.ErrCorrupt):
		return &exitError{exitInvalid, err, "the file does not match its checksum or format; delete it to fall back to the checkpoint before"}
	case errors.As(err, &field):
		return &exitError{exitUsage, err, ""}
	case errors.Is(err, errStopped), errors.Is(err, context.Canceled):
		return &exitError{exitStopped, err, ""}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return &exitError{exitSpace, err, "free some space (or raise the limit) and continue with --resume; the last checkpoint is kept"}
	case errors.Is(err, syscall.ENOMEM):
		return &exitError{exitSpace, err, "a smaller batch or network needs less memory"}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &exitError{exitFailure, err, "check the permissions of the path"}
	}
	return &exitError{exitFailure, err, ""}
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// report prints err as the user sees it and returns the exit code. A broken
// pipe is silent: whoever read our output has seen enough.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitOK
	}
	e := classify(err)
	if e.code == exitFailure && errors.Is(err, syscall.EPIPE) {
		return exitOK
	}
	fmt.Fprintf(w, "oneshot: %v\n", e.err)
	if e.hint != "" {
		fmt.Fprintf(w, "hint: %s\n", e.hint)
	}
	return e.code
}
