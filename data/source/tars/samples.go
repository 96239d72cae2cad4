package tars

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"oneshot/data/source"
)

// sample is members next to each other with one name up to the first dot.
type sample struct {
	key     string
	members []Member
}

// keyOf divides a member's name at the first dot of its last part. ok is false where there
// is none, or nothing before it, as in .hidden and __meta__ of the format.
func keyOf(name string) (key, ext string, ok bool) {
	dir, base := path.Split(name)
	stem, ext, ok := strings.Cut(base, ".")
	if !ok || stem == "" || ext == "" {
		return "", "", false
	}
	return dir + stem, strings.ToLower(ext), true
}

var imageKeys = map[string]bool{
	"jpg": true, "jpeg": true, "png": true, "webp": true, "gif": true, "bmp": true, "img": true, "image": true,
}

// pick returns the member of a sample whose extension is wanted; if none is, the only one
// whose last extension is, as in 0001.left.jpg. more says that there are several.
func (s *sample) pick(wanted func(ext string) bool) (m Member, found, more bool) {
	for _, last := range []bool{false, true} {
		for _, c := range s.members {
			_, ext, _ := keyOf(c.Name)
			if last {
				ext = ext[strings.LastIndex(ext, ".")+1:]
			}
			if wanted(ext) {
				m, found, more = c, true, found
				if more {
					return m, true, true
				}
			}
		}
		if found {
			return m, true, false
		}
	}
	return Member{}, false, false
}

func (s *sample) image() (m Member, found, more bool) {
	return s.pick(func(ext string) bool { return imageKeys[ext] })
}

// labelMember is .cls, or else .json.
func (s *sample) labelMember() (m Member, found bool) {
	for _, want := range []string{"cls", "json"} {
		if m, found, _ := s.pick(func(ext string) bool { return ext == want }); found {
			return m, true
		}
	}
	return Member{}, false
}

// grouper puts members together to samples.
type grouper struct {
	now  sample
	emit func(*sample) error
}

func (g *grouper) add(m Member) error {
	key, _, ok := keyOf(m.Name)
	if !ok || m.Type == tar.TypeDir || strings.HasPrefix(path.Base(m.Name), "__") {
		return nil
	}
	if key != g.now.key {
		if err := g.flush(); err != nil {
			return err
		}
		g.now.key = key
	}
	g.now.members = append(g.now.members, m)
	return nil
}

func (g *grouper) flush() error {
	if len(g.now.members) == 0 {
		return nil
	}
	err := g.emit(&g.now)
	g.now = sample{members: g.now.members[:0]}
	return err
}

// label is a number, or a class name.
type label struct {
	number int
	name   string
	named  bool
}

const (
	maxNumber = 64      // bytes of a .cls member
	maxJSON   = 1 << 20 // bytes of a .json member
)

// readLabel returns the label in member m of r, or what is wrong with it.
func readLabel(r io.ReaderAt, m Member) (l label, wrong string, err error) {
	isNumber := strings.HasSuffix(strings.ToLower(m.Name), ".cls")
	most := int64(maxJSON)
	if isNumber {
		most = maxNumber
	}
	if m.Type != tar.TypeReg {
		return l, "is no regular file", nil
	}
	if m.Size > most {
		return l, fmt.Sprintf("has %d bytes, want at most %d", m.Size, most), nil
	}
	b := make([]byte, m.Size)
	if n, err := r.ReadAt(b, m.Offset); n < len(b) {
		return l, "", err
	}
	if isNumber {
		l.number, wrong = classNumber(string(bytes.TrimSpace(b)))
		return l, wrong, nil
	}
	l, wrong = jsonLabel(b)
	return l, wrong, nil
}

// classNumber reads a label, below source.MaxClasses.
func classNumber(s string) (int, string) {
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil || n >= source.MaxClasses {
		return 0, fmt.Sprintf("is label %.40q, want a number from 0 to %d", s, source.MaxClasses-1)
	}
	return int(n), ""
}

// jsonLabel reads the label of an object.
func jsonLabel(b []byte) (l label, wrong string) {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(b, &object); err != nil {
		return l, "is no JSON object: " + err.Error()
	}
	for _, key := range []string{"label", "cls", "class", "fine_label"} {
		raw, ok := object[key]
		if !ok {
			continue
		}
		if err := json.Unmarshal(raw, &l.name); err == nil && l.name != "" {
			l.named = true
			return l, ""
		}
		l.number, wrong = classNumber(string(raw))
		if wrong != "" {
			wrong = fmt.Sprintf("has %s %.40s, want a number from 0 to %d or a name", key, raw, source.MaxClasses-1)
		}
		return l, wrong
	}
	return l, "has no label, cls, class or fine_label"
}
