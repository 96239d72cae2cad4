package pipeline

import (
	"os"
	"path/filepath"
	"testing"

	"oneshot/internal/atomicfile"
	"oneshot/internal/faulttest"
)

// ownSpace is a space of one's own.
const ownSpace = `name: mine
stem: {channels: 4, kernel: 3, stride: 1}
choices:
  - {op: identity}
  - {op: mbconv, expand: 3, kernel: 3}
stages:
  - {channels: 8, layers: 2, stride: 2}
`

// spaceJob is a small job in a space beside cells.
type spaceJob struct {
	name string
	sets []string
}

// spaceJobs are such jobs, each with steps on several paths of another sampler.
func spaceJobs(t *testing.T) []spaceJob {
	t.Helper()
	own := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(own, []byte(ownSpace), 0o644); err != nil {
		t.Fatal(err)
	}
	return []spaceJob{
		{"nasbench-macro, sandwich", []string{"net.space=nasbench-macro", "net.channels=4", "retrain.channels=4", "train.sampler=sandwich", "train.distill=true", "train.rank_weight=1"}},
		{"nasbench-201, fair", []string{"net.space=nasbench-201", "net.layers=3", "retrain.layers=3", "net.channels=4", "retrain.channels=4", "train.sampler=fair", "train.rank_weight=1", "train.rank_ramp=0.5"}},
		{"one's own, two paths", []string{"net.space=" + own, "train.paths=2", "train.rank_weight=1", "train.rank_margin=0.1"}},
	}
}

// TestFaultOtherSpaces: what holds of cells whatever happens to process, disk and power holds of every space, and of
// trainings on several paths.
func TestFaultOtherSpaces(t *testing.T) {
	for _, job := range spaceJobs(t) {
		t.Run(job.name, func(t *testing.T) {
			tally := faulttest.New("killed, disk full or power cut, " + job.name)
			ask := func(more ...string) func(dir string) Request {
				return func(dir string) Request { return faultRequest(dir, append(more, job.sets...)...) }
			}
			s := newSweep(t, "a run", "", ask(), nil)
			most, all := 2, []*sweep{s}
			if faulttest.All() {
				most = 0
				all = append(all, newSweep(t, "goes on", s.dir, ask("train.steps=8"), ask()))
			}
			for _, s := range all {
				n, errs := s.kills(t, 2*most)
				tally.Injected, tally.Survived = tally.Injected+n, tally.Survived+n-count(errs)
				complain(t, errs)
				s.failsAll(t, tally, 100)
				n, errs = s.cuts(t, faulttest.Times(1, 40))
				tally.Injected, tally.Survived = tally.Injected+n, tally.Survived+n-count(errs)
				complain(t, errs)
			}
			deafs := func(f atomicfile.FS) atomicfile.FS { return deaf{f} }
			tally.Twin("write error dropped", s.failsManifest(t, deafs) != nil)
			if faulttest.All() {
				tally.Twin("written in place", s.catches(t, killTwins["written in place"].fs))
			}
			tally.Report(t)
		})
	}
}
