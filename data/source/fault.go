package source

import (
	"fmt"
	"io/fs"
	"strings"
)

// Fault says what is wrong with one record. It is what the policy for bad samples is about:
// a file that is no image may be left out, a disk that fails may not.
type Fault struct {
	Place
	Msg string // "is empty", "ends after 4,096 of 20,113 bytes"
	Err error  // what a decoder or the operating system says, or nil
}

func (f *Fault) Error() string {
	s := fmt.Sprintf("data: %s: ", f.Place)
	if f.Offset > 0 {
		s += fmt.Sprintf("offset %d: ", f.Offset)
	}
	s += f.Msg
	if f.Err != nil {
		s += ": " + cause(f.File, f.Err)
	}
	return s
}

// cause is what an error says about a file whose name stands before it already.
func cause(file string, err error) string {
	if p, ok := err.(*fs.PathError); ok && strings.HasSuffix(file, p.Path) {
		return p.Err.Error()
	}
	return err.Error()
}

func (f *Fault) Unwrap() error { return f.Err }
