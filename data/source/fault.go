package source

import "fmt"

// Fault says what is wrong with one record. It is what the policy for bad samples is about:
// a file that is no image may be left out, a disk that fails may not.
type Fault struct {
	Place
	Msg string // "is empty", "ends after 4,096 of 20,113 bytes"
	Err error  // what a decoder or the operating system says, or nil
}

func (f *Fault) Error() string {
	s := fmt.Sprintf("data: %s: offset %d: %s", f.Place, f.Offset, f.Msg)
	if f.Err != nil {
		s += ": " + f.Err.Error()
	}
	return s
}

func (f *Fault) Unwrap() error { return f.Err }
