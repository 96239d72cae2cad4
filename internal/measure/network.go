package measure

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"oneshot/data"
	"oneshot/internal/device"
	"oneshot/internal/fault"
	"oneshot/internal/machine"
	"oneshot/internal/measure/floor"
	"oneshot/internal/measure/peak"
	"oneshot/ops"
	"oneshot/ops/cpu"
	"oneshot/supernet"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
	"oneshot/supernet/space/cell"
)

// NetworkReport is the result of a measurement; times and floors are means over
// the architectures.
type NetworkReport struct {
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
	Space            string  `json:"space"`
	Ops              string  `json:"ops,omitempty"`   // of cells
	Nodes            int     `json:"nodes,omitempty"` // likewise
	Layers           int     `json:"layers"`
	Channels         int     `json:"channels"`
	Image            int     `json:"image"`
	Aux              bool    `json:"aux"`
	Recipe           bool    `json:"recipe"`      // with all of a recipe, batches and all
	PeakGFLOPS       float64 `json:"peak_gflops"` // all threads
	PeakGBPerS       float64 `json:"peak_gb_per_s"`
	FloorFlopsMS     float64 `json:"floor_flops_ms"`
	FloorBytesMS     float64 `json:"floor_bytes_ms"`
	Device           string  `json:"device"`
	DeviceMS         float64 `json:"device_ms"` // of a step on a GPU, without waiting for its launches
}

// Network measures steps of a network: what is "step" (a training step of the
// supernet), "eval" (a forward pass of it with running statistics), "retrain" (a
// training step of one architecture) or "infer" (a forward pass of one).
func (b Bench) Network(what string, j Job) (NetworkReport, error) {
	r := NetworkReport{Bench: what}
	isa, _ := cpu.ISA() // what is wrong with it is said by the program
	c := j.Config
	s, archs, err := j.choose()
	if err != nil {
		return r, fault.WithCode(err, fault.ExitUsage, "")
	}
	rt, err := device.Open(c.Run, b.Device, b.UI)
	if err != nil {
		return r, err
	}
	defer rt.Close()
	m := &networkRun{what: what, now: b.UI.Now, net: j.network(what, s), archs: archs, reps: j.Reps, seed: c.Seed, rt: rt}
	switch {
	case j.Recipe:
		m.training, m.recipe = j.recipe(), true
	case what == "retrain":
		m.training = training(c.Retrain.Batch, c.Retrain.Descent)
	case what == "step":
		m.training = training(c.Train.Batch, c.Train.Descent)
	default:
		m.training.Batch = c.Score.Batch
	}
	if err := m.net.Check(); err != nil {
		return r, fault.WithCode(err, fault.ExitUsage, "")
	}
	if m.trains() {
		mem, err := m.memory()
		if err != nil {
			return r, fmt.Errorf("bench: %w", err)
		}
		defer machine.LessGarbage(mem.Heap(), b.KeepGC)()
	}
	if err := m.run(); err != nil {
		return r, fmt.Errorf("bench: %w", err)
	}
	r = NetworkReport{
		Bench: what, PeakRSSMB: machine.PeakResident() >> 20, Threads: rt.Threads(), ISA: isa, CPU: machine.CPUModel(),
		Batch: m.training.Batch, Archs: len(archs), Reps: j.Reps, Params: m.params / int64(m.nets),
		Space: s.Name(), Layers: m.net.Layers, Channels: m.net.Channels, Image: j.Image,
		Aux: m.net.Aux, Recipe: j.Recipe,
	}
	if cells, ok := s.(cell.Space); ok {
		r.Ops, r.Nodes = cells.Set, cells.Nodes
	}
	if err := m.report(&r, measurePeak(rt.Threads(), b.UI.Now)); err != nil {
		return r, fmt.Errorf("bench: %w", err)
	}
	r.Device, r.DeviceMS = rt.Device(), 1e3*m.device
	return r, nil
}

// Text writes the report for people.
func (r NetworkReport) Text(w io.Writer) {
	fmt.Fprintf(w, "%-8s %.1f images/s, %.2f ms a batch of %d (best %.1f, %.2f ms)\n",
		r.Bench, r.ImagesPerSMedian, r.MSPerStepMedian, r.Batch, r.ImagesPerSBest, r.MSPerStepBest)
	what := fmt.Sprintf("%d cells of %d channels, %d nodes of %s", r.Layers, r.Channels, r.Nodes, r.Ops)
	if r.Ops == "" {
		what = r.Space
	}
	fmt.Fprintf(w, "%-8s %s, images %dx%d: %.1f M multiply-adds an image, %.0f k parameters\n",
		"network", what, r.Image, r.Image, r.MaddsPerImage/1e6, float64(r.Params)/1e3)
	fmt.Fprintf(w, "%-8s %.1f GFLOP/s; floor %.2f ms (arithmetic %.2f, memory %.2f): %.0f %% of the time\n",
		"work", r.GFLOPS, r.FloorMS, r.FloorFlopsMS, r.FloorBytesMS, 100*r.FloorShare)
	fmt.Fprintf(w, "%-8s %s, %d threads, %s: %.0f GFLOP/s, %.1f GB/s; %d MB resident at most\n",
		"machine", r.CPU, r.Threads, r.ISA, r.PeakGFLOPS, r.PeakGBPerS, r.PeakRSSMB)
}

// network is what is measured.
func (j Job) network(what string, s space.Space) supernet.NetConfig {
	c := j.Config
	n := supernet.NetConfig{
		Space: s, Size: net.Size{Geometry: c.Net.Geometry,
			Classes: 10, Image: j.Image, Affine: c.Net.Affine},
	}
	if what == "retrain" || what == "infer" {
		n.Geometry, n.Classes = c.Retrain.Geometry, cmp.Or(j.Classes, n.Classes)
		n.Affine, n.AuxChannels = true, supernet.DefaultNet().AuxChannels
		n.Aux = what == "retrain" && (j.Aux || j.Recipe && c.Retrain.Aux > 0)
	}
	return n
}

// networkRun is one measurement.
type networkRun struct {
	what         string
	now          func() time.Time
	net          supernet.NetConfig
	archs        []space.Arch
	training     supernet.TrainConfig // its batch also where nothing is trained
	recipe       bool                 // batches are prepared as the training says
	reps         int
	seed         uint64
	rt           *supernet.Runtime
	params       int64 // of all networks that were built
	nets         int
	median, best []float64 // seconds, by architecture
	device       float64   // seconds of a step on a GPU
}

// trains tells training steps from forward passes.
func (m *networkRun) trains() bool { return m.what == "step" || m.what == "retrain" }

// single tells networks of one architecture from supernets.
func (m *networkRun) single() bool { return m.what == "retrain" || m.what == "infer" }

// memory is about what these steps need.
func (m *networkRun) memory() (supernet.Memory, error) {
	var arch space.Arch
	if m.single() {
		arch = m.archs[0]
	}
	return supernet.Estimate(m.net, arch, m.training, m.rt.Threads())
}

// warmUp steps run before the clock does: arenas grow to their size.
const warmUp = 2

func (m *networkRun) run() error {
	if !m.single() {
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
func (m *networkRun) measure(n *supernet.Net, archs []space.Arch) error {
	if m.rt.Device() == "cuda" && m.trains() {
		return m.measureDevice(n, archs)
	}
	m.params += n.Params()
	m.nets++
	var order []int
	for i := range warmUp {
		order = append(order, i%len(archs))
	}
	for i := range archs {
		order = append(order, slices.Repeat([]int{i}, m.reps)...)
	}
	work, end, err := m.work(n, archs, order)
	if err != nil {
		return err
	}
	defer end()
	var took []float64
	for _, path := range order {
		s, err := seconds(m.now, func() error { return work(path) })
		if err != nil {
			return err
		}
		took = append(took, s)
	}
	for part := range slices.Chunk(took[warmUp:], m.reps) {
		m.median, m.best = append(m.median, median(part)), append(m.best, slices.Min(part))
	}
	return nil
}

// work is what is measured: a function that trains or evaluates path after path in the
// given order, and one that ends it.
func (m *networkRun) work(n *supernet.Net, archs []space.Arch, order []int) (work func(path int) error, end func(), err error) {
	ctx, images := context.Background(), randomImages(m.net, m.training.Batch)
	if !m.trains() {
		e, err := supernet.NewEvaluator(n)
		if err != nil {
			return nil, nil, err
		}
		return func(path int) error {
			_, err := e.Evaluate(ctx, archs[path], slices.Values([]*data.Batch{images}), nil)
			return err
		}, e.Close, nil
	}
	var t *supernet.Trainer
	if m.recipe {
		var d *data.Dataset
		if d, err = benchData(); err == nil {
			t, err = supernet.NewTrainer(n, d.Train, m.training)
		}
	} else {
		t, err = onBatch(n, images, archs, order, m.training)
	}
	if err != nil {
		return nil, nil, err
	}
	return func(int) error { _, err := t.Step(ctx); return err }, t.Close, nil
}

// report fills in what follows from the times and the machine's peaks.
func (m *networkRun) report(r *NetworkReport, p peak.Peak) error {
	r.PeakGFLOPS, r.PeakGBPerS = p.GFLOPSAll, max(p.ReadAll, p.CopyAll)
	n := float64(len(m.archs))
	var median, best, flops float64
	for i, a := range m.archs {
		median += m.median[i] / n
		best += m.best[i] / n
		var o ops.Optimizer // of a training
		if m.trains() {
			o = m.training.Rule()
		}
		w, err := floor.Of(m.net.Space, m.net.Size, a, m.training.Batch, o)
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
	r.ImagesPerSMedian, r.ImagesPerSBest = float64(m.training.Batch)/median, float64(m.training.Batch)/best
	r.GFLOPS = flops / median / 1e9
	r.FloorShare = r.FloorMS / r.MSPerStepMedian
	return nil
}

func median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
