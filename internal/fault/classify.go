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
	"oneshot/internal/atomicfile"
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
	var none *supernet.NoNumberError
	var field *space.FieldError
	var memory *cuda.MemoryError
	var large *atomicfile.SizeError
	switch {
	case errors.As(err, &diverged):
		return &Error{ExitDiverged, err, "a smaller learning rate (train.lr, retrain.lr) or gradient clipping (train.clip, retrain.clip) usually helps; the last checkpoint is kept, and a run goes on from it with --resume, --override and --set train.lr=..."}
	case errors.As(err, &memory):
		return &Error{ExitSpace, err, "a training needs less with a smaller micro-batch (--set train.micro_batch=... or --set retrain.micro_batch=...); --amp bf16 needs less than --amp float32"}
	case cuda.IsAbsent(err):
		return &Error{ExitDevice, err, "without an NVIDIA GPU and its driver, use --device cpu"}
	case cuda.IsLost(err):
		return &Error{ExitDevice, err, "nothing was written since the last checkpoint; a run goes on from it with --resume, on this device or with --device cpu; a search that has begun is done anew there, with --override, as two devices round differently"}
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
	case errors.Is(err, weights.ErrCorrupt): // before infinite: a file that holds NaN was not written by us
		return &Error{ExitInvalid, err, "the file is damaged, or of another kind; put it back from a copy. Of damaged checkpoints a run goes on from the one before"}
	case errors.As(err, &infinite):
		return &Error{ExitDiverged, err, "a smaller learning rate (train.lr, retrain.lr) usually helps; the last checkpoint is kept"}
	case errors.As(err, &none):
		return &Error{ExitDiverged, err, "the weights have grown beyond what can be computed with; a smaller learning rate (train.lr, retrain.lr) usually helps"}
	case errors.As(err, &field):
		return &Error{ExitUsage, err, ""}
	case errors.Is(err, ErrStopped), errors.Is(err, context.Canceled):
		return &Error{ExitStopped, err, ""}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return &Error{ExitSpace, err, "with more space, or a higher limit, a run goes on with --resume from its last checkpoint, which is kept"}
	case errors.Is(err, syscall.ENOMEM):
		return &Error{ExitSpace, err, "a smaller batch or network needs less memory"}
	case errors.As(err, &large), errors.Is(err, atomicfile.ErrNotRegular), errors.Is(err, syscall.EISDIR):
		return &Error{ExitInvalid, err, ""}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &Error{ExitFailure, err, "check the permissions of the path"}
	}
	return &Error{ExitFailure, err, ""}
}
