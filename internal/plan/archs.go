package plan

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"oneshot/internal/fault"
	"oneshot/supernet/space"
)

// ReadArchs reads architectures, one a line, in any form that ReadArch takes but files; it
// calls f for each, in order. Blank lines and lines that begin with # are skipped. An error,
// also one of f, names the line with name, that of the file. in is as for ReadArch.
func ReadArchs(r io.Reader, name string, in space.Space, f func(space.Space, space.Arch) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxArchBytes)
	number, found := 0, 0
	known := map[string]space.Space{in.Name(): in} // by what texts begin with: opening one takes longer than a line
	bad := func(err error) error {
		return fault.Wrap(fault.ExitUsage, fmt.Errorf("%s:%d: %w", name, number, err), "a line has an architecture, as `oneshot inspect --help` says; nothing was done")
	}
	for lines.Scan() {
		number++
		text := string(bytes.TrimSpace(lines.Bytes()))
		if text == "" || text[0] == '#' {
			continue
		}
		s, a, err := known[head(text)], space.Arch(nil), error(nil)
		if s != nil {
			a, err = s.Parse(text)
		} else if s, a, err = parseArch(text, in); err == nil {
			known[s.Name()] = s
		}
		if err == nil {
			err = f(s, a)
		}
		if err != nil {
			return bad(err)
		}
		found++
	}
	if err := lines.Err(); err != nil {
		number++
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("the line has more than %d bytes", MaxArchBytes)
		}
		return bad(err)
	}
	if found == 0 {
		return fault.Usage("a line has an architecture, as `oneshot inspect --help` says", "%s has no architecture", name)
	}
	return nil
}

// head is what a text form begins with, the name of its space.
func head(text string) string {
	name, _, _ := strings.Cut(text, ":")
	return name
}

// ReadArchsFile is ReadArchs of a file.
func ReadArchsFile(path string, in space.Space, f func(space.Space, space.Arch) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	defer file.Close()
	return ReadArchs(file, path, in, f)
}
