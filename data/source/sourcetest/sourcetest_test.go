package sourcetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"oneshot/data/source"
)

// memory is a right source of three records; its twins break one promise each.
type memory struct {
	twin   string
	info   source.Info
	data   []string
	closed bool
}

func open(twin string) func() (source.Source, error) {
	opened := 0
	return func() (source.Source, error) {
		opened++
		m := &memory{twin: twin, data: []string{"one", "three", "seven.."}}
		m.info = source.Info{Format: "memory", About: "three words", Classes: []string{"a", "b"},
			Splits: []source.Split{{Labels: []int32{0, 1, 1}, Sizes: []int64{3, 5, 7}}}}
		switch twin {
		case "label out of range":
			m.info.Splits[0].Labels[1] = 2
		case "wrong size":
			m.info.Splits[0].Sizes[1] = 6
		case "other order when opened again":
			if opened > 1 {
				m.data[0], m.info.Notes = "eno", nil
			}
		case "other notes when opened again":
			m.info.Notes = []string{fmt.Sprint(opened)}
		case "class twice":
			m.info.Classes[1] = "a"
		case "no records":
			m.info.Splits[0] = source.Split{}
		}
		return m, nil
	}
}

func (m *memory) Info() *source.Info { return &m.info }

func (m *memory) Where(split, record int) source.Place {
	if m.twin == "one place" {
		record = 0
	}
	return source.Place{File: "memory", Offset: int64(max(record, 0))}
}

func (m *memory) Read(split, record int, buf []byte) ([]byte, error) {
	if m.closed && m.twin == "fault after close" {
		return nil, &source.Fault{Msg: "closed"}
	}
	if m.closed {
		return nil, errors.New("closed")
	}
	if m.twin != "panics" && (split != 0 || record < 0 || record >= len(m.data)) {
		if m.twin == "fault out of bounds" {
			return nil, &source.Fault{Msg: "is not there"}
		}
		return nil, errors.New("no such record")
	}
	s := m.data[record+split*len(m.data)]
	switch m.twin {
	case "own buffer":
		return []byte(s), nil
	case "writes beyond":
		if cap(buf) > len(s) {
			buf[:cap(buf)][len(s)] = 0
		}
	}
	out := slices.Grow(buf[:0], len(s))[:len(s)]
	copy(out, s)
	return out, nil
}

func (m *memory) Close() error { m.closed = true; return nil }

func TestCheck(t *testing.T) {
	if err := Check(open("")); err != nil {
		t.Errorf("a right source: %v", err)
	}
	for twin, want := range map[string]string{
		"label out of range":            "label 2 of 2",
		"wrong size":                    "5 bytes, want 6",
		"other order when opened again": "opened again",
		"other notes when opened again": "description differs",
		"class twice":                   `class "a"`,
		"no records":                    "no records",
		"one place":                     "both lie at",
		"panics":                        "panic",
		"fault out of bounds":           "want one that is no Fault",
		"own buffer":                    "is not used",
		"writes beyond":                 "beyond its end",
		"fault after close":             "after Close",
	} {
		if err := Check(open(twin)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", twin, err, want)
		}
	}
}
