package rundir

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// JSONL is a file of one JSON object per line that only grows. A line is one
// write, so a crash leaves at most the last one torn.
type JSONL struct {
	f    atomicfile.Growing
	path string
}

// FromCopy is what to do about a damaged file that cannot be made again.
const FromCopy = "put it back from a copy, or go on in another folder with --out"

const (
	maxJSONLine = 1 << 20 // caps a line when reading; ours have a few hundred bytes
	maxJSONL    = 4 << 30 // caps a file; metrics of ten million steps have a third of it
)

// appendJSONL opens path for appending, creating it if needed, without a look at
// what it holds. A link is not followed.
func appendJSONL(path string) (*JSONL, error) {
	f, err := atomicfile.OS.Append(path, 0o644)
	if err != nil {
		return nil, err
	}
	// While it is empty its name may not last, whoever made it.
	if _, err := f.ReadAt(make([]byte, 1), 0); errors.Is(err, io.EOF) {
		if err := atomicfile.OS.SyncDir(filepath.Dir(path)); err != nil {
			f.Close()
			return nil, err
		}
	}
	return &JSONL{f, path}, nil
}

// OpenJSONL opens path for appending, creating it if needed. It hands every
// whole line to keep, in order, and cuts the file before the first one that
// keep refuses: that is how a resumed stage forgets what it will do again.
// A torn last line is cut as well and reported in torn.
func OpenJSONL(path string, keep func(line []byte) (bool, error)) (j *JSONL, torn bool, err error) {
	opened, err := appendJSONL(path)
	if err != nil {
		return nil, false, err
	}
	defer func() {
		if err != nil {
			opened.Close()
		}
	}()
	end, torn, err := ScanJSONL(io.NewSectionReader(opened.f, 0, math.MaxInt64), path, keep)
	if err != nil {
		return nil, false, err
	}
	if err := opened.f.Truncate(end); err != nil {
		return nil, false, err
	}
	return opened, torn, nil
}

// ScanJSONL returns the offset behind the last line to keep. Only the last line
// may be damaged; damage before it did not come from a crash of ours.
func ScanJSONL(r io.Reader, path string, keep func([]byte) (bool, error)) (end int64, torn bool, err error) {
	return scanJSONL(r, path, maxJSONL, keep)
}

func scanJSONL(r io.Reader, path string, limit int64, keep func([]byte) (bool, error)) (end int64, torn bool, err error) {
	br := bufio.NewReaderSize(r, 64<<10)
	damaged := 0
	for n := 1; ; n++ {
		line, err := readLine(br)
		if end+int64(len(line)) > limit {
			return 0, false, &atomicfile.SizeError{Path: path, Limit: limit}
		}
		last := errors.Is(err, io.EOF) // line has no end, or nothing in it
		if err != nil && !last {
			return 0, false, fmt.Errorf("%s:%d: %w", path, n, err)
		}
		if last && (damaged == 0 || len(line) == 0) {
			return end, damaged > 0 || len(line) > 0, nil
		}
		if damaged > 0 {
			return 0, false, fault.New(fault.ExitInvalid, "something else than oneshot changed the file: "+FromCopy,
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

// Append adds v as one line.
func (j *JSONL) Append(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", j.path, err)
	}
	if _, err := j.f.Write(append(b, '\n')); err != nil {
		return err
	}
	return nil
}

// Sync brings what was appended to the disk.
func (j *JSONL) Sync() error { return j.f.Sync() }

// Close closes the file without a sync.
func (j *JSONL) Close() error { return j.f.Close() }
