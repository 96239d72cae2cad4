package serve

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/report"
	"oneshot/internal/rundir"
)

// list is what is known of the runs of a folder. A run is read again when one of its files has another time.
type list struct {
	path string
	now  func() time.Time

	mu      sync.Mutex
	looked  time.Time
	rows    map[string]row
	html    template.HTML
	version int64
}

// row is a run in the list.
type row struct {
	Name, Link  string
	State       state
	Stage       string
	Done, Total int
	Best, Test  string
	Changed     string
	changed     time.Time
	stamps      string
}

// mostRows are listed, those that changed last.
const mostRows = 500

// listed are the files by whose times a change of a row is noticed.
var listed = []string{"config.yaml", "metrics.jsonl", "log.jsonl", "search/best.json", "result.json", "supernet/record.json", "retrain/record.json"}

// listView is what the template of the list shows.
type listView struct {
	Rows []row
	Note string
}

// look reads the folder and draws the list where it has changed.
func (l *list) look() (template.HTML, int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if since := now.Sub(l.looked); !l.looked.IsZero() && since >= 0 && since < listEvery/2 {
		return l.html, l.version
	}
	l.looked = now
	v := l.read(now)
	html, err := fill("runs", v)
	if err != nil {
		return l.html, l.version
	}
	if html != l.html {
		l.html, l.version = html, now.UnixNano()
	}
	return l.html, l.version
}

func (l *list) read(now time.Time) (v listView) {
	root, err := os.OpenRoot(l.path)
	if err != nil {
		l.rows = nil
		v.Note = "the folder is gone; the page goes on when there is one of this name again"
		return v
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		v.Note = err.Error()
	}
	rows := map[string]row{}
	for _, e := range entries {
		if !isName(e.Name()) {
			continue
		}
		if r, ok := l.row(root, e.Name()); ok {
			r.State = r.at(now)
			rows[e.Name()] = r
			v.Rows = append(v.Rows, r)
		}
	}
	l.rows = rows
	slices.SortFunc(v.Rows, func(a, b row) int {
		return cmp.Or(b.changed.Compare(a.changed), cmp.Compare(a.Name, b.Name))
	})
	if n := len(v.Rows); n > mostRows {
		v.Rows, v.Note = v.Rows[:mostRows], fmt.Sprintf("%d runs that changed earlier are left out", n-mostRows)
	}
	return v
}

// row reads a run; false is none.
func (l *list) row(root *os.Root, name string) (row, bool) {
	sub, err := root.OpenRoot(name) // a link that leads out of the folder is no run of it
	if err != nil {
		return row{}, false
	}
	defer sub.Close()
	if !rundir.IsRun(sub.FS()) {
		return row{}, false
	}
	stamps := stampsOf(sub, listed)
	if old, ok := l.rows[name]; ok && old.stamps == stamps {
		return old, true
	}
	r := row{Name: name, Link: "run/" + url.PathEscape(name) + "/", stamps: stamps}
	for _, file := range listed {
		if info, err := sub.Stat(file); err == nil && info.ModTime().After(r.changed) {
			r.changed = info.ModTime()
		}
	}
	r.Changed = r.changed.Format("2006-01-02 15:04:05")
	var m rundir.Metric
	if json.Unmarshal(lastLine(sub, "metrics.jsonl"), &m) == nil && m.Stage != "" {
		r.Stage, r.Done = m.Stage, m.Step
		if m.Best != nil {
			r.Best = report.Percent(*m.Best)
		}
	}
	r.Total = totalOf(sub, r.Stage)
	if within(sub) == nil && (has(sub, "search/best.json") || has(sub, "result.json")) { // records are read only where they say something
		found := readResults(sub, rundir.Folder(filepath.Join(l.path, name)))
		if found.best != nil {
			r.Best = report.Percent(found.best.Score)
		} else if found.stale("search") {
			r.Best = ""
		}
		if found.result != nil && found.result.TestCount > 0 {
			r.Test = report.Percent(found.result.TestTop1)
		}
	}
	said, _ := rundir.ParseLogLine(lastLine(sub, "log.jsonl"))
	ended := said.Exit != nil
	switch {
	case ended && *said.Exit == fault.ExitStopped:
		r.State = state{"wait", "stopped"}
	case ended && *said.Exit != fault.ExitOK:
		r.State = state{"bad", fmt.Sprintf("failed (%d): %s", *said.Exit, said.Msg)}
	case r.Test != "":
		r.State = state{"good", "has a result"}
	case ended:
		r.State = state{"good", "ended"}
	}
	return r, true
}

// has says whether a file is there.
func has(root *os.Root, name string) bool {
	_, err := root.Stat(name)
	return err == nil
}

// at is the state of a row at a time.
func (r row) at(now time.Time) state {
	switch {
	case r.State.Text != "" && r.State.Text != "quiet" && r.State.Text != "goes on":
		return r.State
	case now.Sub(r.changed) > quiet:
		return state{"wait", "quiet"}
	}
	return state{"good", "goes on"}
}

// totalOf is how many steps or samples a stage of a run has; 0 is not known.
func totalOf(root *os.Root, stage string) int {
	for _, s := range pipeline.Stages {
		if s.Name != stage {
			continue
		}
		var rec *rundir.Record
		if readJSON(root, s.Record, &rec); rec != nil && rec.Steps > 0 {
			return rec.Steps
		}
	}
	if b, err := readIn(root, "config.yaml", mostConfig); err == nil && stage == "search" {
		if c, err := config.Parse("config.yaml", b, config.FromPreset); err == nil {
			return c.Search.Samples
		}
	}
	return 0
}

// lastLine is the last whole line of a file, nil where there is none of some kilobytes.
func lastLine(root *os.Root, name string) []byte {
	f, err := openIn(root, name)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil
	}
	const most = 16 << 10
	from := max(0, info.Size()-most)
	b, err := io.ReadAll(io.NewSectionReader(f, from, most))
	if err != nil {
		return nil
	}
	end := bytes.LastIndexByte(b, '\n')
	if end < 0 {
		return nil
	}
	b = b[:end]
	return b[bytes.LastIndexByte(b, '\n')+1:]
}

// showList is the page of the runs of a folder.
func (s *Server) showList(w http.ResponseWriter, _ *http.Request) {
	html, version := s.list.look()
	s.render(w, "list", page{Title: "Runs in " + rundir.Folder(s.Path).Base(), Base: s.base, Version: strconv.FormatInt(version, 10), Parts: []shown{{"runs", html}}})
}

// listEvents is its stream.
func (s *Server) listEvents(w http.ResponseWriter, r *http.Request) {
	seen, _ := strconv.ParseInt(r.URL.Query().Get("version"), 10, 64)
	out, end := s.open(w, r)
	if out == nil {
		return
	}
	defer end()
	s.flow(r.Context(), out, listEvery, func() {
		if html, version := s.list.look(); version > seen {
			out.part("runs", version, string(html))
			seen = version
		}
	})
}
