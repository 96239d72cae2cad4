package source

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestReadClasses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "classes.txt")
	if _, _, err := ReadClasses(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, c := range []struct{ text, want, notes string }{
		{"cat\ndog\n", "cat|dog", ""},
		{"\uFEFFcat\r\n two words \r\n\r\n \n", "cat|two words", ""},
		{"crane\nx\ncrane\ncrane (2)", "crane|x|crane (2)'|crane (2)", "class 2 is called crane as another is; its number was added"},
		{"", "", "names no class"},
		{" \n\n", "", "names no class"},
		{"a\n\nb", "", `name 2 of a class is ""`},
		{"a\nb\x1b[2J", "", `name 2 of a class is "b\x1b[2J"`},
		{"a\nb\xff", "", `name 2 of a class is "b\xff"`},
		{strings.Repeat("x", MaxClassName) + "\na", strings.Repeat("x", MaxClassName) + "|a", ""},
		{strings.Repeat("x", MaxClassName+1), "", "name 1 of a class is"},
		{strings.Repeat("x", maxClassFile), "", "name 1 of a class is"},
		{strings.Repeat("x", maxClassFile+1), "", "has 16777217 bytes, want at most"},
		{strings.Repeat("x\n", MaxClasses+1), "", "names 1048577 classes"},
	} {
		if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, notes, err := ReadClasses(file)
		if c.want == "" {
			var e *FileError
			if !errors.As(err, &e) || e.File != file || !strings.Contains(err.Error(), c.notes) {
				t.Errorf("%.20q: %v, want %q", c.text, err, c.notes)
			}
			continue
		}
		if err != nil || !slices.Equal(got, strings.Split(c.want, "|")) || strings.Join(notes, "|") != c.notes {
			t.Errorf("%.20q: %.60q, %q, %v", c.text, got, notes, err)
		}
	}
}

func TestOpenFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{dir, pipe, filepath.Join(dir, "none")} {
		var e *FileError
		if _, _, err := OpenFile(p); !errors.As(err, &e) || e.File != p {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func TestSameFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(at(name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("a", at("c")), os.Link(at("b"), at("d"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		names string
		i, k  int
		ok    bool
	}{{"a b none", 0, 0, false}, {"b a c", 1, 2, true}, {"b a d", 0, 2, true}, {"a a", 0, 1, true}} {
		var paths []string
		for _, n := range strings.Fields(c.names) {
			paths = append(paths, at(n))
		}
		if i, k, ok := SameFile(paths); i != c.i || k != c.k || ok != c.ok {
			t.Errorf("%s: %d, %d, %v", c.names, i, k, ok)
		}
	}
}

// Names that are accepted are lines to print, each once, and no more than the text has.
func FuzzClasses(f *testing.F) {
	f.Fuzz(func(t *testing.T, text string) {
		lines := ClassLines(text)
		names, notes, err := ClassNames("f", lines)
		if err != nil {
			var e *FileError
			if !errors.As(err, &e) || e.File != "f" {
				t.Fatalf("%#v", err)
			}
			return
		}
		if len(names) != len(lines) || len(names) == 0 || len(names) > len(text) || len(notes) >= len(names) {
			t.Fatalf("%d names and %d notes of %d lines", len(names), len(notes), len(lines))
		}
		seen := map[string]bool{}
		for i, name := range names {
			first := slices.Index(lines, lines[i]) == i // keeps its name
			if seen[name] || first != (name == lines[i]) || !strings.HasPrefix(name, lines[i]) || !IsClassName(lines[i]) {
				t.Fatalf("name %d of %q is %q", i, lines, name)
			}
			seen[name] = true
		}
	})
}
