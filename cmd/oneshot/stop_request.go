package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"oneshot/internal/fault"
	"oneshot/internal/rundir"
)

// stopEvery is how often a run looks whether it is asked to stop: a look is a system call of a microsecond.
const stopEvery = 500 * time.Millisecond

// stopWatch ends a context, with the cause of Ctrl-C, when a request to stop appears in the folder of a run that this
// process holds.
type stopWatch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	stderr io.Writer
	work   sync.WaitGroup

	mu    sync.Mutex
	log   *slog.Logger // nil while the run is being opened, which takes minutes where images are many
	taken bool         // a request, of which the log does not know yet
}

// newStopWatch watches nothing yet.
func newStopWatch(parent context.Context, stderr io.Writer) *stopWatch {
	ctx, cancel := context.WithCancelCause(parent)
	return &stopWatch{ctx: ctx, cancel: cancel, stderr: stderr}
}

// held begins the watch of a folder that is held from now on. A request from before is for a run that is over.
func (s *stopWatch) held(d rundir.Folder) {
	d.TakeStop() // one that stays, in a folder that is only read by now, is taken below as soon as it can be
	s.work.Go(func() {
		every(s.ctx, stopEvery, func() bool {
			asked, _ := d.TakeStop()
			if asked {
				s.stop()
			}
			return !asked
		})
	})
}

// stop is what a request does. The log knows of it first: the page says that it is taken when the log does.
func (s *stopWatch) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.stderr, "\n%s: saving, then stopping, as the page of the run asks\n", rundir.StopFile)
	if s.taken = s.log == nil; !s.taken {
		s.log.Info(rundir.LogStopped)
	}
	s.cancel(fault.ErrStopped)
}

// opened gives the log of the run, which from now on is told.
func (s *stopWatch) opened(log *slog.Logger) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log = log; s.taken {
		log.Info(rundir.LogStopped)
	}
}

// close ends the watch.
func (s *stopWatch) close() {
	s.cancel(nil)
	s.work.Wait()
}
