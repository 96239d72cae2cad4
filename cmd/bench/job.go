package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// job is one measurement: a verb of `oneshot bench` with its flags.
type job struct {
	Name  string `json:"name"`
	Flags string `json:"flags"`
}

// jobs are a training step of the supernet, scoring, and a step of a retraining. They
// are small, because many rounds tell more than long ones.
func jobs() []job {
	return []job{
		{"step", "--archs 4"},
		{"eval", "--archs 4"},
		{"retrain", "--channels 36 --layers 8 --batch 32 --archs 2"},
	}
}

// result is what a measurement printed, as far as it is looked at.
type result struct {
	ImagesPerS float64 `json:"images_per_s_median"`
	MemoryMB   float64 `json:"peak_rss_mb"` // most resident memory; 0 where the system does not say
	machine
	work
}

// machine is what figures depend on besides the program.
type machine struct {
	CPU     string `json:"cpu"`
	ISA     string `json:"isa"` // instruction set that the program took
	Threads int    `json:"threads"`
}

// work is what was computed. Programs are comparable where it is the same.
type work struct {
	Batch         int     `json:"batch"`
	Params        int64   `json:"params"`
	MaddsPerImage float64 `json:"madds_per_image"`
}

// run runs the job in the given program. The end of ctx ends the program too.
func (j job) run(ctx context.Context, program string, threads int) (result, error) {
	args := slices.Concat([]string{"bench", j.Name}, strings.Fields(j.Flags),
		[]string{"--threads", strconv.Itoa(threads), "--device", "cpu", "--json"})
	cmd := stoppable(ctx, program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return result{}, ctx.Err()
		}
		return result{}, fmt.Errorf("%s: %w\n%s", j.Name, err, &stderr)
	}
	var r result
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		return result{}, fmt.Errorf("%s: output is no JSON object: %w", j.Name, err)
	}
	if !(r.ImagesPerS > 0) {
		return result{}, fmt.Errorf("%s: %v images/s", j.Name, r.ImagesPerS)
	}
	return r, nil
}

// stoppable is a command that the end of ctx asks to end, with some time to tidy up.
func stoppable(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	return cmd
}
