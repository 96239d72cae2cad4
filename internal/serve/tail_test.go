package serve

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// follower reads a file as a page does.
type follower struct {
	t     *testing.T
	root  *os.Root
	tail  tail
	lines []string
	anew  int
}

func newFollower(t *testing.T, dir string) *follower {
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return &follower{t: t, root: root, tail: tail{name: "f"}}
}

func (f *follower) read() []string {
	f.t.Helper()
	for rest := true; rest; {
		var err error
		rest, err = f.tail.more(f.root, func() { f.anew++; f.lines = nil }, func(l []byte) { f.lines = append(f.lines, string(l)) })
		if err != nil {
			f.t.Fatal(err)
		}
	}
	return f.lines
}

// TestTornAnywhere: a file that is read while it is written, cut at every byte, gives each line once and whole.
func TestTornAnywhere(t *testing.T) {
	const text = "{\"a\":1}\n\n{\"b\":22}\nlast\n"
	want := []string{`{"a":1}`, "", `{"b":22}`, "last"}
	for cut := range len(text) + 1 {
		dir := t.TempDir()
		path := filepath.Join(dir, "f")
		f := newFollower(t, dir)
		f.read() // not there yet
		write(t, path, text[:cut])
		if got := f.read(); len(got) > strings.Count(text[:cut], "\n") {
			t.Fatalf("cut at %d gives %q", cut, got)
		}
		add(t, path, text[cut:])
		if got := f.read(); !slices.Equal(got, want) || f.anew != 0 {
			t.Errorf("cut at %d and gone on gives %q, %d times anew", cut, got, f.anew)
		}
	}
}

// TestAnotherFile: whatever is done to a file in between, what is known afterwards are its lines.
func TestAnotherFile(t *testing.T) {
	for name, c := range map[string]struct {
		becomes string
		anew    int
	}{
		"cut after a line":                    {"one\n", 1},
		"cut and written further than it was": {"one\nTWO and more\nthree\n", 1},
		"put in another order":                {"two\none\n", 1},
		"the last line is of a longer one":    {"onextwo\n", 1},
		"empty":                               {"", 1},
		"longer":                              {"one\ntwo\nthree\n", 0},
		"torn":                                {"one\ntwo\nthr", 0},
	} {
		dir := t.TempDir()
		f := newFollower(t, dir)
		write(t, filepath.Join(dir, "f"), "one\ntwo\n")
		f.read()
		write(t, filepath.Join(dir, "f"), c.becomes)
		whole := strings.Split(c.becomes, "\n")
		if got := f.read(); !slices.Equal(got, whole[:len(whole)-1]) || f.anew != c.anew {
			t.Errorf("%s: %q, %d times anew", name, got, f.anew)
		}
	}
	dir := t.TempDir()
	f := newFollower(t, dir)
	write(t, filepath.Join(dir, "f"), "one\n")
	f.read()
	os.Remove(filepath.Join(dir, "f"))
	if got := f.read(); len(got) != 0 || f.anew != 1 {
		t.Errorf("gone: %q", got)
	}
	write(t, filepath.Join(dir, "f"), "one\n")
	if got := f.read(); len(got) != 1 {
		t.Errorf("there again: %q", got)
	}
}

// TestLongFile: more than a call reads, and a line that is none of ours.
func TestLongFile(t *testing.T) {
	dir := t.TempDir()
	line := strings.Repeat("x", 999)
	write(t, filepath.Join(dir, "f"), strings.Repeat(line+"\n", 3000))
	f := newFollower(t, dir)
	if got := f.read(); len(got) != 3000 || got[1500] != line {
		t.Errorf("%d lines", len(got))
	}
	write(t, filepath.Join(dir, "f"), strings.Repeat("x", longestLine+1<<16))
	if _, err := f.tail.more(f.root, func() {}, func([]byte) {}); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("a line without an end: %v", err)
	}
}

// TestMarks: an id is read as it was written, and nothing else is one.
func TestMarks(t *testing.T) {
	for _, m := range []mark{{}, {100, 7, 20}, {1 << 40, 1<<32 - 1, 0}} {
		if got, ok := parseMark(m.String()); !ok || got != m {
			t.Errorf("%v is read as %v", m, got)
		}
	}
	for _, text := range []string{"", "1", "1-1", "a-b-c", "1-2-0", "-5-1-0", "5--1-0", "5-1-fffffffff", "99999999999999999999-1-0", "5-1-0-0"} {
		if m, ok := parseMark(text); ok {
			t.Errorf("%q is read as %v", text, m)
		}
	}
}
