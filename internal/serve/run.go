package serve

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/rundir"
	"oneshot/supernet/space"
)

const (
	lookEvery  = 200 * time.Millisecond // how often files are looked at, at most
	mostConfig = 1 << 20                // bytes
	logLines   = 60                     // of the log are shown
	firstReads = 64                     // megabytes that are read before a page is shown; the rest follows
)

// run is what has been read of a run folder. All who look at it share one.
type run struct {
	path, name string // the folder is path, or name in it
	now        func() time.Time
	users      atomic.Int32 // who look at it

	mu                    sync.Mutex
	looked, inspected     time.Time
	folder                os.FileInfo // of the last look
	gone                  bool        // the folder is not there any more
	lost                  error       // why it cannot be read
	metrics, samples, log tail

	config  *config.Config // nil where there is none, or none that can be read
	wrong   error          // what is wrong with it
	space   space.Space
	stamps  string // of the files that change seldom
	changed time.Time
	results results

	curves  map[string]*curve // stage/figure
	latest  map[string]rundir.Metric
	stage   string // of the last line of the metrics
	lines   []rundir.Sample
	codes   [][]byte // of the samples
	entries []entry
	end     *rundir.LogLine // of a process, where that is the last line of the log

	parts   map[string]*part
	told    told // by the clock, when parts were drawn
	request request
}

// entry is a line of the log.
type entry struct {
	Time  time.Time
	Level string
	Text  string

	msg, stage  string
	done, total int
	left        float64 // seconds
}

func newRun(path, name string, now func() time.Time) *run {
	x := &run{path: path, name: name, now: now}
	x.forget()
	return x
}

// forget is what happens when the folder or its files are others by now.
func (x *run) forget() {
	x.metrics, x.samples, x.log = tail{name: "metrics.jsonl"}, tail{name: "search/samples.jsonl"}, tail{name: "log.jsonl"}
	x.config, x.wrong, x.space, x.stamps, x.results = nil, nil, nil, "not looked at yet", results{}
	x.forgetLog()
	x.forgetMetrics()
	x.forgetSamples()
	x.inspected, x.parts, x.request = time.Time{}, newParts(), request{}
}

func (x *run) forgetMetrics() {
	x.curves, x.latest, x.stage = map[string]*curve{}, map[string]rundir.Metric{}, ""
}

func (x *run) forgetLog() { x.entries, x.end = nil, nil }

func (x *run) forgetSamples() { x.lines, x.codes = nil, nil }

// dir is the folder's path.
func (x *run) dir() rundir.Folder {
	if x.name == "" {
		return rundir.Folder(x.path)
	}
	return rundir.Folder(filepath.Join(x.path, x.name))
}

// open opens the folder. In a folder of runs a link that leads out of it is no run.
func (x *run) open() (*os.Root, error) {
	root, err := os.OpenRoot(x.path)
	if err != nil || x.name == "" {
		return root, err
	}
	defer root.Close()
	return root.OpenRoot(x.name)
}

// ever says whether the folder has been seen.
func (x *run) ever() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.folder != nil
}

// sync reads what is new.
func (x *run) sync() {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.now()
	if since := now.Sub(x.looked); since >= 0 && since < lookEvery {
		return
	}
	first := x.looked.IsZero()
	x.looked = now
	for range firstReads {
		if rest := x.look(); !rest || !first {
			return
		}
	}
}

// look reads some of what is new, and says whether there is more.
func (x *run) look() (rest bool) {
	root, err := x.open()
	if err != nil {
		if !x.gone {
			x.gone = true
			x.dirty("state")
		}
		return false
	}
	defer root.Close()
	info, err := root.Stat(".")
	if err != nil {
		return false
	}
	if x.folder != nil && !os.SameFile(info, x.folder) || x.gone {
		x.forget() // another folder of that name
	}
	x.folder, x.gone = info, false
	if x.lookAtFiles(root); x.lost != nil {
		return false
	}
	return x.follow(root)
}

// follow reads the files that grow.
func (x *run) follow(root *os.Root) (rest bool) {
	grown := false
	read := func(t *tail, anew func(), see func([]byte), parts ...string) {
		had := t.mark
		more, err := t.more(root, anew, see)
		rest = rest || more
		if err != nil {
			x.say("%s: %v", t.name, err)
		}
		if t.mark != had {
			grown = true
			x.dirty(parts...)
		}
	}
	read(&x.metrics, x.forgetMetrics, x.addMetric, "state", "stages", "curves")
	read(&x.samples, x.forgetSamples, x.addSample, "state", "stages", "found", "search", "choices", "tree")
	read(&x.log, x.forgetLog, x.addEntry, "state", "stages", "log")
	if grown {
		x.changed = x.newest(root)
	}
	return rest
}

// newest is when a file that grows has last changed.
func (x *run) newest(root *os.Root) (t time.Time) {
	for _, name := range []string{x.metrics.name, x.samples.name, x.log.name} {
		if info, err := root.Stat(name); err == nil && info.ModTime().After(t) {
			t = info.ModTime()
		}
	}
	return t
}

func (x *run) addMetric(line []byte) {
	var m rundir.Metric
	if json.Unmarshal(line, &m) != nil || m.Stage == "" {
		return // damage, which the run itself speaks of
	}
	x.stage, x.latest[m.Stage] = m.Stage, m
	for name, v := range map[string]*float64{"loss": m.Loss, "lr": m.LR} {
		if v == nil || m.Stage == "search" {
			continue
		}
		name = m.Stage + "/" + name
		if x.curves[name] == nil {
			x.curves[name] = &curve{}
		}
		x.curves[name].add(*v)
	}
}

func (x *run) addSample(line []byte) {
	var s rundir.Sample
	if json.Unmarshal(line, &s) != nil || s.Arch == "" {
		return
	}
	x.lines, x.codes = append(x.lines, s), append(x.codes, nil)
}

// code is the code of a sample, nil where its text is none of the space.
func (x *run) code(i int) []byte {
	if x.codes[i] == nil && x.space != nil {
		if a, err := x.space.Parse(x.lines[i].Arch); err == nil {
			x.codes[i] = x.space.Encode(a)
		}
	}
	return x.codes[i]
}

// addEntry keeps a line of the log.
func (x *run) addEntry(line []byte) {
	l, ok := rundir.ParseLogLine(line)
	if !ok {
		return
	}
	if x.end = nil; l.Exit != nil {
		x.end = &l
	}
	x.heard(l)
	e := entry{Time: l.Time, Level: strings.ToLower(l.Level), Text: l.Msg, msg: l.Msg, stage: l.Stage, done: l.Done, total: l.Total, left: l.Left}
	switch l.Msg {
	case "progress", "stage":
		e.Text = strings.TrimSpace(fmt.Sprintf("%-8s %d/%d  %s", l.Stage, l.Done, l.Total, l.Note))
		if l.ImagesPerS > 0 {
			e.Text += fmt.Sprintf("  %.0f images/s", l.ImagesPerS)
		}
	case "memory":
		return
	}
	x.keep(e)
}

// keep adds an entry, and drops the first of too many.
func (x *run) keep(e entry) {
	if x.entries = append(x.entries, e); len(x.entries) > logLines {
		x.entries = x.entries[len(x.entries)-logLines:]
	}
}

// say keeps a word of our own beside those of the log.
func (x *run) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, e := range x.entries {
		if e.Text == text {
			return
		}
	}
	x.keep(entry{Time: x.now(), Level: "page", Text: text})
	x.dirty("log")
}
