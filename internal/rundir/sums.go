package rundir

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"path/filepath"
	"strings"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// Lines of scores have no checksum in them: their bytes are results. So each file that holds such lines
// has one of checksums beside it, with a line for each: the SHA-256 of the file up to there. A line is
// synced before its checksum is written, so after a crash the last line may have none. A whole file
// without checksums was written by an earlier version.

// Sum is a line of a file of checksums.
type Sum struct {
	Lines  int    `json:"lines"` // from the first of the file
	SHA256 string `json:"sha256"`
}

// SumsOf is the file of checksums of a file of lines.
func SumsOf(path string) string { return strings.TrimSuffix(path, filepath.Ext(path)) + ".sums" }

// SummedLines is a JSONL with checksums.
type SummedLines struct {
	lines, sums *JSONL
	hash        hash.Hash // of what is in lines
	n           int       // lines
}

// OpenSummed is OpenJSONL of a file with checksums. A line that is not the one that was written is an
// error, and nothing is cut then; what else is not as it should be is warned of and put right.
func OpenSummed(path string, warn func(format string, args ...any), keep func(line []byte) (bool, error)) (s *SummedLines, torn bool, err error) {
	proof, err := ProveLines(path)
	if err != nil {
		return nil, false, err
	}
	if proof.Note != "" {
		warn("%s", proof.Note)
	}
	s = &SummedLines{hash: sha256.New()}
	var sums bytes.Buffer
	s.lines, torn, err = OpenJSONL(path, func(line []byte) (bool, error) {
		ok, err := keep(line)
		if ok && err == nil {
			sums.Write(s.sum(line))
		}
		return ok, err
	})
	if err != nil {
		return nil, false, err
	}
	if _, err = Folder(filepath.Dir(path)).Update(sums.Bytes(), filepath.Base(SumsOf(path))); err == nil {
		s.sums, err = appendJSONL(SumsOf(path))
	}
	if err != nil {
		s.lines.Close()
		return nil, false, err
	}
	return s, torn, nil
}

// sum is the line of the checksums that belongs to the next line, given without its end.
func (s *SummedLines) sum(line []byte) []byte {
	s.hash.Write(line)
	s.hash.Write([]byte("\n"))
	s.n++
	b, _ := json.Marshal(s.last()) // a number and a text: cannot fail
	return append(b, '\n')
}

func (s *SummedLines) last() Sum { return Sum{s.n, hex.EncodeToString(s.hash.Sum(nil))} }

// Append adds v as one line, brings it to the disk, and then its checksum.
func (s *SummedLines) Append(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%s: %w", s.lines.path, err)
	}
	if err := s.lines.Append(json.RawMessage(b)); err != nil {
		return err
	}
	if err := s.lines.Sync(); err != nil {
		return err
	}
	s.sum(b)
	if err := s.sums.Append(s.last()); err != nil {
		return err
	}
	return s.sums.Sync()
}

// Close closes both files.
func (s *SummedLines) Close() error { return errors.Join(s.lines.Close(), s.sums.Close()) }

// Proof is what the checksums say of a file of lines of which none is wrong.
type Proof struct {
	Lost int    // lines that were there and are gone
	Note string // what is not as it should be and can be put right; "" is nothing
}

// maxSums caps a file of checksums: half a million lines.
const maxSums = 64 << 20

// ProveLines compares a file of lines with its checksums. A line that is another than was written is
// an error.
//
// Each checksum is of all lines before it. So where one differs and the last agrees, it is the file of
// checksums that is damaged.
func ProveLines(path string) (p Proof, err error) {
	sums := SumsOf(path)
	b, err := atomicfile.ReadAtMost(sums, maxSums)
	none := errors.Is(err, fs.ErrNotExist)
	if err != nil && !none {
		return p, err
	}
	var s SummedLines
	s.hash = sha256.New()
	var want [][]byte
	f, _, err := atomicfile.OpenRegular(path)
	if err == nil {
		defer f.Close()
		_, _, err = ScanJSONL(f, path, func(line []byte) (bool, error) {
			want = append(want, s.sum(line))
			return true, nil
		})
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return p, err
	}
	if none {
		if len(want) > 1 {
			p.Note = fmt.Sprintf("%s is not there, as in a folder of an earlier version: nothing proves the %d lines of %s", sums, len(want), filepath.Base(path))
		}
		return p, nil
	}
	have := bytes.SplitAfter(b, []byte("\n"))
	have = have[:len(have)-1] // what has no end
	both := min(len(have), len(want))
	wrong := 0
	for wrong < both && bytes.Equal(have[wrong], want[wrong]) {
		wrong++
	}
	switch {
	case wrong < both && isSum(have[both-1], both) && !bytes.Equal(have[both-1], want[both-1]):
		return p, fault.New(fault.ExitInvalid, FromCopy, "%s:%d: not the line that the run wrote, by its checksum in %s", path, wrong+1, sums)
	case wrong < both:
		p.Note = fmt.Sprintf("%s:%d: damaged; it is written again from %s", sums, wrong+1, filepath.Base(path))
	case len(have) > len(want):
		p.Note = fmt.Sprintf("%s has %d of the %d lines that were written; what is missing is computed again", path, len(want), len(have))
	case len(have)+1 < len(want):
		p.Note = fmt.Sprintf("%s has lost checksums: it proves %d of the %d lines of %s", sums, len(have), len(want), filepath.Base(path))
	}
	p.Lost = max(0, len(have)-len(want))
	return p, nil
}

// isSum says whether a line has the form of the checksum of so many lines.
func isSum(line []byte, lines int) bool {
	var s Sum
	if strictly(line, &s) != nil || s.Lines != lines || len(s.SHA256) != 2*sha256.Size {
		return false
	}
	again, err := json.Marshal(s)
	return err == nil && bytes.Equal(append(again, '\n'), line) && strings.Trim(s.SHA256, "0123456789abcdef") == ""
}

// WriteSummed is WriteJSON of a file that changes as a whole and has no checksum in it. The checksums
// of what is there and of what takes its place lie beside it, and are written first: so in a crash the
// file is one of the two.
func (d Folder) WriteSummed(v any, parts ...string) error {
	b, err := Indented(v)
	if err != nil {
		return fmt.Errorf("%s: %w", d.File(parts...), err)
	}
	var sums []byte
	add := func(file []byte) error {
		sum := sha256.Sum256(file)
		line, err := json.Marshal(Sum{bytes.Count(file, []byte("\n")), hex.EncodeToString(sum[:])})
		sums = append(append(sums, line...), '\n')
		return err
	}
	have, err := atomicfile.ReadAtMost(d.File(parts...), maxJSON)
	if err == nil {
		err = add(have)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := add(b); err != nil {
		return err
	}
	if err := d.write(sums, nil, SumsOf(filepath.Join(parts...))); err != nil {
		return err
	}
	return d.write(b, nil, parts...)
}

// ReadSummed is ReadJSON of such a file. One without checksums was written by an earlier version.
func (d Folder) ReadSummed(v any, parts ...string) error {
	path := d.File(parts...)
	b, err := atomicfile.ReadAtMost(SumsOf(path), maxSums)
	if errors.Is(err, fs.ErrNotExist) {
		return d.ReadJSON(v, parts...)
	}
	if err != nil {
		return err
	}
	sum, _, err := HashFile(path)
	if err != nil {
		return err
	}
	if !bytes.Contains(b, []byte(`"sha256":"`+sum+`"`)) {
		return fault.New(fault.ExitInvalid, d.Remedy(parts...), "%s: not the file that the run wrote, by its checksum in %s", path, SumsOf(path))
	}
	return d.ReadJSON(v, parts...)
}
