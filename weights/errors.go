package weights

import (
	"errors"
	"strconv"
	"strings"
)

var (
	// ErrNoCheckpoint: the directory is missing or holds no checkpoint at all.
	ErrNoCheckpoint = errors.New("no checkpoint")
	// ErrCorrupt: the bytes contradict their format or checksum.
	ErrCorrupt = errors.New("damaged")
	// ErrNewer: intact, but of a schema version this program does not know.
	ErrNewer = errors.New("written by a newer oneshot")
	// ErrDType: a valid safetensors file with an element type other than F32 and I64.
	ErrDType = errors.New("element type not supported")
)

// A FormatError says where a file breaks its format. It wraps ErrCorrupt,
// ErrNewer or ErrDType.
type FormatError struct {
	File   string
	Offset int64  // byte in File where the fault was noticed
	Field  string // the part of the file, such as `tensor "stem.conv.weight" shape`; may be empty
	Msg    string
	Hint   string // what to do about it; may be empty
	Kind   error  // ErrCorrupt, ErrNewer or ErrDType
}

func (e *FormatError) Error() string {
	var b strings.Builder
	b.WriteString("weights: " + e.File + ": ")
	if e.Offset > 0 {
		b.WriteString("byte " + strconv.FormatInt(e.Offset, 10) + ": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	b.WriteString(e.Msg)
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

func (e *FormatError) Unwrap() error { return e.Kind }
