package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// TestCodesOfFiles: what a command line names and cannot be read is a wrong argument where it is missing,
// and has the exit code of a damaged file of its kind where it is too large, a folder, or a pipe.
// Nothing ends with 1, which says nothing.
func TestCodesOfFiles(t *testing.T) {
	base := t.TempDir()
	at := func(name string) string { return filepath.Join(base, name) }
	if err := os.Mkdir(at("folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"damaged.yaml": "train: [", "damaged.safetensors": "\xff\xff\xff\xff", "damaged.json": "{", "file": "text"} {
		if err := os.WriteFile(at(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, ext := range []string{".yaml", ".json", ".safetensors"} { // sparse
		if err := os.WriteFile(at("large"+ext), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(at("large"+ext), 1<<40); err != nil {
			t.Skip("no file of a terabyte here: ", err)
		}
	}
	if err := syscall.Mkfifo(at("pipe"), 0o644); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	for _, tc := range []struct {
		args, what string
		code       int
	}{
		{"run -c FILE --dry-run", "missing.yaml", fault.ExitUsage},
		{"run -c FILE --dry-run", "damaged.yaml", fault.ExitUsage},
		{"run -c FILE --dry-run", "large.yaml", fault.ExitUsage},
		{"run -c FILE --dry-run", "folder", fault.ExitUsage},
		{"run -c FILE --dry-run", "pipe", fault.ExitUsage},
		{"inspect FILE", "missing.json", fault.ExitUsage},
		{"retrain --arch FILE --dry-run", "damaged.json", fault.ExitUsage},
		{"retrain --arch FILE --dry-run", "large.json", fault.ExitUsage},
		{"retrain --arch FILE --dry-run", "missing.json", fault.ExitUsage},
		{"retrain --arch FILE --dry-run", "folder", fault.ExitUsage},
		{"eval --weights FILE", "missing.safetensors", fault.ExitUsage},
		{"eval --weights FILE", "damaged.safetensors", fault.ExitInvalid},
		{"eval --weights FILE", "large.safetensors", fault.ExitInvalid},
		{"eval --weights FILE", "folder", fault.ExitInvalid},
		{"eval --weights FILE", "pipe", fault.ExitInvalid},
		{"inspect FILE", "damaged.safetensors", fault.ExitInvalid},
		{"inspect FILE", "large.safetensors", fault.ExitInvalid},
		{"retrain --init FILE --dry-run", "missing.safetensors", fault.ExitUsage},
		{"retrain --init FILE --dry-run", "damaged.safetensors", fault.ExitInvalid},
		{"retrain --init FILE --dry-run", "pipe", fault.ExitInvalid},
		{"retrain --init FILE --dry-run", "folder", fault.ExitInvalid},
		{"data stats --data-dir FILE", "missing", fault.ExitInvalid},
		{"data stats --data-dir FILE", "damaged.json", fault.ExitInvalid},
		{"data stats --data-dir FILE", "pipe", fault.ExitInvalid},
		{"run --preset micro --out FILE", "file", fault.ExitUsage},
		{"run --preset micro --out FILE/below", "file", fault.ExitUsage},
	} {
		args := strings.Fields(strings.ReplaceAll(tc.args, "FILE", at(tc.what)))
		if _, said, code := oneshotHere(args...); code != tc.code {
			t.Errorf("%s with %s: exit code %d, want %d\n%s", tc.args, tc.what, code, tc.code, said)
		}
	}
}

// TestNothingOfAFileActsOnTheTerminal: what a run folder holds is escaped and cut where it is shown.
func TestNothingOfAFileActsOnTheTerminal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "r\x1b[31m")
	if _, said, code := oneshotHere(append([]string{"train", "--out", dir}, beginning...)...); code != fault.ExitOK {
		t.Fatal(said)
	}
	change := func(file, old, new string) {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil || !strings.Contains(string(b), old) {
			t.Fatalf("%s: %v, %.200s", file, err, b)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(strings.Replace(string(b), old, new, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	look := func(what string) {
		t.Helper()
		for _, verb := range [][]string{{"status", dir}, {"inspect", dir}, {"search", "--out", dir}} {
			out, said, _ := oneshotHere(verb...)
			if text := out + said; strings.ContainsAny(text, "\x1b\x07\r") || len(text) > 20_000 || text == "" {
				t.Errorf("%s, %s: %d bytes: %.300q", what, verb[0], len(text), text)
			}
		}
	}
	look("a folder's name")
	rec, err := rundir.Folder(dir).ReadRecord("supernet/record.json")
	if err != nil || rec == nil {
		t.Fatal(err)
	}
	rec.Changes = []string{"\x1b[2J\a" + strings.Repeat("c", 1<<20)}
	rec.Inputs["train.lr"] = "\x1b[31m" + rec.Inputs["train.lr"]
	if err := rundir.Folder(dir).WriteRecord("supernet/record.json", *rec); err != nil {
		t.Fatal(err)
	}
	look("a record")
	change("manifest.json", `"schema": 1`, `"schema": 99`)
	change("manifest.json", `"version": "`, `"version": "\u001b[2J`+strings.Repeat("v", 1<<19))
	look("a manifest")
}

// TestPrepareWhereNothingCanBeWritten: a folder that cannot be written to is a wrong --out, not wrong data.
func TestPrepareWhereNothingCanBeWritten(t *testing.T) {
	base := t.TempDir()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	for _, class := range []string{"a", "b"} {
		dir := filepath.Join(base, "images", class)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"0.png", "1.png"} {
			if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(base, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for out, code := range map[string]int{"file": fault.ExitUsage, "file/below": fault.ExitUsage, "/proc/none": fault.ExitUsage,
		strings.Repeat("n", 300): fault.ExitUsage, "new": fault.ExitOK} {
		path := out
		if !filepath.IsAbs(out) {
			path = filepath.Join(base, out)
		}
		if _, said, got := oneshotHere("data", "prepare", "--data-dir", filepath.Join(base, "images"), "--out", path); got != code {
			t.Errorf("--out %.40s: exit code %d, want %d\n%s", out, got, code, said)
		}
	}
}
