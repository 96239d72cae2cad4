package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"oneshot/internal/rundir"
)

// Events of the page of a run:
//
//	metrics  lines of metrics.jsonl, as they are written; the id is the place behind the last one (mark), from which a
//	         connection goes on that was lost
//	anew     the file is another one by now: the page loads itself again
//	part     a part of the page, as JSON with its name, version and HTML
//
// The page of the list has parts only.
const (
	streamEvery = 250 * time.Millisecond
	listEvery   = 2 * time.Second
	stillEvery  = 15 * time.Second // a comment, by which a connection that is gone is noticed
)

// stream is a connection that events go to.
type stream struct {
	w   http.ResponseWriter
	c   *http.ResponseController
	now func() time.Time
	err error
}

func (s *stream) send(format string, args ...any) {
	if s.err != nil {
		return
	}
	s.c.SetWriteDeadline(s.now().Add(writeTime))
	_, s.err = fmt.Fprintf(s.w, format, args...)
}

// part sends one of a page.
func (s *stream) part(name string, version int64, html string) {
	b, err := json.Marshal(struct {
		Name    string `json:"name"`
		Version string `json:"version"` // more than a number of JavaScript holds
		HTML    string `json:"html"`
	}{name, strconv.FormatInt(version, 10), html})
	if err != nil {
		s.err = err
		return
	}
	s.send("event: part\ndata: %s\n\n", b)
}

// open begins a stream, unless there are too many. The function that it returns ends it.
func (s *Server) open(w http.ResponseWriter, r *http.Request) (*stream, func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams >= mostStreams {
		w.Header().Set("Retry-After", "5")
		refuse(w, http.StatusServiceUnavailable, "too many pages are open")
		return nil, nil
	}
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // of a proxy
	if r.Method == http.MethodHead {
		return nil, nil
	}
	s.streams++
	out := &stream{w: w, c: http.NewResponseController(w), now: s.Now}
	out.err = out.c.SetReadDeadline(time.Time{}) // that of the request, which is read
	return out, func() {
		s.mu.Lock()
		s.streams--
		s.mu.Unlock()
	}
}

// flow calls f again and again until the client or the server is gone.
func (s *Server) flow(ctx context.Context, out *stream, every time.Duration, f func()) {
	out.send("retry: 1000\n\n")
	var silent time.Duration
	step := func() bool {
		if silent += every; silent >= stillEvery {
			silent = 0
			out.send(": still here\n\n")
		}
		f()
		if out.err == nil {
			out.err = out.c.Flush()
		}
		return out.err == nil
	}
	if step() {
		s.Every(ctx, every, step)
	}
}

// runEvents is the stream of a run.
func (s *Server) runEvents(w http.ResponseWriter, r *http.Request, x *run) {
	from := r.Header.Get("Last-Event-ID")
	if from == "" {
		from = r.URL.Query().Get("after")
	}
	m, ok := parseMark(from)
	if from == "" {
		ok = true
	}
	seen, _ := strconv.ParseInt(r.URL.Query().Get("version"), 10, 64)
	out, end := s.open(w, r)
	if out == nil {
		return
	}
	defer end()
	x.users.Add(1)
	defer x.users.Add(-1)
	follow := tail{name: "metrics.jsonl", mark: m}
	if !ok {
		out.send("event: anew\nid: %s\ndata: {}\n\n", mark{})
	}
	s.flow(r.Context(), out, streamEvery, func() {
		x.sync()
		if x.at() != follow.mark {
			x.metricsFor(out, &follow)
		}
		seen = x.partsFor(out, seen)
	})
}

// at is how far the metrics are read.
func (x *run) at() mark {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.metrics.mark
}

// metricsFor sends the lines behind those that a client has.
func (x *run) metricsFor(out *stream, t *tail) {
	root, err := x.open()
	if err != nil {
		return // the state says so
	}
	defer root.Close()
	var lines strings.Builder
	anew := func() { out.send("event: anew\nid: %s\ndata: {}\n\n", mark{}) }
	if _, err := t.more(root, anew, func(line []byte) {
		var m rundir.Metric
		if json.Unmarshal(line, &m) != nil || m.Stage == "" {
			return
		}
		if b, err := json.Marshal(m); err == nil { // what is sent is of our making, whatever the file has
			fmt.Fprintf(&lines, "data: %s\n", b)
		}
	}); err != nil && !os.IsNotExist(err) {
		return
	}
	if lines.Len() > 0 {
		out.send("event: metrics\nid: %s\n%s\n", t.mark, &lines)
	}
}

// partsFor sends the parts that were drawn since a version, and returns that of the last.
func (x *run) partsFor(out *stream, seen int64) int64 {
	x.mu.Lock()
	x.draw(false)
	newest := seen
	type sent struct {
		name    string
		version int64
		html    string
	}
	var all []sent
	for _, name := range partNames {
		if p := x.parts[name]; p.version > seen {
			all, newest = append(all, sent{name, p.version, string(p.html)}), max(newest, p.version)
		}
	}
	x.mu.Unlock()
	for _, p := range all { // a slow reader holds up nobody else
		out.part(p.name, p.version, p.html)
	}
	return newest
}
