package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/internal/machine"
	"oneshot/internal/pipeline"
	"oneshot/internal/plan"
	"oneshot/internal/rundir"
	"oneshot/ops/cuda"
	"oneshot/supernet"
)

func (a *app) doctorCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check the machine, the data and the disk before a long run", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
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
	TrainMiB  int64          `json:"train_needs_mib,omitempty"` // 0 where the images are not known
	FinalMiB  int64          `json:"retrain_needs_mib,omitempty"`
	gpuNeeds
	Forecasts []pipeline.Forecast `json:"stages,omitempty"`

	Data  string   `json:"data"`
	Roles string   `json:"data_roles,omitempty"`
	Notes []string `json:"data_notes,omitempty"`
	Disk  string   `json:"disk"`
	OK    bool     `json:"ok"`
}

// gpuNeeds is about what the stages of a run take of a GPU's memory, one after the other;
// 0 where none computes.
type gpuNeeds struct {
	Train   int64 `json:"gpu_train_needs_mib,omitempty"`
	Search  int64 `json:"gpu_search_needs_mib,omitempty"`
	Retrain int64 `json:"gpu_retrain_needs_mib,omitempty"`
}

// gpuNeeds estimates them. The error may be that a stage needs more than is free.
func (a *app) gpuNeeds(p *plan.Plan, rt *supernet.Runtime) (n gpuNeeds, err error) {
	free, err := rt.FreeMemory()
	if err != nil || rt.Device() == "cpu" {
		return n, err
	}
	mib := func(bytes int64) int64 { return (bytes + 1<<20 - 1) >> 20 }
	to := map[string]*int64{"train": &n.Train, "search": &n.Search, "retrain": &n.Retrain}
	for _, s := range p.DeviceNeeds(rt, []string{"train", "search", "retrain"}, nil) {
		*to[s.Stage] = mib(s.Bytes)
		err = cmp.Or(err, s.Err)
		if s.Bytes > free {
			err = cmp.Or(err, fault.New(fault.ExitSpace, plan.LessDevice(s.Stage, p.Config.Run),
				"not enough memory of the GPU: %s needs about %d MiB, %d are free", s.Stage, mib(s.Bytes), free>>20))
		}
	}
	return n, err
}

// doctor reports everything it finds, also after a failure, and fails with the
// first problem.
func (a *app) doctor(ctx context.Context) error {
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
	p, err := plan.New(ctx, c)
	if err != nil {
		r.Data = err.Error()
	} else {
		d := p.Data
		defer d.Close()
		r.Data = fmt.Sprintf("%s: %d images to train, %d to search, %d to test", d.Provenance, d.Train.Len(), d.Search.Len(), d.Test.Len())
		r.Roles, r.Notes = d.Roles, d.Notes
		err = p.Check()
	}
	problem = cmp.Or(problem, err)
	if err == nil {
		need := func(stage string) int64 {
			need, err := p.Need(stage, nil)
			problem = cmp.Or(problem, err)
			return need >> 20
		}
		r.TrainMiB, r.FinalMiB = need("train"), need("retrain")
		if r.MemoryMiB > 0 && max(r.TrainMiB, r.FinalMiB) > r.MemoryMiB {
			problem = cmp.Or(problem, fault.New(fault.ExitSpace, "--memory-limit of run, train and retrain takes fewer images at a time; a smaller network needs less too",
				"not enough memory: training needs about %d MiB, retraining %d, and %d are available", r.TrainMiB, r.FinalMiB, r.MemoryMiB))
		}
		problem = cmp.Or(problem, a.ahead(ctx, p, &r))
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

// ahead looks at what the stages that train will take of the device and of time.
func (a *app) ahead(ctx context.Context, p *plan.Plan, r *doctorReport) error {
	rt, err := device.Open(p.Config.Run, deviceFiles(), a.ui)
	if err != nil {
		return err
	}
	defer rt.Close()
	if rt.Device() != "cpu" {
		if r.gpuNeeds, err = a.gpuNeeds(p, rt); err != nil {
			return err
		}
	}
	r.Forecasts = pipeline.Forecasts(ctx, p, rt, []string{"train", "retrain"}, nil, a.ui.Now)
	return nil
}

func (a *app) showDoctor(r doctorReport) {
	a.ui.Printf("version  %s (%s, %s, %s)\n", r.Version.Version, r.Version.Revision, r.Version.Go, r.Version.Platform)
	a.ui.Printf("cpu      %s, %d threads, %v\n", r.CPU, r.Threads, r.Features)
	a.ui.Printf("cuda     %s\n", r.CUDA)
	needs := ""
	if r.TrainMiB > 0 {
		needs = fmt.Sprintf("; training needs about %d, retraining %d", r.TrainMiB, r.FinalMiB)
	}
	a.ui.Printf("memory   %d MiB available%s\n", r.MemoryMiB, needs)
	if n := r.gpuNeeds; n.Train > 0 {
		a.ui.Printf("memory   %d MiB of the GPU free; training needs about %d, searching %d, retraining %d\n", r.CUDA.FreeMiB, n.Train, n.Search, n.Retrain)
	}
	a.ui.Printf("data     %s\n", r.Data)
	for _, f := range r.Forecasts {
		a.ui.Printf("%s\n", f)
	}
	if r.Roles != "" {
		a.ui.Printf("roles    %s\n", r.Roles)
	}
	for _, n := range r.Notes {
		a.ui.Printf("note     %s\n", n)
	}
	a.ui.Printf("disk     %s\n", r.Disk)
}
