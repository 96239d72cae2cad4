package fault

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"strings"
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
	if e := ofTraining(err, "train", "retrain"); e != nil {
		return e
	}
	var file *source.FileError
	var record *source.Fault
	var changed *index.ChangedError
	var config *data.ConfigError
	var infinite *weights.NonFiniteError
	var none *supernet.NoNumberError
	var field *space.FieldError
	var large *atomicfile.SizeError
	switch {
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
		return &Error{ExitSpace, err, "with more space, or a higher limit, the same command does it; a run goes on with --resume from its last checkpoint, which is kept"}
	case errors.Is(err, syscall.ENOMEM):
		return &Error{ExitSpace, err, "a smaller batch or network needs less memory"}
	case errors.As(err, &large), errors.Is(err, atomicfile.ErrNotRegular), errors.Is(err, syscall.EISDIR):
		return &Error{ExitInvalid, err, ""}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &Error{ExitFailure, err, "check the permissions of the path"}
	}
	return &Error{ExitFailure, err, ""}
}

// Training is Classify of what ended a training, with the keys of its own section in the hint: train or retrain.
func Training(section string, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return err
	}
	if e := ofTraining(err, section); e != nil {
		return e
	}
	return err
}

// ofTraining classifies what ends trainings alone, with the keys of some sections in the hint; nil is anything else.
func ofTraining(err error, sections ...string) *Error {
	var diverged *supernet.DivergedError
	var memory *cuda.MemoryError
	switch {
	case errors.As(err, &diverged):
		return &Error{ExitDiverged, err, calmer(sections...)}
	case errors.As(err, &memory):
		return &Error{ExitSpace, err, smaller(sections...)}
	}
	return nil
}

// calmer is what to do where the training of one of the sections has diverged.
func calmer(sections ...string) string {
	return "a smaller learning rate (" + keys("", "lr", ", ", sections) + ") or gradient clipping (" + keys("", "clip", ", ", sections) +
		") usually helps; the last checkpoint is kept, and a run goes on from it with --resume, --override and " + keys("--set ", "lr=...", " or ", sections)
}

// smaller is what to do where it takes more memory of a device than there is.
func smaller(sections ...string) string {
	return "a training needs less with a smaller micro-batch (" + keys("--set ", "micro_batch=...", " or ", sections) + "); --amp bf16 needs less than --amp float32"
}

// keys lists a key of each section.
func keys(before, key, between string, sections []string) string {
	var list []string
	for _, s := range sections {
		list = append(list, before+s+"."+key)
	}
	return strings.Join(list, between)
}
