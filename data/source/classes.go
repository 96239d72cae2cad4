package source

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxClasses is the most classes of a collection; the largest public ones have 200,000.
	MaxClasses = 1 << 20
	// MaxClassName is the longest name of a class in bytes.
	MaxClassName = 1024

	maxClassFile = 16 << 20
)

// IsClassName says that a name can be a line of a text file that people read: UTF-8 of at most
// MaxClassName bytes without control characters, and not blank.
func IsClassName(name string) bool {
	return len(name) <= MaxClassName && strings.TrimSpace(name) != "" &&
		utf8.ValidString(name) && !strings.ContainsFunc(name, unicode.IsControl)
}

// ClassNames checks the names of classes that a file gives. A name that is there twice gets its
// number behind it, and a note says so: public lists of ImageNet's names have two cranes.
func ClassNames(file string, names []string) (classes, notes []string, err error) {
	if len(names) == 0 {
		return nil, nil, Wrong(file, 0, "", nil, "names no class")
	}
	if len(names) > MaxClasses {
		return nil, nil, Wrong(file, 0, "", nil, "names %d classes, want at most %d", len(names), MaxClasses)
	}
	given := make(map[string]bool, len(names))
	for i, name := range names {
		if !IsClassName(name) {
			return nil, nil, Wrong(file, 0, "want a name of one line of UTF-8", nil, "name %d of a class is %.40q", i+1, name)
		}
		given[name] = true
	}
	seen := make(map[string]bool, len(names))
	for i, name := range names {
		if seen[name] {
			notes = append(notes, fmt.Sprintf("class %d is called %s as another is; its number was added", i, name))
			for name = fmt.Sprintf("%s (%d)", name, i); given[name] || seen[name]; {
				name += "'"
			}
		}
		seen[name] = true
		classes = append(classes, name)
	}
	return classes, notes, nil
}

// ReadClasses reads a text file of class names, a line each, in the order of the labels. The
// rules are those of ClassNames; where there is no file the error is fs.ErrNotExist.
func ReadClasses(file string) (classes, notes []string, err error) {
	f, size, err := OpenFile(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if size > maxClassFile {
		return nil, nil, Wrong(file, 0, "", nil, "has %d bytes, want at most %d", size, maxClassFile)
	}
	text := make([]byte, size)
	if n, err := io.ReadFull(f, text); err != nil {
		return nil, nil, Wrong(file, int64(n), "", err, "file cannot be read")
	}
	return ClassNames(file, ClassLines(string(text)))
}

// ClassLines are the lines of a text of class names, without the blanks around them. A byte
// order mark before the first and blank lines behind the last are none.
func ClassLines(text string) []string {
	var names []string
	for line := range strings.Lines(strings.TrimRight(strings.TrimPrefix(text, "\uFEFF"), " \t\r\n")) {
		names = append(names, strings.TrimSpace(line))
	}
	return names
}
