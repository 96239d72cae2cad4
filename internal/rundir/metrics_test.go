package rundir

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestLosses: parts have the mean of their steps, and other stages do not count.
func TestLosses(t *testing.T) {
	d := Folder(t.TempDir())
	var b strings.Builder
	for i := range 7 {
		fmt.Fprintf(&b, "{\"stage\":\"train\",\"step\":%d,\"loss\":100}\n", i+1)
	}
	for i := range 7 {
		fmt.Fprintf(&b, "{\"stage\":\"retrain\",\"step\":%d,\"loss\":%d}\n", i+1, i)
	}
	if err := os.WriteFile(d.File("metrics.jsonl"), []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	for parts, want := range map[int][]float64{3: {0.5, 2.5, 5}, 7: {0, 1, 2, 3, 4, 5, 6}, 9: {0, 1, 2, 3, 4, 5, 6}, 1: {3}} {
		if got, err := d.Losses("retrain", parts); err != nil || !slices.Equal(got, want) {
			t.Errorf("%d parts: %v, %v, want %v", parts, got, err, want)
		}
	}
	if _, err := d.Losses("search", 3); err == nil {
		t.Error("a stage without losses has some")
	}
}
