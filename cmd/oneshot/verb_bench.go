package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/rng"
	"oneshot/ops"
	"oneshot/ops/cpu"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// benchFlags are what every measurement of a network asks for. The network's
// own flags are keys of the configuration.
type benchFlags struct {
	space       string
	archs, reps int
	image       int
	aux         bool
}

func (a *app) benchCmd() *cobra.Command {
	var names []string
	cmd := &cobra.Command{
		Use: "bench step|eval|retrain|score|ops|kernels|archs|search", Short: "Measure this machine: training steps, scoring, kernels; race search algorithms",
		Long: `bench measures on random images, without a data set. Without flags, step and eval take
the reference job: 8 cells, 16 channels, 5 nodes, images 32x32, batch 64 (eval: 250);
retrain takes 20 cells of 36 channels and batch 96. --preset takes a recipe's network.

For each of --archs random architectures the median and the best of --reps repetitions
count; what is printed is their mean. With --device cuda a step trains another architecture
each time, on images that lie on the GPU; score and kernels are most useful there. floor is the time that arithmetic or memory at this
machine's measured peak would need for a perfectly fused step.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return fault.Usage("`oneshot bench --help` lists them", "bench wants one of: %s", strings.Join(names, ", "))
			}
			return fault.Usage("`oneshot bench --help` lists them", "bench wants one of: %s, but got %q%s",
				strings.Join(names, ", "), args[0], fault.DidYouMean(args[0], names))
		},
		RunE: func(*cobra.Command, []string) error { return nil }, // Args refuses everything
	}
	cmd.AddCommand(
		a.benchNetCmd("step", "net", "train.batch", "A training step of the supernet, a path a time"),
		a.benchNetCmd("eval", "net", "score.batch", "A forward pass of the supernet with running statistics"),
		a.benchNetCmd("retrain", "retrain", "retrain.batch", "A training step of one architecture"),
		a.benchScoreCmd(), a.benchOpsCmd(), a.benchKernelsCmd(), a.benchArchsCmd(), a.benchSearchCmd())
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return cmd
}

func (a *app) benchNetCmd(what, section, batch, short string) *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use: what, Short: short, Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			preset := ""
			switch what {
			case "retrain":
				preset = "lanet-s"
			case "eval":
				if a.opt.config == "" { // the reference job's, whatever a preset says
					a.opt.sets = slices.Insert(a.opt.sets, 0, "score.batch=250")
				}
			}
			c, err := a.opt.resolve(preset)
			if err != nil {
				return err
			}
			if c.Train.MicroBatch != 0 && what == "step" || c.Retrain.MicroBatch != 0 && what == "retrain" {
				return fault.Usage("--batch measures a smaller batch", "bench measures whole batches, not micro_batch")
			}
			return a.benchNet(what, c, f)
		},
	}
	fs := cmd.Flags()
	f.bind(cmd, a.opt)
	a.opt.keyFlag(fs, "layers", "", section+".layers", "number", "cells")
	a.opt.keyFlag(fs, "channels", "", section+".channels", "number", "channels of the first cell")
	a.opt.keyFlag(fs, "stem-multiplier", "", section+".stem_multiplier", "number", "stem channels in units of --channels")
	a.opt.keyFlag(fs, "batch", "b", batch, "number", "images at a time")
	fs.IntVar(&f.image, "image", 32, "side of the square images in pixels")
	fs.IntVar(&f.reps, "reps", 3, "repetitions of each architecture")
	if what == "retrain" {
		fs.BoolVar(&f.aux, "aux", false, "with the auxiliary head")
	}
	return cmd
}

// bind declares the flags that say which architectures.
func (f *benchFlags) bind(cmd *cobra.Command, o *options) {
	fs := cmd.Flags()
	fs.StringVar(&f.space, "space", "nasnet", "search space; nasnet is the only one")
	o.keyFlag(fs, "ops", "", "net.ops", "name", "candidate operations: lanas, darts or full")
	o.keyFlag(fs, "nodes", "", "net.nodes", "number", "nodes of a cell")
	fs.IntVar(&f.archs, "archs", 8, "random architectures, those of the seeds 1, 2, ...")
	f.image, f.reps = 32, 1 // of a verb without these flags
}

func (f *benchFlags) check() error {
	if f.space != "nasnet" {
		return fault.Usage("", "--space %q: want nasnet", f.space)
	}
	for _, n := range []struct {
		flag   string
		got    int
		lo, hi int
	}{{"archs", f.archs, 1, 10000}, {"reps", f.reps, 1, 10000}, {"image", f.image, 8, 4096}} {
		if n.got < n.lo || n.got > n.hi {
			return fault.Usage("", "--%s %d: want %d..%d", n.flag, n.got, n.lo, n.hi)
		}
	}
	return nil
}

// benchArchs are the architectures that measurements take.
func benchArchs(s space.Space, n int) []space.Arch {
	var archs []space.Arch
	for i := range n {
		archs = append(archs, s.Sample(rng.New(uint64(i)+1, "bench")))
	}
	return archs
}

// benchReport is the result of a measurement; times and floors are means over
// the architectures.
type benchReport struct {
	Bench            string  `json:"bench"`
	ImagesPerSMedian float64 `json:"images_per_s_median"`
	ImagesPerSBest   float64 `json:"images_per_s_best"`
	MSPerStepMedian  float64 `json:"ms_per_step_median"`
	MSPerStepBest    float64 `json:"ms_per_step_best"`
	GFLOPS           float64 `json:"gflops"` // useful operations, at the median
	FloorMS          float64 `json:"floor_ms"`
	FloorShare       float64 `json:"floor_share"`
	PeakRSSMB        int64   `json:"peak_rss_mb"` // before the peaks are measured; 0 where it is unknown
	Threads          int     `json:"threads"`
	ISA              string  `json:"isa"`
	CPU              string  `json:"cpu"`
	Batch            int     `json:"batch"`
	Archs            int     `json:"archs"`
	Reps             int     `json:"reps"`
	MaddsPerImage    float64 `json:"madds_per_image"`
	Params           int64   `json:"params"`
	Ops              string  `json:"ops"`
	Nodes            int     `json:"nodes"`
	Layers           int     `json:"layers"`
	Channels         int     `json:"channels"`
	Image            int     `json:"image"`
	Aux              bool    `json:"aux"`
	PeakGFLOPS       float64 `json:"peak_gflops"` // all threads
	PeakGBPerS       float64 `json:"peak_gb_per_s"`
	FloorFlopsMS     float64 `json:"floor_flops_ms"`
	FloorBytesMS     float64 `json:"floor_bytes_ms"`
	Device           string  `json:"device"`
	DeviceMS         float64 `json:"device_ms"` // of a step on a GPU, without waiting for its launches
}

// benchNet measures what on the network of the configuration.
func (a *app) benchNet(what string, c config.Config, f benchFlags) error {
	isa, err := cpu.ISA()
	if err != nil {
		a.ui.warnf("%v", err)
	}
	s, err := space.New(c.Net.Ops, c.Net.Nodes)
	if err != nil {
		return err
	}
	rt, err := a.ui.newRuntime(c.Run)
	if err != nil {
		return err
	}
	defer rt.Close()
	m := &benchRun{what: what, net: benchNetConfig(what, c, s, f), archs: benchArchs(s, f.archs), reps: f.reps, seed: c.Seed, rt: rt}
	m.optimizer = c.Train.Rule()
	if what == "retrain" {
		m.optimizer = c.Retrain.Rule()
	}
	m.batch = map[string]int{"step": c.Train.Batch, "eval": c.Score.Batch, "retrain": c.Retrain.Batch}[what]
	if err := m.net.Check(); err != nil {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	if what != "eval" {
		mem, err := m.memory()
		if err != nil {
			return fmt.Errorf("bench: %w", err)
		}
		defer lessGarbage(mem.Heap())()
	}
	if err := m.run(); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	r := benchReport{
		Bench: what, PeakRSSMB: peakRSS() >> 20, Threads: rt.Threads(), ISA: isa, CPU: cpuModel(),
		Batch: m.batch, Archs: f.archs, Reps: f.reps, Params: m.params / int64(m.nets),
		Ops: c.Net.Ops, Nodes: c.Net.Nodes, Layers: m.net.Layers, Channels: m.net.Channels, Image: f.image, Aux: f.aux,
	}
	if err := m.report(&r, benchPeak(rt.Threads())); err != nil {
		return fmt.Errorf("bench: %w", err)
	}
	r.Device, r.DeviceMS = rt.Device(), 1e3*m.device
	if a.opt.json {
		return a.ui.json(r)
	}
	a.ui.printf("%-8s %.1f images/s, %.2f ms a batch of %d (best %.1f, %.2f ms)\n",
		what, r.ImagesPerSMedian, r.MSPerStepMedian, r.Batch, r.ImagesPerSBest, r.MSPerStepBest)
	a.ui.printf("%-8s %d cells of %d channels, %d nodes of %s, images %dx%d: %.1f M multiply-adds an image, %.0f k parameters\n",
		"network", r.Layers, r.Channels, r.Nodes, r.Ops, r.Image, r.Image, r.MaddsPerImage/1e6, float64(r.Params)/1e3)
	a.ui.printf("%-8s %.1f GFLOP/s; floor %.2f ms (arithmetic %.2f, memory %.2f): %.0f %% of the time\n",
		"work", r.GFLOPS, r.FloorMS, r.FloorFlopsMS, r.FloorBytesMS, 100*r.FloorShare)
	a.ui.printf("%-8s %s, %d threads, %s: %.0f GFLOP/s, %.1f GB/s; %d MB resident at most\n",
		"machine", r.CPU, r.Threads, r.ISA, r.PeakGFLOPS, r.PeakGBPerS, r.PeakRSSMB)
	return nil
}

func benchNetConfig(what string, c config.Config, s space.Space, f benchFlags) supernet.NetConfig {
	n := supernet.NetConfig{
		Space: s, Size: net.Size{Layers: c.Net.Layers, Channels: c.Net.Channels, StemMultiplier: c.Net.StemMultiplier,
			Classes: 10, Image: f.image, Affine: c.Net.Affine},
	}
	if what == "retrain" {
		n.Layers, n.Channels, n.StemMultiplier = c.Retrain.Layers, c.Retrain.Channels, c.Retrain.StemMultiplier
		n.Affine, n.Aux, n.AuxChannels = true, f.aux, supernet.DefaultNet().AuxChannels
	}
	return n
}

// benchRun is one measurement.
type benchRun struct {
	what         string
	net          supernet.NetConfig
	archs        []space.Arch
	batch, reps  int
	optimizer    ops.Optimizer
	seed         uint64
	rt           *supernet.Runtime
	params       int64 // of all networks that were built
	nets         int
	median, best []float64 // seconds, by architecture
	device       float64   // seconds of a step on a GPU
}

// memory is about what these steps need.
func (m *benchRun) memory() (supernet.Memory, error) {
	c := supernet.DefaultTrain()
	c.Batch, c.Optimizer = m.batch, m.optimizer
	var arch space.Arch
	if m.what == "retrain" {
		arch = m.archs[0]
	}
	return supernet.Estimate(m.net, arch, c, m.rt.Threads())
}

// benchWarmUp steps run before the clock does: arenas grow to their size.
const benchWarmUp = 2

func (m *benchRun) run() error {
	if m.what != "retrain" {
		n, err := supernet.New(m.net, m.seed, m.rt)
		if err != nil {
			return err
		}
		return m.measure(n, m.archs)
	}
	for i := range m.archs {
		n, err := supernet.NewArch(m.net, m.archs[i], m.seed, m.rt)
		if err != nil {
			return err
		}
		if err := m.measure(n, m.archs[i:i+1]); err != nil {
			return err
		}
		runtime.GC() // or two networks are in memory
	}
	return nil
}

// measure times every architecture of a network. A step builds the graph of the
// next one at the same time, as a training does, so the order is known ahead.
func (m *benchRun) measure(n *supernet.Net, archs []space.Arch) error {
	if m.rt.Device() == "cuda" && m.what != "eval" {
		return m.measureDevice(n, archs)
	}
	m.params += n.Params()
	m.nets++
	b, err := supernet.NewBench(n, m.batch, archs, m.optimizer)
	if err != nil {
		return err
	}
	defer b.Close()
	var order []int
	for i := range benchWarmUp {
		order = append(order, i%len(archs))
	}
	for i := range archs {
		order = append(order, slices.Repeat([]int{i}, m.reps)...)
	}
	var took []float64
	for i, path := range order {
		s, err := seconds(func() error {
			if m.what == "eval" {
				return b.Eval(path)
			}
			return b.Step(path, order[(i+1)%len(order)])
		})
		if err != nil {
			return err
		}
		took = append(took, s)
	}
	for part := range slices.Chunk(took[benchWarmUp:], m.reps) {
		m.median, m.best = append(m.median, median(part)), append(m.best, slices.Min(part))
	}
	return nil
}

// report fills in what follows from the times and the machine's peaks.
func (m *benchRun) report(r *benchReport, p cpu.Peak) error {
	r.PeakGFLOPS, r.PeakGBPerS = p.GFLOPSAll, max(p.ReadAll, p.CopyAll)
	n := float64(len(m.archs))
	var median, best, flops float64
	for i, a := range m.archs {
		median += m.median[i] / n
		best += m.best[i] / n
		var o ops.Optimizer // of a training
		if m.what != "eval" {
			o = m.optimizer
		}
		w, err := supernet.Floor(m.net, a, m.batch, o)
		if err != nil {
			return err
		}
		flops += float64(w.Flops) / n
		arithmetic, memory := float64(w.Flops)/r.PeakGFLOPS/1e6, float64(w.Bytes)/r.PeakGBPerS/1e6
		r.FloorFlopsMS += arithmetic / n
		r.FloorBytesMS += memory / n
		r.FloorMS += max(arithmetic, memory) / n
		_, madds, err := m.net.Cost(a)
		if err != nil {
			return err
		}
		r.MaddsPerImage += float64(madds) / n
	}
	r.MSPerStepMedian, r.MSPerStepBest = 1e3*median, 1e3*best
	r.ImagesPerSMedian, r.ImagesPerSBest = float64(m.batch)/median, float64(m.batch)/best
	r.GFLOPS = flops / median / 1e9
	r.FloorShare = r.FloorMS / r.MSPerStepMedian
	return nil
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
