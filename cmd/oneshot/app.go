package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// app is what the verbs share.
type app struct {
	opt *options
	ui  *ui.UI
}

// noArgs refuses positional arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fault.Usage("`"+cmd.CommandPath()+" --help` shows its flags", "%s takes no argument, but got %q", cmd.Name(), args[0])
	}
	return nil
}

// inRun runs f in a run folder, with a context that ends on the first SIGINT or
// SIGTERM, or when the page of `oneshot serve` asks for it. The log has the last word of a run too.
func (a *app) inRun(ctx context.Context, q pipeline.Request, f func(context.Context, *pipeline.Run) error) error {
	ctx, sig := watchSignals(ctx, "saving", a.ui.Err, os.Exit)
	defer sig.close()
	q.Folder, q.Override, q.MemoryLimit = a.opt.out, a.opt.override, int64(a.opt.memoryLimit)
	q.Config, q.Resume = a.opt.request(), q.Resume || a.opt.resume
	asked := newStopWatch(ctx, a.ui.Err)
	defer asked.close()
	ctx = asked.ctx
	r, err := pipeline.Open(ctx, pipeline.Process{
		UI: a.ui, Program: build(), Device: deviceFiles(), KeepGC: gcIsSet(), SaveAsked: sig.wantSave, Held: asked.held,
	}, q)
	if err != nil {
		return err
	}
	defer r.Close()
	asked.opened(a.ui.Log)
	err = f(ctx, r)
	asked.close()
	if err != nil {
		a.ui.Log.Error(err.Error(), "exit", fault.Classify(err).Code)
	} else {
		a.ui.Log.Info(rundir.LogEnded, "exit", fault.ExitOK)
	}
	return err
}

// room is the memory that an evaluation may take.
func (a *app) room() pipeline.Room {
	return pipeline.Room{Limit: int64(a.opt.memoryLimit), KeepGC: gcIsSet()}
}
