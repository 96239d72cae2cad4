package fault

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"syscall"

	"oneshot/data"
	"oneshot/data/source"
	"oneshot/data/source/index"
	"oneshot/ops/cuda"
	"oneshot/supernet"
	"oneshot/supernet/space"
	"oneshot/weights"
)

// Classify finds the exit code and the hint of any error.
func Classify(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return &Error{Code: known.Code, Err: err, Hint: known.Hint}
	}
	var file *source.FileError
	var record *source.Fault
	var changed *index.ChangedError
	var config *data.ConfigError
	var diverged *supernet.DivergedError
	var infinite *weights.NonFiniteError
	var field *space.FieldError
	var memory *cuda.MemoryError
	switch {
	case errors.As(err, &diverged):
		return &Error{ExitDiverged, err, "a smaller learning rate (train.lr, retrain.lr) or gradient clipping usually helps; the last checkpoint is kept"}
	case errors.As(err, &memory):
		return &Error{ExitSpace, err, "a smaller micro-batch (--set train.micro_batch=..., retrain.micro_batch) needs less; so does --amp bf16"}
	case cuda.IsAbsent(err):
		return &Error{ExitDevice, err, "without an NVIDIA GPU and its driver, use --device cpu"}
	case cuda.IsLost(err):
		return &Error{ExitDevice, err, "nothing was written since the last checkpoint; --resume continues from it, on this device or with --device cpu"}
	case errors.As(err, &file):
		return &Error{ExitInvalid, err, cmp.Or(file.Hint, "`oneshot data verify --data-dir ...` reads all of it and lists what is wrong")}
	case errors.As(err, &changed):
		return &Error{ExitInvalid, err, changed.Hint()}
	case errors.As(err, &record):
		return &Error{ExitInvalid, err, "`oneshot data verify --data-dir ...` lists all such records; --on-bad-sample skip:N leaves out up to N of them"}
	case errors.As(err, &config):
		return &Error{ExitUsage, err, config.Hint}
	case errors.Is(err, weights.ErrNewer), errors.Is(err, weights.ErrDType):
		return &Error{ExitInvalid, err, ""}
	case errors.As(err, &infinite):
		return &Error{ExitDiverged, err, "the last checkpoint is kept; a smaller learning rate usually helps"}
	case errors.Is(err, weights.ErrCorrupt):
		return &Error{ExitInvalid, err, "the file is damaged, or of another kind; where it is a checkpoint of a run, --resume goes on from the one before"}
	case errors.As(err, &field):
		return &Error{ExitUsage, err, ""}
	case errors.Is(err, ErrStopped), errors.Is(err, context.Canceled):
		return &Error{ExitStopped, err, ""}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return &Error{ExitSpace, err, "free some space (or raise the limit) and continue with --resume; the last checkpoint is kept"}
	case errors.Is(err, syscall.ENOMEM):
		return &Error{ExitSpace, err, "a smaller batch or network needs less memory"}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &Error{ExitFailure, err, "check the permissions of the path"}
	}
	return &Error{ExitFailure, err, ""}
}
