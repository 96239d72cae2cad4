package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"oneshot/internal/fault"
	"oneshot/ops/cuda"
	"oneshot/supernet/space"
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
	Version   versionInfo `json:"version"`
	CPU       string      `json:"cpu"`
	Features  []string    `json:"cpu_features"`
	Threads   int         `json:"threads"`
	CUDA      cudaState   `json:"cuda"`
	MemoryMiB int64       `json:"memory_available_mib"`
	TrainMiB  int64       `json:"train_needs_mib"`
	FinalMiB  int64       `json:"retrain_needs_mib"`
	Data      string      `json:"data"`
	Disk      string      `json:"disk"`
	OK        bool        `json:"ok"`
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
		Version: newVersionInfo(), CPU: cpuModel(), Features: cpuFeatures(), Threads: threads(c.Run),
		MemoryMiB: availableMemory() >> 20,
	}
	if r.CUDA, err = cudaReport(); err != nil && (c.Run.Device == "cuda" || !cuda.IsAbsent(err)) {
		problem = err
	}
	j := &job{cfg: c, ui: a.ui}
	if j.space, err = space.New(c.Net.Ops, c.Net.Nodes); err != nil {
		return err
	}
	if j.data, err = openData(c); err != nil {
		r.Data, problem = err.Error(), cmp.Or(problem, err)
	} else {
		r.Data = fmt.Sprintf("%s: %d images to train, %d to search, %d to test", j.data.Provenance, j.data.Train.Len(), j.data.Search.Len(), j.data.Test.Len())
		for _, s := range []struct {
			stage string
			mib   *int64
		}{{"train", &r.TrainMiB}, {"retrain", &r.FinalMiB}} {
			need, err := j.need(s.stage)
			if err != nil {
				problem = cmp.Or(problem, err)
			}
			*s.mib = need >> 20
		}
		if r.MemoryMiB > 0 && max(r.TrainMiB, r.FinalMiB) > r.MemoryMiB {
			problem = cmp.Or(problem, fault.New(fault.ExitSpace, "--memory-limit trains with fewer images at a time; a smaller network needs less too", "not enough memory: %d MiB are available", r.MemoryMiB))
		}
	}
	r.Disk = "written, synced and renamed"
	if err := tryDisk(cmp.Or(a.opt.out, "runs")); err != nil {
		r.Disk, problem = err.Error(), cmp.Or(problem, err)
	}
	r.OK = problem == nil
	if a.opt.json {
		err = a.ui.json(r)
	} else {
		a.showDoctor(r)
	}
	if problem != nil {
		return problem
	}
	return err
}

func (a *app) showDoctor(r doctorReport) {
	a.ui.printf("version  %s (%s, %s, %s)\n", r.Version.Version, r.Version.Revision, r.Version.Go, r.Version.Platform)
	a.ui.printf("cpu      %s, %d threads, %v\n", r.CPU, r.Threads, r.Features)
	a.ui.printf("cuda     %s\n", r.CUDA)
	a.ui.printf("memory   %d MiB available; training needs about %d, retraining %d\n", r.MemoryMiB, r.TrainMiB, r.FinalMiB)
	a.ui.printf("data     %s\ndisk     %s\n", r.Data, r.Disk)
}

// tryDisk probes the folder runs go to, or the nearest folder above it that
// exists, in a folder of its own that is removed again.
func tryDisk(path string) error {
	for {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			break
		}
		if up := filepath.Dir(path); up != path {
			path = up
			continue
		}
		break
	}
	dir, err := os.MkdirTemp(path, ".oneshot-doctor-")
	if err != nil {
		return unusable(path, err)
	}
	defer os.RemoveAll(dir)
	d, err := openRunDir(dir, false, time.Now())
	if err != nil {
		return err
	}
	d.close()
	return nil
}
