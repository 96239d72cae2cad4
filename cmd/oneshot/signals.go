package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"oneshot/internal/fault"
)

// signals turns process signals into a cancelled context and a save request.
//
//   - SIGINT, SIGTERM: ctx is cancelled with cause ErrStopped; the stage in
//     progress finishes its step, saves, and the process exits 75.
//   - a second SIGINT or SIGTERM: the process exits 130 or 143 at once. Files
//     are renamed into place, so this is as safe as a power cut.
//   - SIGUSR1: wantSave reports true once; the stage saves and goes on.
type signals struct {
	save  atomic.Bool
	ch    chan os.Signal
	done  chan struct{}
	doing string         // what a stop begins with: "saving"
	abort func(code int) // os.Exit, except in tests
}

// watchSignals starts the watcher. While it runs, a closed terminal (SIGHUP), a
// closed pipe (SIGPIPE) and a file size limit (SIGXFSZ) do not kill the process:
// the latter two come back as write errors.
func watchSignals(parent context.Context, doing string, stderr io.Writer, abort func(int)) (context.Context, *signals) {
	ctx, cancel := context.WithCancelCause(parent)
	s := &signals{ch: make(chan os.Signal, 8), done: make(chan struct{}), doing: doing, abort: abort}
	signal.Ignore(syscall.SIGHUP, syscall.SIGPIPE, syscall.SIGXFSZ)
	signal.Notify(s.ch, syscall.SIGINT, syscall.SIGTERM, syscall.SIGUSR1)
	go s.loop(cancel, stderr)
	return ctx, s
}

func (s *signals) loop(cancel context.CancelCauseFunc, stderr io.Writer) {
	stopping := false
	for {
		select {
		case <-s.done:
			return
		case sig := <-s.ch:
			switch {
			case sig == syscall.SIGUSR1:
				s.save.Store(true)
			case stopping:
				s.abort(128 + int(sig.(syscall.Signal)))
			default:
				stopping = true
				fmt.Fprintf(stderr, "\n%v: %s, then stopping; once more stops at once\n", sig, s.doing)
				cancel(fault.ErrStopped)
			}
		}
	}
}

// wantSave reports whether a checkpoint was asked for since the last call.
func (s *signals) wantSave() bool { return s.save.Swap(false) }

// close gives the signals their default meaning again.
func (s *signals) close() {
	signal.Stop(s.ch)
	signal.Reset(syscall.SIGHUP, syscall.SIGPIPE, syscall.SIGXFSZ)
	close(s.done)
}
