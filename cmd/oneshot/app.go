package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
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
// SIGTERM. The log has the last word of a run too.
func (a *app) inRun(ctx context.Context, q pipeline.Request, f func(context.Context, *pipeline.Run) error) error {
	ctx, sig := watchSignals(ctx, "saving", a.ui.Err, os.Exit)
	defer sig.close()
	q.Folder, q.Override, q.MemoryLimit = a.opt.out, a.opt.override, int64(a.opt.memoryLimit)
	q.Config, q.Resume = a.opt.request(), q.Resume || a.opt.resume
	r, err := pipeline.Open(ctx, pipeline.Process{
		UI: a.ui, Program: build(), Device: deviceFiles(), KeepGC: gcIsSet(), SaveAsked: sig.wantSave,
	}, q)
	if err != nil {
		return err
	}
	defer r.Close()
	err = f(ctx, r)
	if err != nil {
		a.ui.Log.Error(err.Error(), "exit", fault.Classify(err).Code)
	}
	return err
}
