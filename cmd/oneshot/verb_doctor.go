package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/internal/machine"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/ops/cuda"
)

func (a *app) doctorCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check the machine, the data and the disk before a long run", Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.doctor() },
	}
	cmd.Flags().StringVarP(&a.opt.out, "out", "o", "", "`folder` whose disk is tried (default runs)")
	return cmd
}

type doctorReport struct {
	Version   rundir.Program `json:"version"`
	CPU       string         `json:"cpu"`
	Features  []string       `json:"cpu_features"`
	Threads   int            `json:"threads"`
	CUDA      device.GPU     `json:"cuda"`
	MemoryMiB int64          `json:"memory_available_mib"`
	TrainMiB  int64          `json:"train_needs_mib"`
	FinalMiB  int64          `json:"retrain_needs_mib"`
	Data      string         `json:"data"`
	Disk      string         `json:"disk"`
	OK        bool           `json:"ok"`
}

// doctor reports everything it finds, also after a failure, and fails with the
// first problem.
func (a *app) doctor() error {
	c, err := a.opt.resolve("tiny")
	if err != nil {
		return err
	}
	var problem error
	r := doctorReport{
		Version: build(), CPU: machine.CPUModel(), Features: machine.CPUFeatures(), Threads: c.Run.ThreadCount(),
		MemoryMiB: machine.AvailableMemory() >> 20,
	}
	if r.CUDA, err = device.Probe(deviceFiles(), a.ui.Now); err != nil && (c.Run.Device == "cuda" || !cuda.IsAbsent(err)) {
		problem = err
	}
	p, err := plan.New(c)
	if err != nil {
		r.Data, problem = err.Error(), cmp.Or(problem, err)
	} else {
		d := p.Data
		r.Data = fmt.Sprintf("%s: %d images to train, %d to search, %d to test", d.Provenance, d.Train.Len(), d.Search.Len(), d.Test.Len())
		need := func(stage string) int64 {
			need, err := p.Need(stage, nil)
			problem = cmp.Or(problem, err)
			return need >> 20
		}
		r.TrainMiB, r.FinalMiB = need("train"), need("retrain")
		if r.MemoryMiB > 0 && max(r.TrainMiB, r.FinalMiB) > r.MemoryMiB {
			problem = cmp.Or(problem, fault.New(fault.ExitSpace, "--memory-limit trains with fewer images at a time; a smaller network needs less too", "not enough memory: %d MiB are available", r.MemoryMiB))
		}
	}
	r.Disk = "written, synced and renamed"
	if err := rundir.TryDisk(cmp.Or(a.opt.out, "runs"), a.ui.Now()); err != nil {
		r.Disk, problem = err.Error(), cmp.Or(problem, err)
	}
	r.OK = problem == nil
	if a.opt.json {
		err = a.ui.JSON(r)
	} else {
		a.showDoctor(r)
	}
	if problem != nil {
		return problem
	}
	return err
}

func (a *app) showDoctor(r doctorReport) {
	a.ui.Printf("version  %s (%s, %s, %s)\n", r.Version.Version, r.Version.Revision, r.Version.Go, r.Version.Platform)
	a.ui.Printf("cpu      %s, %d threads, %v\n", r.CPU, r.Threads, r.Features)
	a.ui.Printf("cuda     %s\n", r.CUDA)
	a.ui.Printf("memory   %d MiB available; training needs about %d, retraining %d\n", r.MemoryMiB, r.TrainMiB, r.FinalMiB)
	a.ui.Printf("data     %s\ndisk     %s\n", r.Data, r.Disk)
}
