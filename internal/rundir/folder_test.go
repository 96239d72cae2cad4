package rundir

import (
	"os"
	"strings"
	"testing"

	"oneshot/internal/fault"
)

// TestDamagedJSON: what is said of a damaged file names the file and the place, and what to do
// about it loses nothing.
func TestDamagedJSON(t *testing.T) {
	d := Folder(t.TempDir())
	if err := os.Mkdir(d.File("retrain"), 0o755); err != nil {
		t.Fatal(err)
	}
	said := 0
	for text, want := range map[string]string{
		`{"from"`:         ", at byte 7: ",
		`{"from":"a"} x`:  " at byte 12: more text",
		`{"from":7}`:      ", at byte ",
		`{"from" "a"}`:    ", at byte ",
		`{"unknown":"a"}`: "unknown",
	} {
		for _, name := range []string{"result.json", "retrain/init.json", "retrain/seeds.json"} {
			if err := os.WriteFile(d.File(name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			err := d.ReadJSON(new(Start), strings.Split(name, "/")...)
			if err == nil || !strings.Contains(err.Error(), d.File(name)+": damaged") || !strings.Contains(err.Error(), want) {
				t.Errorf("%s of %s: %v, want %q", name, text, err, want)
				continue
			}
			e := fault.Classify(err)
			if e.Code != fault.ExitInvalid || !strings.HasPrefix(e.Hint, "put the file back") {
				t.Errorf("%s of %s: exit code %d, hint %q", name, text, e.Code, e.Hint)
			}
			said++
		}
	}
	if said != 15 {
		t.Errorf("%d of 15 are refused as they should", said)
	}
}
