package plan

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"oneshot/internal/fault"
	"oneshot/supernet/space"
)

// ReadArchs reads architectures, one a line, in any form that ReadArch takes but files; it
// calls f for each, in order. Blank lines and lines that begin with # are skipped. An error,
// also one of f, names the line with name, that of the file. in is as for ReadArch.
func ReadArchs(r io.Reader, name string, in space.Space, f func(space.Space, space.Arch) error) error {
	found := 0
	known := map[string]space.Space{in.Name(): in} // by what texts begin with: opening one takes longer than a line
	number, err := Lines(r, func(text string, _ int) (err error) {
		found++
		s, a := known[head(text)], space.Arch(nil)
		if s != nil {
			a, err = s.Parse(text)
		} else if s, a, err = parseArch(text, in); err == nil {
			known[s.Name()] = s
		}
		if err == nil {
			err = f(s, a)
		}
		return err
	})
	if errors.As(err, new(*fs.PathError)) { // a folder, or a device that fails: no line is wrong
		return fault.Wrap(fault.ExitUsage, err, "")
	}
	if err != nil {
		return fault.Wrap(fault.ExitUsage, fmt.Errorf("%s:%d: %w", name, number, err), "a line has an architecture, as `oneshot inspect --help` says; nothing was done")
	}
	if found == 0 {
		return fault.Usage("a line has an architecture, as `oneshot inspect --help` says", "%s has no architecture", name)
	}
	return nil
}

// Lines calls f for each line of a list of architectures, without the space around it and with its number, from 1,
// until an error; number is that of the line at which it ends. Blank lines and lines that begin with # are skipped,
// and a byte order mark before the first line.
func Lines(r io.Reader, f func(text string, number int) error) (number int, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxArchBytes)
	for number = 1; lines.Scan(); number++ {
		text := lines.Text()
		if number == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		text = strings.TrimSpace(text)
		if text == "" || text[0] == '#' {
			continue
		}
		if err := f(text, number); err != nil {
			return number, err
		}
	}
	if err = lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("the line has more than %d bytes", MaxArchBytes)
	}
	return number, err
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
