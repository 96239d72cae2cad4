package config

import (
	"os"
	"path/filepath"
	"testing"
)

// A key is said by a flag, by --set in either spelling, or by the file; a preset says none.
func TestSays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.yaml")
	if err := os.WriteFile(file, []byte("preset: micro\nnet:\n  ops: darts\nseed: 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := Request{File: file, Sets: []string{"retrain.stem-multiplier = 2"}, Flags: []Flag{{Key: "retrain.lr"}}}
	for key, want := range map[string]bool{"net.ops": true, "seed": true, "preset": true, "retrain.stem_multiplier": true, "retrain.lr": true,
		"net.nodes": false, "train.lr": false, "net.ops.more": false, "ops": false} {
		if got := r.Says(key); got != want {
			t.Errorf("%s is said: %v, want %v", key, got, want)
		}
	}
	if (Request{File: file + ".absent"}).Says("seed") || (Request{Preset: "tiny"}).Says("net.ops") {
		t.Error("a file that is not there, or a preset, says something")
	}
}
