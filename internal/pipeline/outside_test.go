package pipeline

import (
	"os"
	"path/filepath"
	"testing"

	"oneshot/internal/fault"
)

// TestOutsideRuns: what is in a run folder is not written to by another name either, be it a link on the way or one that
// is left again by "..". Beside it everything is allowed.
func TestOutsideRuns(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, f := range []string{"r/config.yaml", "r/manifest.json", "r/export/model.safetensors", "lost/retrain/record.json", "mine/config.yaml"} {
		if err := os.MkdirAll(filepath.Dir(f), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"link": "r/export", "whole": "r", "chain": "link"} {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	for folder, refused := range map[string]bool{
		"r": true, "r/export": true, "r/new/deep": true, "link": true, "link/new": true, "whole": true, "whole/export": true, "chain/x": true,
		"lost/export": true, "mine": false, "mine/export": false, "link/../new": false, // which Join makes of it
		"new": false, "r2/export": false,
	} {
		if err := OutsideRuns("--to", folder); (err != nil) != refused || refused && fault.Classify(err).Code != fault.ExitUsage {
			t.Errorf("--to %s: %v", folder, err)
		}
	}
	for file, refused := range map[string]bool{
		"r/config.yaml": true, "whole/config.yaml": true, "link/model.safetensors": true, "link/new.svg": true, "chain/new.svg": true,
		"link/../config.yaml": true, "link/../mine.svg": false, "whole/mine.svg": false, "mine/config.yaml": false, "new.svg": false,
	} {
		if err := CheckOutput(file); (err != nil) != refused || refused && fault.Classify(err).Code != fault.ExitUsage {
			t.Errorf("-o %s: %v", file, err)
		}
	}
}
