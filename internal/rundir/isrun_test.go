package rundir

import (
	"os"
	"path/filepath"
	"testing"
)

// TestIsRun: a run is known by what it begins with, and by what its stages leave where that is lost. A folder that has a
// configuration or a lock of something else is none.
func TestIsRun(t *testing.T) {
	for _, c := range []struct {
		files []string
		want  bool
	}{
		{[]string{"config.yaml", "manifest.json"}, true}, {[]string{"config.yaml", "metrics.jsonl"}, true}, {[]string{"config.yaml", "LOCK"}, true},
		{[]string{"retrain/record.json"}, true}, {[]string{"supernet/record.json", "manifest.json"}, true}, {[]string{"search/record.json"}, true},
		{nil, false}, {[]string{"config.yaml"}, false}, {[]string{"LOCK"}, false}, {[]string{"manifest.json"}, false}, {[]string{"metrics.jsonl"}, false},
		{[]string{"runs/x/config.yaml", "runs/x/manifest.json"}, false},
	} {
		d := Folder(t.TempDir())
		for _, f := range c.files {
			if err := os.MkdirAll(filepath.Dir(d.File(f)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(d.File(f), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := d.IsRun(); got != c.want {
			t.Errorf("%q: %v", c.files, got)
		}
	}
	if Folder(filepath.Join(t.TempDir(), "none")).IsRun() {
		t.Error("a folder that is not there is a run")
	}
}
