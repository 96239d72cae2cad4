package source

import (
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// FileError says what is wrong with a whole file or folder, where no record can be blamed.
type FileError struct {
	File   string // path as opened
	Offset int64  // byte in the file where the trouble is
	Msg    string // "is no tar file"
	Hint   string // what to do about it, or ""
	Err    error  // the operating system's error, or nil
}

func (e *FileError) Error() string {
	s := "data: " + Shown(e.File) + ": "
	if e.Offset > 0 {
		s += fmt.Sprintf("offset %d: ", e.Offset)
	}
	s += e.Msg
	if e.Err != nil {
		s += ": " + cause(e.File, e.Err)
	}
	return s
}

func (e *FileError) Unwrap() error { return e.Err }

// Wrong says what is wrong with a file at an offset. hint may be empty and err nil.
func Wrong(file string, offset int64, hint string, err error, format string, args ...any) *FileError {
	return &FileError{File: file, Offset: offset, Msg: fmt.Sprintf(format, args...), Hint: hint, Err: err}
}

// Shown is a file's name as it may be printed: quoted where it is no UTF-8, or holds what
// a terminal would act on.
func Shown(name string) string {
	if utf8.ValidString(name) {
		plain := true
		for _, r := range name {
			plain = plain && unicode.IsPrint(r)
		}
		if plain {
			return name
		}
	}
	return strconv.Quote(name)
}
