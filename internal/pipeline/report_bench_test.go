package pipeline

import (
	"os"
	"testing"
	"time"

	"oneshot/internal/rundir"
)

// BenchmarkWriteReport writes the files of a run with 1,000 samples of the search and as many of each of two baselines. The
// page must stay below a megabyte, and all of them take less than two seconds.
func BenchmarkWriteReport(b *testing.B) {
	dir := b.TempDir() + "/run"
	q := microRequest(dir, "search.samples=1000", "search.baselines=random,evolution")
	q.Resume = true
	r, err := Open(b.Context(), process(), q)
	if err != nil {
		b.Fatal(err)
	}
	_, err = r.All(b.Context(), func(rundir.SearchSummary) {})
	r.Close()
	if err != nil {
		b.Fatal(err)
	}
	d := rundir.Folder(dir)
	for b.Loop() {
		if _, err := WriteReport(d); err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(d.File("report.html"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size()), "page-bytes")
	if each := b.Elapsed() / time.Duration(b.N); each > 2*time.Second || info.Size() > 1_000_000 {
		b.Errorf("%v and %d bytes", each, info.Size())
	}
}
