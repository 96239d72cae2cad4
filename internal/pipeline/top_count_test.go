package pipeline

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"oneshot/internal/atomicfile/faultfs"
	"oneshot/internal/config"
	"oneshot/internal/rundir"
)

// TestTrainingsAnnounced: no more trainings are announced than there are architectures, before the search and after it;
// of a search that goes on as many as it will have.
func TestTrainingsAnnounced(t *testing.T) {
	dir := searchedRun(t)() // six architectures
	for _, c := range []struct {
		top, seeds, samples int
		d                   string
		want                int
	}{
		{20, 1, 6, dir, 6}, {20, 2, 6, dir, 12}, {3, 2, 6, dir, 6}, {1, 3, 6, dir, 3}, {20, 1, 8, dir, 8}, {20, 3, 6, newRun(t), 18}, {1, 1, 6, newRun(t), 1},
	} {
		conf := config.Default()
		conf.Retrain.Top, conf.Retrain.Seeds, conf.Search.Samples = c.top, c.seeds, c.samples
		if got := trainings(rundir.Folder(c.d), conf); got != c.want {
			t.Errorf("top %d, %d seeds, %d samples: %d trainings, want %d", c.top, c.seeds, c.samples, got, c.want)
		}
	}
	q := topOfRun(dir, "20")
	q.Redoes, q.Frees = []string{"search", "retrain"}, []string{"search", "retrain"}
	q.Retrains = false
	v, err := Look(t.Context(), process(), q, true)
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for _, f := range v.Forecasts {
		if f.Stage == "retrain" {
			if seen = true; f.Trainings > 6 {
				t.Errorf("%d trainings are announced of 6 architectures", f.Trainings)
			}
		}
	}
	if !seen {
		t.Error("no retraining is announced: the test is blind")
	}
}

// TestMovedFolderStaysMoved: after a move across folders both are made durable, the new name before the old one is given up.
func TestMovedFolderStaysMoved(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "replaced", "x"), filepath.Join(dir, "retrain-top", "x")
	for _, d := range []string{from, filepath.Dir(to)} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	f := &faultfs.FS{}
	if err := through(f, func() error { return moveFolder(from, to) }); err != nil {
		t.Fatal(err)
	}
	var calls []string
	for _, op := range f.Ops {
		calls = append(calls, strings.ReplaceAll(op.String(), dir, ""))
	}
	want := []string{"rename /replaced/x /retrain-top/x", "fsync-dir /retrain-top", "fsync-dir /replaced"}
	if !slices.Equal(calls, want) {
		t.Errorf("%q, want %q", calls, want)
	}
}
