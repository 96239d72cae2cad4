package serve

import (
	"context"
	"net/http"
	"strings"
	"time"

	"oneshot/internal/rundir"
)

// request is a request to stop that this server has made.
type request struct {
	made  time.Time
	open  bool // the log does not say yet that the run has taken it
	over  bool // the run has ended before it took it
	taken bool
	text  string
}

// stopFor is how long a run may leave a request. It looks for one every half second, but over a network a new file may
// take a minute to be seen.
const stopFor = 90 * time.Second

// stop asks a run to stop, as Ctrl-C does.
func (s *Server) stop(w http.ResponseWriter, r *http.Request, x *run) {
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusBadRequest, "the form cannot be read")
		return
	}
	if !same(r.PostForm.Get("key"), s.key) {
		refuse(w, http.StatusForbidden, "this form is of another server, or of no page: load the page again")
		return
	}
	if err := x.askStop(); err != nil {
		refuse(w, http.StatusConflict, "the run cannot be asked to stop: "+err.Error())
		return
	}
	ctx, end := context.WithTimeout(s.ctx, 2*stopFor)
	x.users.Add(1)
	go func() {
		defer x.users.Add(-1)
		defer end()
		s.Every(ctx, time.Second, x.stopOpen)
	}()
	http.Redirect(w, r, strings.TrimSuffix(r.URL.EscapedPath(), "stop"), http.StatusSeeOther)
}

// askStop leaves the request.
func (x *run) askStop() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.look()              // what the log says from here on comes after the request
	root, err := x.open() // which a link that leads elsewhere is not
	if err != nil {
		return err
	}
	defer root.Close()
	if x.lost != nil {
		return x.lost
	}
	if err := x.dir().AskStop(); err != nil {
		return err
	}
	x.request = request{made: x.now(), open: true, text: "asked to stop; it finishes its step and saves"}
	x.dirty("state")
	return nil
}

// heard is how a line of the log decides about a request: the run has taken it, or has ended, whose state then says
// how. What was said of a request that nobody took is void when a run works again.
func (x *run) heard(l rundir.LogLine) {
	switch r := &x.request; {
	case l.Exit != nil:
		*r = request{open: r.open, over: r.open}
	case r.open && l.Msg == rundir.LogStopped:
		*r = request{taken: true, text: "the run has taken the request: it finishes its step, saves and ends with exit code 75"}
	case !r.open && !r.taken:
		*r = request{}
	}
}

// stopOpen says whether a request waits to be obeyed. One that nobody obeys is taken back.
func (x *run) stopOpen() bool {
	x.sync() // also where nobody looks at the page
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.request.open {
		return false
	}
	d, left := x.dir(), false
	switch {
	case x.request.over:
		x.request, left = request{}, true
	case x.now().Sub(x.request.made) <= stopFor:
		return true
	case d.StopAsked():
		x.request, left = request{text: "no run has taken the request to stop, so it is taken back: no run works in this folder"}, true
	default:
		x.request = request{text: "the request to stop is gone, but the log does not say that the run has taken it: `oneshot status " + string(d) + "` says where it stands"}
	}
	if left {
		if _, err := d.TakeStop(); err != nil {
			x.request.text = strings.TrimSpace(x.request.text + " (the request stays: " + err.Error() + ")")
		}
	}
	x.dirty("state")
	return false
}
