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
	if got, err := d.Losses("search", 3); err != nil || len(got) > 0 {
		t.Errorf("a stage without losses has %v, %v", got, err)
	}
	if loss, _, err := Folder(t.TempDir()).Trained("train"); err != nil || loss != nil {
		t.Errorf("without metrics the loss is %v, %v", loss, err)
	}
}

// TestDamagedMetrics: nothing is computed from metrics, so damage stops nothing and loses nothing.
func TestDamagedMetrics(t *testing.T) {
	line := func(step int) string { return fmt.Sprintf("{\"stage\":\"train\",\"step\":%d,\"loss\":1}\n", step) }
	for name, c := range map[string]struct {
		text, want string
		kept       bool // a copy of the damaged file
	}{
		"whole":             {line(1) + line(2), line(1) + line(2), false},
		"torn":              {line(1) + line(2)[:9], line(1), false},
		"torn, not cut":     {line(1) + "{\"stage\":\n", line(1), false},
		"damaged":           {line(1) + "x\n" + line(3), line(1) + line(3), true},
		"unknown stage":     {line(1) + "{\"stage\":\"dance\"}\n" + line(3), line(1) + line(3), true},
		"damaged twice":     {"\n" + line(1) + "[]\n" + line(3) + line(4)[:5], line(1) + line(3), true},
		"nothing but noise": {"\x00\x01\n\xff\n", "", true},
	} {
		d, warned := Folder(t.TempDir()), 0
		if err := os.WriteFile(d.File("metrics.jsonl"), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(d.File("metrics.jsonl.damaged"), []byte("of before"), 0o644); err != nil {
			t.Fatal(err)
		}
		m, err := d.OpenMetrics("train", 4, func(format string, args ...any) {
			if !strings.Contains(format, "missing") {
				warned++
			}
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m.Close()
		if got, err := os.ReadFile(d.File("metrics.jsonl")); err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
		kept, _ := os.ReadFile(d.File("metrics.jsonl.damaged-2"))
		if c.kept != (string(kept) == c.text) || !c.kept && kept != nil {
			t.Errorf("%s: kept %q", name, kept)
		}
		if (warned > 0) != (c.text != c.want) {
			t.Errorf("%s: %d warnings", name, warned)
		}
	}
}
