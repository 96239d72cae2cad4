package serve

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// mark is a place in a file of lines, behind a whole line, with a checksum of that line: so a file that is another one
// by now is noticed wherever it has been cut, replaced or written again. The zero mark is the beginning.
type mark struct {
	at  int64
	sum uint32
	len int64 // of the line
}

// String is the mark as the id of an event.
func (m mark) String() string { return fmt.Sprintf("%d-%d-%08x", m.at, m.len, m.sum) }

// parseMark reads one; what is none is the beginning of no file, which no file agrees with.
func parseMark(text string) (m mark, ok bool) {
	parts := strings.Split(text, "-")
	if len(parts) != 3 {
		return m, false
	}
	var err1, err2, err3 error
	m.at, err1 = strconv.ParseInt(parts[0], 10, 64)
	m.len, err2 = strconv.ParseInt(parts[1], 10, 64)
	sum, err3 := strconv.ParseUint(parts[2], 16, 32)
	m.sum = uint32(sum)
	return m, errors.Join(err1, err2, err3) == nil && m.at >= 0 && m.len >= 0 && m.len <= m.at && m.len <= longestLine
}

const (
	longestLine = 1 << 20 // a line of a file of ours has some hundred bytes; a longer one is damage
	mostAtOnce  = 2 << 20 // bytes that one call reads, more than a line has
)

// tail reads the lines that a file of a folder has grown by.
type tail struct {
	name string
	mark mark
	last os.FileInfo // of the file when all of it had been read
}

// more hands the whole lines behind the mark to see. It calls anew first where the file is another one than the mark is
// of, and is read from its beginning: what was seen before is void. A file that is gone is an empty one. rest says that
// there is more to read at once.
func (t *tail) more(root *os.Root, anew func(), see func(line []byte)) (rest bool, err error) {
	f, err := openIn(root, t.name)
	if errors.Is(err, fs.ErrNotExist) {
		if t.last = nil; t.mark.at > 0 {
			t.mark = mark{}
			anew()
		}
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	now, err := f.Stat()
	if err != nil || t.last != nil && os.SameFile(now, t.last) && now.Size() == t.last.Size() && now.ModTime().Equal(t.last.ModTime()) {
		return false, err
	}
	t.last = nil
	if !t.agrees(f) {
		t.mark = mark{}
		anew()
	}
	buf := make([]byte, 0, 32<<10)
	read := 0
	for read < mostAtOnce {
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, 32<<10)
		}
		n, err := f.ReadAt(buf[len(buf):cap(buf)], t.mark.at+int64(len(buf)))
		buf, read = buf[:len(buf)+n], read+n
		for {
			end := bytes.IndexByte(buf, '\n')
			if end < 0 {
				break
			}
			see(buf[:end])
			t.mark = mark{t.mark.at + int64(end) + 1, crc32.ChecksumIEEE(buf[:end]), int64(end)}
			buf = buf[end+1:]
		}
		if len(buf) > longestLine {
			return false, fmt.Errorf("%s: a line is longer than %d bytes", t.name, longestLine)
		}
		if err == io.EOF {
			t.last = now
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// agrees says whether the file has the line that the mark is behind.
func (t *tail) agrees(f *os.File) bool {
	if t.mark.len+1 > t.mark.at {
		return t.mark.at == 0
	}
	line, from := make([]byte, t.mark.len+1), t.mark.at-t.mark.len-1
	if n, _ := f.ReadAt(line, from); n < len(line) {
		return false
	}
	if from > 0 { // a line begins there
		var before [1]byte
		if n, _ := f.ReadAt(before[:], from-1); n < 1 || before[0] != '\n' {
			return false
		}
	}
	return line[t.mark.len] == '\n' && crc32.ChecksumIEEE(line[:t.mark.len]) == t.mark.sum
}

// openIn opens a regular file below a folder, which links do not lead out of. What is no file is an error at once.
func openIn(root *os.Root, name string) (*os.File, error) {
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", name)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readIn reads a small file below a folder.
func readIn(root *os.Root, name string, most int64) ([]byte, error) {
	f, err := openIn(root, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return b, err
}
