package fault

import (
	"context"
	"errors"
	"fmt"
)

// Error is an error that knows the exit code of the process and, when there
// is something the user can do, one line of advice.
type Error struct {
	Code int
	Err  error
	Hint string // "" = none; printed as "hint: ..."
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// New makes an Error from a message.
func New(code int, hint, format string, args ...any) error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...), Hint: hint}
}

// Usage is New for a mistake on the command line or in the configuration.
func Usage(hint, format string, args ...any) error {
	return New(ExitUsage, hint, format, args...)
}

// WithCode gives err a code unless it, or something it wraps, has a better one.
func WithCode(err error, code int, hint string) error {
	if err == nil {
		return nil
	}
	if known := Classify(err); known.Code != ExitFailure {
		return err
	}
	return &Error{Code: code, Err: err, Hint: hint}
}

// Wrap gives err this code and hint, whatever it wraps.
func Wrap(code int, err error, hint string) error { return &Error{code, err, hint} }

// ErrStopped is the cause of a context cancelled by SIGINT or SIGTERM.
var ErrStopped = errors.New("stopped on request")

// Stopped is the error of a stage that ctx has ended: where the cause is ErrStopped,
// with the command that continues the run in folder dir.
func Stopped(ctx context.Context, dir, stage string, done, total int) error {
	err := context.Cause(ctx)
	if !errors.Is(err, ErrStopped) {
		return err
	}
	return Wrap(ExitStopped, fmt.Errorf("%w in stage %s at %d of %d", err, stage, done, total),
		"the same command with --resume --out "+dir+" continues")
}
