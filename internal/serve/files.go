package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/pipeline"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
)

// results are what the files of a run say that change seldom.
type results struct {
	best   *rundir.SearchSummary
	result *rundir.Result
	tree   *rundir.Tree
	steps  map[string]int // of the trainings
	chain  []pipeline.Link
	wrong  error // why the stages cannot be told
}

// seldom are the files and folders by whose times a change of the results is noticed.
var seldom = []string{"config.yaml", "manifest.json", "supernet", "supernet/record.json", "search", "search/record.json", "search/best.json", "search/tree.json",
	"retrain", "retrain/record.json", "retrain/seeds.json", "export", "export/record.json", "result.json", "result.record.json"}

// inspectEvery is how often their times are looked at.
const inspectEvery = time.Second

// lookAtFiles reads those files where one has changed.
func (x *run) lookAtFiles(root *os.Root) {
	now := x.now()
	if since := now.Sub(x.inspected); since >= 0 && since < inspectEvery {
		return
	}
	x.inspected = now
	stamps := stampsOf(root, seldom)
	if stamps == x.stamps {
		return
	}
	x.stamps = stamps
	x.lost = within(root)
	x.dirty(partNames...)
	if x.lost != nil {
		return
	}
	x.config, x.space, x.wrong = nil, nil, nil
	b, err := readIn(root, "config.yaml", mostConfig)
	if err == nil {
		var c config.Config
		if c, err = config.Parse("config.yaml", b, config.FromPreset); err == nil {
			x.config = &c
			x.space, err = plan.OpenSpace(c)
		}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		x.wrong = err
	}
	r := readResults(root, x.dir())
	if !slices.EqualFunc(r.chain, x.results.chain, func(a, b pipeline.Link) bool { return a.State == b.State }) {
		for _, p := range x.parts { // a stage has begun or ended
			p.next = time.Time{}
		}
	}
	x.results = r
}

// readResults reads what a run has found. What is of a stage that is stale is left out: it speaks of a supernet, scores or a
// network that are others by now. No name in the folder may be a link that leads out of it.
func readResults(root *os.Root, d rundir.Folder) results {
	r := results{steps: map[string]int{}}
	readJSON(root, "search/best.json", &r.best)
	readJSON(root, "search/tree.json", &r.tree)
	readJSON(root, "result.json", &r.result)
	for _, stage := range []struct{ name, record string }{{"train", "supernet/record.json"}, {"retrain", "retrain/record.json"}} {
		var rec *rundir.Record
		if readJSON(root, stage.record, &rec); rec != nil {
			r.steps[stage.name] = rec.Steps
		}
	}
	if _, err := root.Stat("config.yaml"); err == nil {
		r.chain, r.wrong = pipeline.Chain(d)
	}
	if r.stale("search") {
		r.best, r.tree = nil, nil
	}
	if r.stale("test") {
		r.result = nil
	}
	return r
}

// stale says whether a stage is of something else than is there now, or nobody can tell.
func (r results) stale(stage string) bool {
	return r.wrong != nil || slices.ContainsFunc(r.chain, func(l pipeline.Link) bool { return l.Stage == stage && l.State == pipeline.StateStale })
}

// readJSON reads a file into *v, which stays nil where there is none that can be read: whatever is wrong with it, the
// state of its stage says so.
func readJSON[T any](root *os.Root, name string, v **T) {
	b, err := readIn(root, name, 16<<20)
	if err != nil {
		return
	}
	var t T
	if json.Unmarshal(b, &t) == nil {
		*v = &t
	}
}

// stampsOf are the sizes and times of files, as a text.
func stampsOf(root *os.Root, names []string) string {
	var b strings.Builder
	for _, name := range names {
		if info, err := root.Stat(name); err == nil {
			fmt.Fprintf(&b, "%s %d %d\n", name, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

// mostEntries is how many files and folders of a run are looked at for links; a run has some dozens.
const mostEntries = 5000

// within is an error where a name in a folder is a link that leads out of it: the stages of a run are told by functions
// that follow links.
func within(root *os.Root) error {
	n := 0
	return fs.WalkDir(root.FS(), ".", func(path string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // gone since
			return nil
		case err != nil:
			return err
		case path == "cache" && e.IsDir(): // as large as it likes; of another kind, SkipDir would leave out what is beside it
			return fs.SkipDir
		case e.Type()&fs.ModeSymlink != 0:
			if _, err := root.Stat(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s is a link that leads out of the folder: the run is not shown", path)
			}
		}
		if n++; n > mostEntries {
			return fmt.Errorf("more than %d files: not the folder of a run", mostEntries)
		}
		return nil
	})
}
