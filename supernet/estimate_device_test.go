package supernet

import (
	"math"
	"testing"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops/cuda"
	"oneshot/ops/cuda/driver"
	"oneshot/ops/cuda/emu"
	"oneshot/supernet/engine"
	"oneshot/supernet/space"
)

// meter is a driver that counts the device's memory in use.
type meter struct {
	driver.Driver
	sizes     map[uint64]int64
	now, peak int64
}

func (m *meter) Alloc(n int) (uint64, error) {
	p, err := m.Driver.Alloc(n)
	if err == nil {
		m.sizes[p] = int64(n)
		m.now += int64(n)
		m.peak = max(m.peak, m.now)
	}
	return p, err
}

func (m *meter) Free(p uint64) error {
	m.now -= m.sizes[p]
	delete(m.sizes, p)
	return m.Driver.Free(p)
}

// metered is newDevice with a meter on it.
func metered(t *testing.T, half bool) (*Runtime, *meter) {
	t.Helper()
	o := emu.Options(t)
	m := &meter{Driver: o.Driver, sizes: map[uint64]int64{}}
	o.Driver = m
	e, err := cuda.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := NewCUDARuntime(e, half, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rt.Close)
	return rt, m
}

// estimates compares estimates of a device's memory with what was used, and finds out
// whether one that leaves a part out would be noticed.
type estimates struct {
	*testing.T
	noticed [5]bool // by part
}

// parts are those of an estimate.
func parts(m *DeviceMemory) [5]*int64 {
	return [5]*int64{&m.Weights, &m.Input, &m.Pixels, &m.Arena, &m.Tables}
}

// right says whether an estimate is what was used, but for the alignment of what is small.
func right(m DeviceMemory, used int64) bool {
	return math.Abs(float64(m.Total()-used)) <= 0.01*float64(used)
}

func (e *estimates) check(what string, m DeviceMemory, used int64) {
	e.Helper()
	if !right(m, used) {
		e.Errorf("%s: %d bytes are estimated, %d used: %+v", what, m.Total(), used, m)
	}
	e.Logf("%s: estimated %d kB, used %d kB (%+.2f %%)", what, m.Total()>>10, used>>10, 100*float64(m.Total()-used)/float64(used))
	for i := range e.noticed {
		forgetful := m
		*parts(&forgetful)[i] = 0
		e.noticed[i] = e.noticed[i] || !right(forgetful, used)
	}
	forgetful := m
	if forgetful.Arena = 0; right(forgetful, used) {
		e.Errorf("%s: the estimate is right without the arena: the test is blind", what)
	}
}

// done ends a test in which the given parts occurred.
func (e *estimates) done(want [5]bool) {
	if e.noticed != want {
		e.Errorf("parts whose lack is noticed: %v, want %v", e.noticed, want)
	}
}

// deviceCase is a training whose memory is measured.
type deviceCase struct {
	name   string
	half   bool
	search bool // a supernet, along its widest path
	edit   func(n *NetConfig, c *TrainConfig)
}

var deviceCases = []deviceCase{
	{"supernet", false, true, func(*NetConfig, *TrainConfig) {}},
	{"supernet, bfloat16, micro-batches", true, true, func(_ *NetConfig, c *TrainConfig) { c.MicroBatch, c.Steps = 4, 3 }},
	{"five nodes of darts, adamw", false, true, func(n *NetConfig, c *TrainConfig) {
		n.Space, _ = space.New("darts", 3)
		c.Optimizer, c.Batch = "adamw", 6
	}},
	{"wide, small batch", true, true, func(n *NetConfig, c *TrainConfig) { n.Channels, c.Batch = 24, 2 }},
	{"batches of the host", false, true, func(_ *NetConfig, c *TrainConfig) { c.ColorJitter = 0.4 }},
	{"conv_7x1_1x7 and standardised weights on mixed images", false, true, func(n *NetConfig, c *TrainConfig) {
		n.Space, _ = space.Named{Ops: "nasnet", Nodes: 2, WeightStandard: true}.Open()
		c.CutMix = 1
	}},
	{"the form imagenet, bfloat16", true, false, func(n *NetConfig, c *TrainConfig) { n.ImageNet, n.Channels, c.Batch = true, 8, 4 }},
	{"one network with averages and masks", false, false, func(n *NetConfig, c *TrainConfig) {
		n.Aux, n.AuxChannels = true, [2]int{6, 10}
		c.EMA, c.DropPath, c.Clip, c.WeightDecay = 0.9, 0.3, 5, 0.1
	}},
	{"one network, bfloat16, averages, adamw, micro-batches", true, false, func(n *NetConfig, c *TrainConfig) {
		n.Aux, n.AuxChannels, n.Layers = true, [2]int{6, 10}, 5
		c.EMA, c.Optimizer, c.MicroBatch = 0.9, "adamw", 8
	}},
}

// train takes steps of the case's training on a metered device and returns what was
// estimated and what was used at the peak.
func (x deviceCase) train(t *testing.T, d *data.Dataset) (m DeviceMemory, used int64) {
	t.Helper()
	rt, meter := metered(t, x.half)
	cfg, c := smallNet(t, "lanas"), smallTrain(1)
	x.edit(&cfg, &c)
	arch, err := Widest(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var n *Net
	if x.search {
		n, err = New(cfg, 1, rt)
	} else {
		n, err = NewArch(cfg, arch, 1, rt)
	}
	if err != nil {
		t.Fatal(err)
	}
	if m, err = rt.TrainMemory(cfg, n.arch, d.Train, c); err != nil {
		t.Fatal(err)
	}
	if meter.peak != 0 {
		t.Errorf("%s: the estimate takes %d bytes", x.name, meter.peak)
	}
	tr, err := NewTrainer(n, d.Train, c)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if x.search {
		tr.Follow(func(int) space.Arch { return arch })
	}
	for range c.Steps {
		if _, err := tr.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return m, meter.peak
}

// TestCUDATrainingTakesWhatIsEstimated, and an estimate that leaves a part out is found.
func TestCUDATrainingTakesWhatIsEstimated(t *testing.T) {
	e := &estimates{T: t}
	d := smallData(t)
	for _, x := range deviceCases {
		m, used := x.train(t, d)
		e.check(x.name, m, used)
	}
	e.done([5]bool{true, true, true, true, true})
}

// TestCUDASampledPathsTakeNoMore: a training along other paths than the widest, whose
// tables and arena grow on the way, stays within what is estimated.
func TestCUDASampledPathsTakeNoMore(t *testing.T) {
	rt, meter := metered(t, true)
	d, cfg, c := smallData(t), smallNet(t, "full"), smallTrain(8)
	c.Batch = 4
	m, err := rt.TrainMemory(cfg, nil, d.Train, c)
	if err != nil {
		t.Fatal(err)
	}
	n, err := New(cfg, 1, rt)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := NewTrainer(n, d.Train, c)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for range c.Steps {
		if _, err := tr.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("estimated %d kB, used %d kB", m.Total()>>10, meter.peak>>10)
	if meter.peak > m.Total()*101/100 || meter.peak < m.Total()/3 {
		t.Errorf("%d bytes are estimated, %d used", m.Total(), meter.peak)
	}
}

// TestCUDAWidestNeedsTheMost, but for what Widest owns up to.
func TestCUDAWidestNeedsTheMost(t *testing.T) {
	d := smallData(t)
	for _, set := range []string{"lanas", "darts", "full", "nasnet"} {
		rt := newDevice(t, set == "darts")
		cfg, c := smallNet(t, set), smallTrain(6)
		m, err := rt.TrainMemory(cfg, nil, d.Train, c)
		if err != nil {
			t.Fatal(err)
		}
		n, err := plan(cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		r := rng.New(1, "test")
		most := m.Arena
		for range 40 {
			spec := n.trainSpec(d.Train, c)
			spec.Slots = make(engine.Slots, 1)
			of, err := rt.eng.TrainMemory(n.sizes(), spec, n.path(cfg.Space.Sample(r)))
			if err != nil {
				t.Fatal(err)
			}
			most = max(most, of.Arena)
		}
		t.Logf("%s: the widest path has %d bytes of arena, of 40 others %d", set, m.Arena, most)
		if 100*most > 108*m.Arena {
			t.Errorf("%s: a path has %d bytes of arena, the widest %d", set, most, m.Arena)
		}
	}
}

// TestCUDAScoringTakesWhatIsEstimated, alone and on the device that has trained.
func TestCUDAScoringTakesWhatIsEstimated(t *testing.T) {
	e := &estimates{T: t}
	d := smallData(t)
	for _, x := range []struct {
		name   string
		half   bool
		set    string
		c      ScoreConfig
		search int
		train  bool
	}{
		{"small batches", false, "lanas", ScoreConfig{RecalImages: 9, RecalBatch: 4, Batch: 7}, 6, false},
		{"many images", true, "lanas", ScoreConfig{RecalImages: 60, RecalBatch: 20, Batch: 50}, 17, false},
		{"large batch, few images", true, "darts", ScoreConfig{RecalImages: 48, RecalBatch: 48, Batch: 16}, 5, false},
		{"after a training", false, "full", ScoreConfig{RecalImages: 16, RecalBatch: 8, Batch: 50}, 10, true},
	} {
		rt, meter := metered(t, x.half)
		cfg := smallNet(t, x.set)
		n, err := New(cfg, 1, rt)
		if err != nil {
			t.Fatal(err)
		}
		arch, err := Widest(cfg)
		if err != nil {
			t.Fatal(err)
		}
		m, err := rt.ScoreMemory(cfg, x.c, d.Train.Len(), x.search)
		if err != nil {
			t.Fatal(err)
		}
		if x.train {
			c := smallTrain(1)
			before, err := rt.TrainMemory(cfg, nil, d.Train, c)
			if err != nil {
				t.Fatal(err)
			}
			alone := m
			m = m.After(before)
			if right(alone, m.Total()) {
				t.Errorf("%s: what the training leaves is not seen: the test is blind", x.name)
			}
			tr, err := NewTrainer(n, d.Train, c)
			if err != nil {
				t.Fatal(err)
			}
			tr.Follow(func(int) space.Arch { return arch })
			if _, err := tr.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			tr.Close()
			meter.peak = meter.now
		}
		s, err := NewScorer(n, d.Train, d.Search.Part(x.search), x.c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Score(t.Context(), arch); err != nil {
			t.Fatal(err)
		}
		s.Close()
		e.check(x.name, m, meter.peak)
	}
	e.done([5]bool{true, true, true, true, true})
}

// TestNoDeviceNoMemory: the processor has no memory of its own.
func TestNoDeviceNoMemory(t *testing.T) {
	rt, d, cfg := newRuntime(t, 1), smallData(t), smallNet(t, "lanas")
	m, err := rt.TrainMemory(cfg, nil, d.Train, smallTrain(2))
	if err != nil || m.Total() != 0 {
		t.Errorf("training: %+v, %v", m, err)
	}
	m, err = rt.ScoreMemory(cfg, DefaultScore(), 400, 100)
	if err != nil || m.Total() != 0 {
		t.Errorf("scoring: %+v, %v", m, err)
	}
	if free, err := rt.FreeMemory(); err != nil || free != 0 {
		t.Errorf("%d bytes free, %v", free, err)
	}
}
