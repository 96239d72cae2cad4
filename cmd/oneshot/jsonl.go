package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"oneshot/internal/fault"
)

// jsonl is a file of one JSON object per line that only grows. A line is one
// write, so a crash leaves at most the last one torn.
type jsonl struct {
	f    *os.File
	path string
}

// maxJSONLine caps a line when reading; ours have a few hundred bytes.
const maxJSONLine = 1 << 20

// openJSONL opens path for appending, creating it if needed. It hands every
// whole line to keep, in order, and cuts the file before the first one that
// keep refuses: that is how a resumed stage forgets what it will do again.
// A torn last line is cut as well and reported in torn.
func openJSONL(path string, keep func(line []byte) (bool, error)) (j *jsonl, torn bool, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	end, torn, err := scanJSONL(f, path, keep)
	if err != nil {
		return nil, false, err
	}
	if err := f.Truncate(end); err != nil {
		return nil, false, err
	}
	return &jsonl{f, path}, torn, nil
}

// scanJSONL returns the offset behind the last line to keep. Only the last line
// may be damaged; damage before it did not come from a crash of ours.
func scanJSONL(r io.Reader, path string, keep func([]byte) (bool, error)) (end int64, torn bool, err error) {
	br := bufio.NewReaderSize(r, 64<<10)
	damaged := 0
	for n := 1; ; n++ {
		line, err := readLine(br)
		if errors.Is(err, io.EOF) {
			return end, damaged > 0 || len(line) > 0, nil
		}
		if err != nil {
			return 0, false, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if damaged > 0 {
			return 0, false, fault.New(fault.ExitInvalid, "the file was changed by something else than oneshot; restore it or start a new run",
				"%s:%d: not a JSON object", path, damaged)
		}
		body := bytes.TrimSuffix(line, []byte("\n"))
		if !json.Valid(body) || len(body) == 0 || body[0] != '{' {
			damaged = n
			continue
		}
		ok, err := keep(body)
		if err != nil {
			return 0, false, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if !ok {
			return end, false, nil
		}
		end += int64(len(line))
	}
}

func readLine(br *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := br.ReadSlice('\n')
		line = append(line, part...)
		if len(line) > maxJSONLine {
			return nil, fmt.Errorf("line longer than %d bytes", maxJSONLine)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// append adds v as one line.
func (j *jsonl) append(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", j.path, err)
	}
	if _, err := j.f.Write(append(b, '\n')); err != nil {
		return err
	}
	return nil
}

func (j *jsonl) sync() error  { return j.f.Sync() }
func (j *jsonl) close() error { return j.f.Close() }
