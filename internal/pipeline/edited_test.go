package pipeline

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"oneshot/internal/fault"
)

// TestEditedConfig: a config.yaml that was edited by hand is accepted by the verb whose stage the edit
// decides, and by no other: one that accepted it would leave a folder that the next one refuses.
func TestEditedConfig(t *testing.T) {
	whole := finished(t)
	accepted, refused := 0, 0
	for _, tc := range []struct {
		section, from, to string
		verb              string
		refuse            string // what is said; "" accepts
	}{
		{"retrain", "lr: 0.025", "lr: 0.01", "search", "retrain.lr decides the stage retrain"},
		{"retrain", "lr: 0.025", "lr: 0.01", "export", "retrain.lr decides the stage retrain"},
		{"retrain", "lr: 0.025", "lr: 0.01", "retrain", ""},
		{"train", "lr: 0.025", "lr: 0.01", "search", "train.lr decides the stage train"},
		{"train", "lr: 0.025", "lr: 0.01", "retrain", "train.lr decides the stage train"},
		{"train", "lr: 0.025", "lr: 0.01", "train", ""},
		{"score", "recal_images: 16", "recal_images: 24", "retrain", "score.recal_images decides the stage search"},
		{"score", "recal_images: 16", "recal_images: 24", "search", ""},
		{"run", "workers: 2", "workers: 1", "export", ""},
		{"retrain", "lr: 0.025", "lr: -1", "retrain", "retrain.lr"},
		{"score", "recal_images: 16", "recal_images: 100000", "train", "score.recal_images"},
	} {
		dir := filepath.Join(t.TempDir(), "run")
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "config.yaml")
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(string(b), "\n"+tc.section+":\n")
		if !strings.Contains(body, tc.from+"\n") {
			t.Fatalf("no %s in section %s", tc.from, tc.section)
		}
		if err := os.WriteFile(path, []byte(head+"\n"+tc.section+":\n"+strings.Replace(body, tc.from+"\n", tc.to+"\n", 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		before := tree(t, dir)
		q := requestOf(tc.verb, dir)
		if q.Override = true; tc.verb == "export" {
			q.Redoes = nil
		}
		r, err := Open(t.Context(), process(), q)
		if err == nil {
			r.Close()
		}
		if tc.refuse == "" {
			if accepted++; err != nil {
				t.Errorf("%s of an edited %s.%s: %v", tc.verb, tc.section, tc.to, err)
			}
			continue
		}
		refused++
		if code := fault.Classify(err).Code; err == nil || !strings.Contains(err.Error(), tc.refuse) || code != fault.ExitUsage && code != fault.ExitInvalid {
			t.Errorf("%s of an edited %s.%s: %v, want %q", tc.verb, tc.section, tc.to, err, tc.refuse)
		}
		after := tree(t, dir)
		for name, b := range before {
			if name != "LOCK" && after[name] != b {
				t.Errorf("%s of an edited %s.%s is refused, and has changed %s", tc.verb, tc.section, tc.to, name)
			}
		}
	}
	if accepted == 0 || refused == 0 {
		t.Errorf("%d accepted, %d refused", accepted, refused)
	}
}
