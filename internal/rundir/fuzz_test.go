package rundir

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"oneshot/internal/fault"
)

// Whatever the bytes, what is kept are whole lines of objects from the beginning of the file, and
// what is cut off is one line at most.
func FuzzJSONL(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		scan := func(b []byte) (lines []string, end int64, torn bool, err error) {
			end, torn, err = ScanJSONL(bytes.NewReader(b), "f", func(l []byte) (bool, error) {
				lines = append(lines, string(l))
				return true, nil
			})
			return lines, end, torn, err
		}
		lines, end, torn, err := scan(b)
		if err != nil {
			return
		}
		if end > int64(len(b)) || torn != (end < int64(len(b))) {
			t.Fatalf("%d of %d bytes are kept, torn %v", end, len(b), torn)
		}
		if at := bytes.IndexByte(b[end:], '\n'); at >= 0 && at != len(b[end:])-1 {
			t.Fatalf("%q are several lines and cut off", b[end:])
		}
		whole := ""
		for _, l := range lines {
			if whole += l + "\n"; !json.Valid([]byte(l)) || l[0] != '{' {
				t.Fatalf("line %q is kept", l)
			}
		}
		if whole != string(b[:end]) {
			t.Fatalf("lines %q of %q", lines, b[:end])
		}
		if again, at, torn, err := scan(b[:end]); len(again) != len(lines) || at != end || torn || err != nil {
			t.Fatalf("again: %q, %d, %v, %v", again, at, torn, err)
		}
	})
}

// Metrics are sorted without losing a line. What else the file holds is dropped at its end, as a killed
// process leaves it, and elsewhere is kept in a copy of the whole.
func FuzzMetrics(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		d := Folder(t.TempDir())
		path := put(t, d, "metrics.jsonl", b)
		warned := 0
		if err := d.SortMetrics(func(string, ...any) { warned++ }); err != nil {
			t.Skip(err) // a line that is too long
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var stages [3]string
		bad, damaged := false, false
		for line := range bytes.Lines(b) {
			var m Metric
			damaged = damaged || bad // and something follows
			bad = !bytes.HasSuffix(line, []byte("\n")) || json.Unmarshal(line, &m) != nil
			at, known := stageOrder[m.Stage]
			if bad = bad || !known; !bad {
				stages[at] += string(line)
			}
		}
		if want := stages[0] + stages[1] + stages[2]; string(got) != want {
			t.Fatalf("%q became %q, want %q", b, got, want)
		}
		kept, err := os.ReadFile(path + ".damaged")
		if damaged != (err == nil) || damaged && !bytes.Equal(kept, b) || (damaged || bad) != (warned > 0) {
			t.Fatalf("of %q is kept %q (%v); %d warnings", b, kept, err, warned)
		}
		if err := d.SortMetrics(t.Fatalf); err != nil {
			t.Fatal(err)
		}
		if again, _ := os.ReadFile(path); !bytes.Equal(again, got) {
			t.Fatalf("sorted again: %q, was %q", again, got)
		}
	})
}

// A record that is accepted is of this version, names files of the folder only, and is what it
// was when it is written again.
func FuzzRecord(f *testing.F) {
	d := Folder(f.TempDir())
	f.Fuzz(func(t *testing.T, b []byte) {
		put(t, d, "record.json", b)
		r, err := d.ReadRecord("record.json")
		if err != nil {
			invalid(t, err)
			return
		}
		if r.Schema != RecordSchema || r.Stage == "" || r.Inputs == nil {
			t.Fatalf("%+v", r)
		}
		for name := range r.Outputs {
			if rel, err := filepath.Rel(string(d), d.File(name)); err != nil || rel == ".." || strings.HasPrefix(rel, "../") || filepath.IsAbs(name) {
				t.Fatalf("output %q", name)
			}
		}
		want := indented(t, r)
		put(t, d, "record.json", want)
		again, err := d.ReadRecord("record.json")
		if err != nil || !bytes.Equal(indented(t, again), want) {
			t.Fatalf("%s became %+v, %v", want, again, err)
		}
	})
}

// A JSON file of a run is refused as invalid, or is what it was when it is written again.
func FuzzReadJSON(f *testing.F) {
	d := Folder(f.TempDir())
	forms := []func() any{
		func() any { return new(Result) }, func() any { return new(SearchSummary) }, func() any { return new(Seeds) },
		func() any { return new(Start) }, func() any { return new(Tree) }, func() any { return new(Manifest) },
	}
	f.Fuzz(func(t *testing.T, form byte, b []byte) {
		read := func(b []byte) (any, error) {
			put(t, d, "f.json", b)
			v := forms[int(form)%len(forms)]()
			return v, d.ReadJSON(v, "f.json")
		}
		v, err := read(b)
		if err != nil {
			invalid(t, err)
			return
		}
		want := indented(t, v)
		again, err := read(want)
		if err != nil || !bytes.Equal(indented(t, again), want) {
			t.Fatalf("%s became %+v, %v", want, again, err)
		}
	})
}

// A manifest has no newer form than this program's.
func FuzzManifest(f *testing.F) {
	d := Folder(f.TempDir())
	f.Fuzz(func(t *testing.T, b []byte) {
		put(t, d, "manifest.json", b)
		m, err := d.ReadManifest()
		if err != nil {
			invalid(t, err)
			return
		}
		if m.Schema > ManifestSchema {
			t.Fatalf("schema %d", m.Schema)
		}
		want := indented(t, m)
		put(t, d, "manifest.json", want)
		if again, err := d.ReadManifest(); err != nil || !bytes.Equal(indented(t, again), want) {
			t.Fatalf("%s became %+v, %v", want, again, err)
		}
	})
}

// Whatever is in LOCK, the owner is a line for a terminal.
func FuzzOwner(f *testing.F) {
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := ownerOf(b); s == "" || len(s) > 3*len(b)+100 || strings.ContainsFunc(s, unicode.IsControl) {
			t.Fatalf("%q", s)
		}
	})
}

// put writes a file of the folder and returns its path.
func put(t *testing.T, d Folder, name string, b []byte) string {
	t.Helper()
	if err := os.WriteFile(d.File(name), b, 0o644); err != nil {
		t.Fatal(err)
	}
	return d.File(name)
}

func indented(t *testing.T, v any) []byte {
	t.Helper()
	b, err := Indented(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// invalid wants the error of a damaged file.
func invalid(t *testing.T, err error) {
	t.Helper()
	if code := fault.Classify(err).Code; code != fault.ExitInvalid {
		t.Fatalf("exit code %d for %v", code, err)
	}
}
