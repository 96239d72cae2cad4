package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
)

// TestStopWhileOpening: a request of before is thrown away, and one that is made when the folder is held, before images
// and device are there, stops the run; the log says that it is taken.
func TestStopWhileOpening(t *testing.T) {
	dir := rundir.Folder(filepath.Join(t.TempDir(), "r"))
	if err := os.MkdirAll(string(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := dir.AskStop(); err != nil { // of a run that is over
		t.Fatal(err)
	}
	var said bytes.Buffer
	asked := newStopWatch(t.Context(), &said)
	defer asked.close()
	calls := 0
	p := pipeline.Process{UI: ui.New(&bytes.Buffer{}, &bytes.Buffer{}, time.Now), SaveAsked: func() bool { return false }, Held: func(d rundir.Folder) {
		calls++
		if asked.held(d); d.StopAsked() || asked.ctx.Err() != nil {
			t.Error("a request from before is for this run")
		}
		if d.Has("config.yaml") || d.Has("log.jsonl") {
			t.Error("the run is there when its folder is held")
		}
		if err := d.AskStop(); err != nil {
			t.Error(err)
		}
		select {
		case <-asked.ctx.Done():
		case <-time.After(20 * time.Second):
			t.Error("a request while the run is opened is not seen")
		}
	}}
	r, err := pipeline.Open(context.WithoutCancel(t.Context()), p, pipeline.Request{
		Folder: string(dir), Create: true, Resume: true, Sizes: []string{"train"},
		Config: config.Request{Preset: "micro", Sets: []string{"run.device=cpu"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	asked.opened(p.UI.Log)
	if calls != 1 || dir.StopAsked() || !strings.Contains(said.String(), "stop.request: saving, then stopping") {
		t.Errorf("held %d times, the request stays: %v; %s", calls, dir.StopAsked(), &said)
	}
	if _, err := r.Train(asked.ctx); !errors.Is(err, fault.ErrStopped) {
		t.Errorf("the training ends with %v", err)
	}
	log, err := os.ReadFile(dir.File("log.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), `"msg":"`+rundir.LogStopped+`"`); n != 1 {
		t.Errorf("the log says %d times that the request is taken:\n%s", n, log)
	}
}
