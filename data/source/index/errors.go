package index

import (
	"fmt"

	"oneshot/data/source"
)

// ChangedError says that a record is no longer what it was when it was listed.
type ChangedError struct {
	source.Place
	Msg   string // "has 12 bytes, and had 20"
	Index string // path of the stored list, or ""
}

func (e *ChangedError) Error() string {
	at := ""
	if e.Offset > 0 {
		at = fmt.Sprintf("offset %d: ", e.Offset)
	}
	return fmt.Sprintf("data: %s: %s%s: it changed since the records were listed", e.Place, at, e.Msg)
}

// Hint says what to do about it.
func (e *ChangedError) Hint() string {
	if e.Index == "" {
		return "run again, so that the records are listed anew"
	}
	return "put the file back as it was, or list the files anew for another run with another --cache folder; the stored list is " + e.Index
}

// twiceError says that a record is in two splits. Its file is relative to the root until
// Open, which knows the root, has it.
type twiceError struct{ *source.FileError }
