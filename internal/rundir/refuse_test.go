package rundir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"oneshot/internal/atomicfile"
	"oneshot/internal/fault"
)

// opener opens a file that a run writes to in its place, in folder d.
type opener struct {
	file string
	open func(d Folder) error
}

var openers = []opener{
	{"LOCK", func(d Folder) error {
		dir, err := Open(string(d), true, time.Unix(1e9, 0))
		if err == nil {
			dir.Close()
		}
		return err
	}},
	{"log.jsonl", func(d Folder) error {
		dir := &Dir{Folder: d}
		_, err := dir.OpenLog()
		if err == nil {
			dir.log.Close()
		}
		return err
	}},
	{"metrics.jsonl", func(d Folder) error {
		j, err := d.OpenMetrics("train", 0, func(string, ...any) {})
		if err == nil {
			j.Close()
		}
		return err
	}},
	{"samples.jsonl", func(d Folder) error {
		j, _, err := OpenJSONL(d.File("samples.jsonl"), keepAll)
		if err == nil {
			j.Close()
		}
		return err
	}},
}

// A run folder that somebody made must not say which files elsewhere are written to: what a run
// writes to in its place is not followed where it is a link.
func TestLinksAreNotWrittenThrough(t *testing.T) {
	const precious = "{\"n\":1}\nmine"
	for _, o := range openers {
		d, other := Folder(t.TempDir()), filepath.Join(t.TempDir(), "file")
		if err := o.open(d); err != nil {
			t.Errorf("%s: %v without a link", o.file, err)
		}
		if err := os.WriteFile(other, []byte(precious), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(os.Remove(d.File(o.file)), os.Symlink(other, d.File(o.file))); err != nil {
			t.Fatal(err)
		}
		if err := o.open(d); !errors.Is(err, atomicfile.ErrNotRegular) || !strings.Contains(err.Error(), d.File(o.file)) {
			t.Errorf("%s is a link: %v", o.file, err)
		}
		if b, _ := os.ReadFile(other); string(b) != precious {
			t.Errorf("%s is a link: the file that it names holds %q", o.file, b)
		}
	}
}

// A pipe in the place of a file stops nothing, whoever reads it.
func TestPipesStopNothing(t *testing.T) {
	readers := append([]opener{
		{"record.json", func(d Folder) error { _, err := d.ReadRecord("record.json"); return err }},
		{"manifest.json", func(d Folder) error { _, err := d.ReadManifest(); return err }},
		{"result.json", func(d Folder) error { return d.ReadJSON(new(Result), "result.json") }},
		{"metrics.jsonl", func(d Folder) error { _, _, err := d.Trained("train"); return err }},
		{"model.safetensors", func(d Folder) error { _, err := d.Hashes("model.safetensors"); return err }},
	}, openers...)
	for _, r := range readers {
		d := Folder(t.TempDir())
		if err := syscall.Mkfifo(d.File(r.file), 0o644); err != nil {
			t.Skip("no named pipes here: ", err)
		}
		done := make(chan error, 1)
		go func() { done <- r.open(d) }()
		select {
		case err := <-done:
			if !errors.Is(err, atomicfile.ErrNotRegular) {
				t.Errorf("%s is a pipe: %v", r.file, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s is a pipe, and its reader waits", r.file)
		}
	}
	// What is only compared is written anew.
	d := Folder(t.TempDir())
	if err := syscall.Mkfifo(d.File("config.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	if changed, err := d.Update([]byte("seed: 1\n"), "config.yaml"); !changed || err != nil {
		t.Errorf("%v, %v", changed, err)
	}
}

func TestRecordNamesFilesOfTheFolder(t *testing.T) {
	d := Folder(t.TempDir())
	for path, ok := range map[string]bool{"search/best.json": true, "supernet": true, "../other/best.json": false,
		"search/../../best.json": false, "/dev/zero": false, "": false} {
		if err := d.WriteRecord("record.json", Record{Stage: "search", Inputs: map[string]string{}, Outputs: map[string]string{path: "ab"}}); err != nil {
			t.Fatal(err)
		}
		_, err := d.ReadRecord("record.json")
		if ok != (err == nil) || !ok && (fault.Classify(err).Code != fault.ExitInvalid || !strings.Contains(err.Error(), "record.json")) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestJSONLHasALimit(t *testing.T) {
	for limit, ok := range map[int64]bool{24: true, 23: false, 8: false} {
		_, _, err := scanJSONL(strings.NewReader(threeLines), "f.jsonl", limit, keepAll)
		if ok != (err == nil) || !ok && !strings.HasPrefix(err.Error(), "f.jsonl: larger than ") {
			t.Errorf("24 bytes, at most %d: %v", limit, err)
		}
	}
}

// What LOCK says is printed: nothing in it may change the terminal.
func TestOwner(t *testing.T) {
	for text, want := range map[string]string{
		`{"pid":7,"host":"h","since":"2026"}`:           "process 7 on h since 2026",
		`{"pid":7,"host":"\u001b[2J","since":"2026"}`:   "another process",
		`{"pid":7,"host":"h","since":"2026\r\n\u0007"}`: "another process",
		`{"pid":-7,"host":"h"}`:                         "another process",
		`{"pid":7`:                                      "another process",
	} {
		if got := ownerOf([]byte(text)); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
