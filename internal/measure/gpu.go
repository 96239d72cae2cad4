package measure

import (
	"context"
	"fmt"
	"io"
	"slices"

	"oneshot/data"
	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/ops/cuda"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// benchData are drawn images for measurements that need a data set: as many as
// CIFAR-10 has to score on.
func benchData() (*data.Dataset, error) {
	return data.Open(data.Config{Name: "shapes10", TrainSize: 12000, TestSize: 10, SearchSize: 5000, Seed: 1})
}

// measureDevice times training steps on a GPU as a training takes them: another
// path each step, augmented on the device, launched while the step before runs.
func (m *networkRun) measureDevice(n *supernet.Net, archs []space.Arch) error {
	m.params += n.Params()
	m.nets++
	d, err := benchData()
	if err != nil {
		return err
	}
	t, err := supernet.NewTrainer(n, d.Train, m.training)
	if err != nil {
		return err
	}
	defer t.Close()
	if m.what == "step" {
		t.Follow(func(step int) space.Arch { return archs[step%len(archs)] })
	}
	ctx := context.Background()
	steps := max(len(archs), 32)
	run := func() error {
		m.device = 0
		for range steps {
			s, err := t.Step(ctx)
			if err != nil {
				return err
			}
			m.device += s.Device.Seconds() / float64(steps)
		}
		return nil
	}
	if err := run(); err != nil { // buffers grow to their size
		return err
	}
	var took []float64
	for range m.reps {
		s, err := seconds(m.now, run)
		if err != nil {
			return err
		}
		took = append(took, s/float64(steps))
	}
	for range archs {
		m.median, m.best = append(m.median, median(took)), append(m.best, slices.Min(took))
	}
	return nil
}

// ScoreReport is what `bench score` prints.
type ScoreReport struct {
	Bench          string  `json:"bench"`
	MSPerScore     float64 `json:"ms_per_score_median"`
	MSPerScoreBest float64 `json:"ms_per_score_best"`
	Archs          int     `json:"archs"`
	Reps           int     `json:"reps"`
	Device         string  `json:"device"`
	RecalImages    int     `json:"recal_images"`
	Images         int     `json:"images"`
}

// Score measures the scoring of subnetworks.
func (b Bench) Score(j Job) (ScoreReport, error) {
	r := ScoreReport{Bench: "score", Reps: j.Reps, RecalImages: supernet.DefaultScore().RecalImages}
	c := j.Config
	s, err := c.Net.Named.Open()
	if err != nil {
		return r, err
	}
	rt, err := device.Open(c.Run, b.Device, b.UI)
	if err != nil {
		return r, err
	}
	defer rt.Close()
	n, err := supernet.New(j.network("score", s), c.Seed, rt)
	if err != nil {
		return r, fault.WithCode(err, fault.ExitUsage, "")
	}
	d, err := benchData()
	if err != nil {
		return r, err
	}
	score, err := supernet.NewScorer(n, d.Train, d.Search, supernet.DefaultScore())
	if err != nil {
		return r, err
	}
	defer score.Close()
	archs := j.sample(s)
	ctx := context.Background()
	if _, err := score.Score(ctx, archs[0]); err != nil {
		return r, err
	}
	r.Archs = len(archs)
	r.Device, r.Images = rt.Device(), d.Search.Len()
	var took []float64
	for range j.Reps {
		t, err := seconds(b.UI.Now, func() error {
			for _, x := range archs {
				if _, err := score.Score(ctx, x); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return r, err
		}
		took = append(took, 1e3*t/float64(len(archs)))
	}
	r.MSPerScore, r.MSPerScoreBest = median(took), slices.Min(took)
	return r, nil
}

// Text writes the report for people.
func (r ScoreReport) Text(w io.Writer) {
	fmt.Fprintf(w, "score    %.1f ms a subnetwork (best %.1f) on %s: %d images re-estimate statistics, %d are classified\n",
		r.MSPerScore, r.MSPerScoreBest, r.Device, r.RecalImages, r.Images)
}

// GPUReport is what `bench kernels` prints: one training step on a GPU, kernel
// by kernel.
type GPUReport struct {
	Bench     string             `json:"bench"`
	Device    string             `json:"device"`
	CopyGBPS  float64            `json:"copy_gb_per_s"` // read and written
	Plan      supernet.PlanStats `json:"plan"`
	Kernels   []GPUKernel        `json:"kernels"`
	TotalMS   float64            `json:"total_ms"` // launch by launch, gaps included
	TotalGB   float64            `json:"total_gb"`
	CopyShare float64            `json:"copy_share"` // bytes at the speed of a copy over the time
}

// GPUKernel is what the launches of a kernel took in a step.
type GPUKernel struct {
	Kernel   string  `json:"kernel"`
	Launches int     `json:"launches"`
	Tasks    int     `json:"tasks"`
	MS       float64 `json:"ms"`
	GB       float64 `json:"gb"` // of the buffers read and written
	Share    float64 `json:"copy_share"`
	USEach   float64 `json:"us_per_launch"`
	Slowest  float64 `json:"us_slowest"`
	Tasks1   int     `json:"slowest_tasks"`
	Blocks1  int     `json:"slowest_blocks"`
}

// Kernels measures the kernels of one training step on a GPU.
func (b Bench) Kernels(j Job) (GPUReport, error) {
	var r GPUReport
	c := j.Config
	c.Run.Device = "cuda"
	s, err := c.Net.Named.Open()
	if err != nil {
		return r, err
	}
	e, err := device.OpenGPU(b.Device)
	if err != nil {
		return r, err
	}
	const copied = 1 << 30
	speed, err := e.CopyBandwidth(copied)
	if err != nil {
		e.Close()
		return r, err
	}
	rt, err := supernet.NewCUDARuntime(e, c.Run.Half(), c.Run.ThreadCount())
	if err != nil {
		e.Close()
		return r, err
	}
	defer rt.Close()
	n, err := supernet.New(j.network("step", s), c.Seed, rt)
	if err != nil {
		return r, err
	}
	d, err := benchData()
	if err != nil {
		return r, err
	}
	tc := supernet.DefaultTrain()
	tc.Batch, tc.Steps = c.Train.Batch, 1<<30
	t, err := supernet.NewTrainer(n, d.Train, tc)
	if err != nil {
		return r, err
	}
	defer t.Close()
	archs := j.sample(s)
	t.Follow(func(step int) space.Arch { return archs[step%len(archs)] })
	for range 3 {
		if _, err := t.Step(context.Background()); err != nil {
			return r, err
		}
	}
	r = GPUReport{Bench: "kernels", Device: device.Describe(e.Info()), CopyGBPS: speed / 1e9}
	by := map[string]*GPUKernel{}
	for i := range archs {
		rows, plan, err := t.Profile()
		if err != nil {
			return r, err
		}
		if i == 0 {
			r.Plan = plan
		}
		for _, k := range rows {
			r.add(by, k, len(archs))
		}
	}
	for _, k := range by {
		k.USEach = 1e3 * k.MS * float64(len(archs)) / float64(k.Launches)
		k.Share = k.GB / (speed / 1e9) / (max(k.MS, 1e-6) / 1e3) // the clock of events has steps
		r.Kernels = append(r.Kernels, *k)
		r.TotalMS += k.MS
		r.TotalGB += k.GB
	}
	slices.SortFunc(r.Kernels, func(x, y GPUKernel) int {
		if x.MS > y.MS {
			return -1
		}
		return 1
	})
	r.CopyShare = r.TotalGB / r.CopyGBPS / (r.TotalMS / 1e3)
	return r, nil
}

// Text writes the report for people.
func (r GPUReport) Text(w io.Writer) {
	fmt.Fprintf(w, "%s; a copy moves %.0f GB/s\n%d tasks in %d launches on %d levels; arena %d MB, table %d kB\n",
		r.Device, r.CopyGBPS, r.Plan.Tasks, r.Plan.Launches, r.Plan.Levels, r.Plan.ArenaBytes/1e6, r.Plan.TableBytes/1000)
	fmt.Fprintf(w, "%-18s %8s %8s %9s %9s %7s %9s %9s %6s %7s\n", "kernel", "launches", "tasks", "ms", "GB", "of copy", "us each", "slowest", "tasks", "blocks")
	for _, k := range r.Kernels {
		fmt.Fprintf(w, "%-18s %8d %8d %9.4f %9.4f %6.0f%% %9.1f %9.1f %6d %7d\n", k.Kernel, k.Launches, k.Tasks, k.MS, k.GB, 100*k.Share, k.USEach, k.Slowest, k.Tasks1, k.Blocks1)
	}
	fmt.Fprintf(w, "%-18s %8s %8s %9.4f %9.4f %6.0f%%\n", "all", "", "", r.TotalMS, r.TotalGB, 100*r.CopyShare)
}

// add counts the launches of one architecture of n.
func (r *GPUReport) add(by map[string]*GPUKernel, k cuda.KernelTime, n int) {
	row := by[k.Symbol]
	if row == nil {
		row = &GPUKernel{Kernel: k.Symbol}
		by[k.Symbol] = row
	}
	row.Launches += k.Launches
	row.Tasks += k.Tasks
	row.MS += 1e3 * k.Seconds / float64(n)
	row.GB += float64(k.Bytes) / 1e9 / float64(n)
	if us := 1e6 * k.Slowest; us > row.Slowest {
		row.Slowest, row.Tasks1, row.Blocks1 = us, k.SlowestTasks, k.SlowestGrid
	}
}
