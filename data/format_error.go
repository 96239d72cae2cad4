package data

import (
	"fmt"
	"strings"
)

// FormatError reports a data file that is missing or not what its layout says.
type FormatError struct {
	File   string // path as opened
	Offset int64  // byte in the file where the trouble is
	Field  string // "file", "size" or "label", "coarse label"
	Want   string // what the layout says, or empty
	Got    string // what the file says, or empty
	Hint   string // what to do about it, or empty
	Err    error  // the operating system's error, or nil
}

func (e *FormatError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "data: %s: offset %d: %s", e.File, e.Offset, e.Field)
	if e.Got != "" {
		b.WriteString(" is " + e.Got)
	}
	if e.Want != "" {
		b.WriteString(", want " + e.Want)
	}
	if e.Err != nil && e.Got == "" { // Got says it better
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

func (e *FormatError) Unwrap() error { return e.Err }
