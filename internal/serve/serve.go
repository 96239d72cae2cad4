package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// Options are what a server is given.
type Options struct {
	Path string           // a run folder, or a folder of run folders
	Now  func() time.Time // the clock
	// Every calls f about every d until ctx ends or f returns false.
	Every func(ctx context.Context, d time.Duration, f func() bool)
}

// Bounds of a server. A browser has at most six connections to it, one of which each open page keeps.
const (
	mostConnections = 64
	mostStreams     = 24
	headerTime      = 5 * time.Second
	bodyTime        = 10 * time.Second
	writeTime       = 30 * time.Second
	idleTime        = time.Minute
	endTime         = 3 * time.Second
	mostHeader      = 16 << 10
)

// Server shows the runs of a folder.
type Server struct {
	secrets
	Options
	single bool // Path is one run
	ctx    context.Context

	mu      sync.Mutex
	runs    map[string]*run
	list    *list
	streams int
}

// New is a server of a folder. It is an error of usage where there is none.
func New(o Options) (*Server, error) {
	info, err := os.Stat(o.Path)
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is no folder", o.Path)
	}
	if err != nil {
		return nil, fault.Usage("name a run folder, or a folder of them such as runs", "serve: %w", err)
	}
	s := &Server{secrets: newSecrets(), Options: o, runs: map[string]*run{}, ctx: context.Background(), single: rundir.Folder(o.Path).IsRun()}
	s.list = &list{path: o.Path, now: o.Now}
	return s, nil
}

// Single says whether the server shows one run.
func (s *Server) Single() bool { return s.single }

// Address is where a browser is let in. Whoever has it may look, and may stop runs.
func (s *Server) Address(a net.Addr) string { return "http://" + a.String() + "/?token=" + s.token }

// Serve answers requests until ctx ends, which is no error.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.ctx = ctx
	h := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: mostHeader, BaseContext: func(net.Listener) context.Context { return ctx },
		ErrorLog: log.New(io.Discard, "", 0), // of connections that are broken off
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(bound(l, mostConnections)) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	last, stop := context.WithTimeout(context.WithoutCancel(ctx), endTime)
	defer stop()
	if err := h.Shutdown(last); err != nil { // somebody reads slowly
		h.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// Handler is the server without a listener.
func (s *Server) Handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET "+s.base+"style.css", asset("text/css; charset=utf-8", styleSheet()))
	m.HandleFunc("GET "+s.base+"script.js", asset("text/javascript; charset=utf-8", script))
	m.HandleFunc("GET "+s.base+"icon.svg", asset("image/svg+xml", icon))
	if s.single {
		s.runRoutes(m, "")
	} else {
		m.HandleFunc("GET "+s.base+"{$}", s.showList)
		m.HandleFunc("GET "+s.base+"events", s.listEvents)
		s.runRoutes(m, "run/{name}/")
	}
	return s.guard(m)
}

func (s *Server) runRoutes(m *http.ServeMux, at string) {
	m.HandleFunc("GET "+s.base+at+"{$}", s.withRun(s.showRun))
	m.HandleFunc("GET "+s.base+at+"events", s.withRun(s.runEvents))
	m.HandleFunc("POST "+s.base+at+"stop", s.withRun(s.stop))
}

// withRun finds the run that a request names.
func (s *Server) withRun(f func(http.ResponseWriter, *http.Request, *run)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		if !s.single && !isName(name) {
			refuse(w, http.StatusNotFound, "no run has this name")
			return
		}
		x := s.run(name)
		if x.sync(); !x.ever() { // a name that never was a run is no run to remember
			s.forget(name)
			refuse(w, http.StatusNotFound, "there is no run of this name")
			return
		}
		f(w, r, x)
	}
}

// isName says whether a text is the name of one folder, and no path.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && filepath.IsLocal(name) && filepath.Base(name) == name
}

// mostRuns are remembered with what was read of them.
const mostRuns = 32

// run is what is known of a run, by its name; of a server of one run the name is "".
func (s *Server) run(name string) *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.runs[name]
	if x == nil {
		for old, o := range s.runs {
			if len(s.runs) >= mostRuns && o.users.Load() == 0 {
				delete(s.runs, old)
			}
		}
		x = newRun(s.Path, name, s.Now)
		s.runs[name] = x
	}
	return x
}

func (s *Server) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if x := s.runs[name]; x != nil && x.users.Load() == 0 {
		delete(s.runs, name)
	}
}

func asset(kind string, content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Write(content)
	}
}
