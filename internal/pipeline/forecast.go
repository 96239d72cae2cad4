package pipeline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"oneshot/data"
	"oneshot/internal/machine"
	"oneshot/internal/plan"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

// Forecast is what a stage that trains will be and take.
type Forecast struct {
	Stage  string  `json:"stage"`
	Images int     `json:"images"` // that it trains on
	Epochs float64 `json:"epochs"` // how often a training sees each on average
	// Passes are those over the images that the configuration asks for, 0 where it gives steps; a
	// pass leaves out LeftOut images, which fill no batch.
	Passes    int `json:"passes,omitempty"`
	LeftOut   int `json:"left_out_of_a_pass,omitempty"`
	Steps     int `json:"steps"` // of a training
	Batch     int `json:"batch"`
	Trainings int `json:"trainings"` // one after the other, see retrain.seeds and retrain.top
	// Memory is about what the process takes, DeviceMemory what it takes of a GPU's, in bytes;
	// 0 where there is none or a stage could not run.
	Memory       int64 `json:"memory_bytes"`
	DeviceMemory int64 `json:"device_memory_bytes,omitempty"`
	// Seconds is about how long all steps take on this machine, without reading and augmenting
	// images, which other threads do meanwhile. 0 where it was not measured; Why says why.
	Seconds float64 `json:"seconds,omitempty"`
	// Alone is about what they would take if other programs did not use the processors, as they
	// did during the measurement; 0 where they did not.
	Alone float64 `json:"seconds_alone,omitempty"`
	Why   string  `json:"not_measured,omitempty"`
}

// String is the forecast in a line.
func (f Forecast) String() string {
	text := fmt.Sprintf("%-8s %d images, %.4g epochs", f.Stage, f.Images, f.Epochs)
	if f.LeftOut > 0 {
		text += fmt.Sprintf(" (%s without %s)", ui.Plural(f.Passes, "pass", "passes"), ui.Plural(f.LeftOut, "image", "images"))
	}
	text += fmt.Sprintf(", %d steps of %d", f.Steps, f.Batch)
	if f.Trainings > 1 {
		text += fmt.Sprintf(", %d times", f.Trainings)
	}
	if f.Memory > 0 {
		text += fmt.Sprintf("; needs about %d MB", megabytes(f.Memory))
	}
	if f.DeviceMemory > 0 {
		text += fmt.Sprintf(", %d MB of the GPU", megabytes(f.DeviceMemory))
	}
	if f.Seconds == 0 {
		return text + "; time not measured: " + f.Why
	}
	text += "; about " + long(f.Seconds) + " on this machine"
	if f.Alone > 0 && long(f.Alone) != long(f.Seconds) {
		text += fmt.Sprintf(" while other programs use the processors, about %s without them", long(f.Alone))
	}
	return text
}

// leave has the forecast be of some of its trainings.
func (f *Forecast) leave(n int) {
	share := float64(n) / float64(f.Trainings)
	f.Trainings, f.Seconds, f.Alone = n, f.Seconds*share, f.Alone*share
}

// muchWaited is the share of the time in which a thread waits for a processor that is worth a
// word.
const muchWaited = 0.2

// long is a time of many seconds in the unit that people plan by.
func long(seconds float64) string {
	switch {
	case seconds < 90:
		return ui.Plural(max(1, int(seconds+0.5)), "second", "seconds")
	case seconds < 90*60:
		return fmt.Sprintf("%.0f minutes", seconds/60)
	case seconds < 48*3600:
		return fmt.Sprintf("%.2g hours", seconds/3600)
	}
	return fmt.Sprintf("%.3g days", seconds/(24*3600))
}

// Forecasts looks ahead at stages that train. It takes a few seconds for each: it does real
// steps of the stage's network on drawn images, as many at a time as the stage, but at most 32.
// arch is the architecture to retrain; nil is the one that needs most. An error of a stage is
// told by its forecast.
func Forecasts(ctx context.Context, p *plan.Plan, rt *supernet.Runtime, stages []string, arch space.Arch, now func() time.Time) []Forecast {
	var out []Forecast
	var device []plan.StageNeed
	if rt.Device() != "cpu" {
		device = p.DeviceNeeds(rt, stages, arch)
	}
	for i, stage := range stages {
		c, images := p.Training(stage), p.Images(stage).Len()
		f := Forecast{Stage: stage, Images: images, Epochs: p.Settings(stage).EpochsFor(images), Steps: c.Steps, Batch: c.Batch, Trainings: 1}
		if s := p.Settings(stage); s.Steps == 0 {
			f.Passes, f.LeftOut = s.Epochs, images%s.Batch
		}
		if stage == "retrain" {
			f.Trainings = p.Config.Trainings()
		}
		var err error
		if f.Memory, err = p.Need(stage, arch); err != nil {
			f.Why = err.Error()
			out = append(out, f)
			continue
		}
		if device != nil {
			f.DeviceMemory = device[i].Bytes
		}
		took, err := imageTime(ctx, p, rt, stage, arch, now)
		if err != nil {
			f.Why = err.Error()
		}
		seen := float64(c.Batch) * float64(f.Steps) * float64(f.Trainings)
		f.Seconds, f.Alone = took.seconds*seen, took.alone*seen
		out = append(out, f)
	}
	return out
}

// How long and how well a step is measured.
const (
	fewImages  = 4  // tried first: a step of them says how long one of more takes
	mostImages = 32 // at a time, on a processor
	gpuImages  = 256
	fullStep   = 1500 * time.Millisecond // longer steps are left out
	enough     = 400 * time.Millisecond  // of steps
	mostSteps  = 50
)

// perImage is what a training step takes for an image.
type perImage struct {
	seconds float64
	alone   float64 // without other programs; 0 where there were none
}

// imageTime measures what a training step of a stage takes for an image.
func imageTime(ctx context.Context, p *plan.Plan, rt *supernet.Runtime, stage string, arch space.Arch, now func() time.Time) (perImage, error) {
	most := mostImages
	if rt.Device() != "cpu" {
		most = gpuImages
	}
	most = min(most, p.Settings(stage).AtOnce())
	few := min(fewImages, most)
	took, err := stepTime(ctx, p, rt, stage, arch, few, now)
	if err != nil || most == few || took.seconds*float64(most) > fullStep.Seconds() {
		return took, err
	}
	if better, err := stepTime(ctx, p, rt, stage, arch, most, now); err == nil {
		return better, nil
	}
	return took, nil // there is no memory for more
}

// stepTime measures a training step of n images, and divides by n.
func stepTime(ctx context.Context, p *plan.Plan, rt *supernet.Runtime, stage string, arch space.Arch, n int, now func() time.Time) (perImage, error) {
	size, c := p.Supernet(), p.Training(stage)
	c.Batch, c.MicroBatch, c.WarmupSteps = n, 0, 0
	c.Steps = mostSteps + 1
	if stage == "retrain" {
		size = p.Final(true)
		if arch == nil {
			var err error
			if arch, err = supernet.Widest(size); err != nil {
				return perImage{}, err
			}
		}
	} else {
		arch = nil
	}
	m, err := supernet.Estimate(size, arch, c, rt.Threads())
	if err != nil {
		return perImage{}, err
	}
	if free := machine.AvailableMemory(); free > 0 && m.Total() > free {
		return perImage{}, fmt.Errorf("%d images at a time need about %d MB, and %d MB are available", n, megabytes(m.Total()), free/1_000_000)
	}
	var net *supernet.Net
	if arch == nil {
		net, err = supernet.New(size, p.Config.Seed, rt)
	} else {
		net, err = supernet.NewArch(size, arch, p.Config.Seed, rt)
	}
	if err != nil {
		return perImage{}, err
	}
	b := drawnBatch(n, size.Image, size.Classes, c)
	t, err := supernet.NewTrainerOn(net, func(int) *data.Batch { return b }, c)
	if err != nil {
		return perImage{}, err
	}
	defer t.Close()
	if _, err := t.Step(ctx); err != nil { // builds the graph and warms the caches
		return perImage{}, err
	}
	from, took, steps := now(), time.Duration(0), 0
	waited, computed := machine.Waited(), machine.Computed()
	for steps < mostSteps && took < enough {
		if _, err := t.Step(ctx); err != nil {
			return perImage{}, err
		}
		steps, took = steps+1, now().Sub(from)
	}
	return perImage{took.Seconds() / float64(steps*n), alone(machine.Waited()-waited, machine.Computed()-computed, took, rt) / float64(steps*n)}, nil
}

// alone is the seconds in which the threads of rt would have computed, had they not waited for
// other programs; 0 where they hardly did. More threads than processors wait for each other, and
// beside a GPU they have little to do.
func alone(waited, computed, took time.Duration, rt *supernet.Runtime) float64 {
	threads := float64(rt.Threads())
	if rt.Device() != "cpu" || rt.Threads() > runtime.NumCPU() || waited.Seconds() <= muchWaited*threads*took.Seconds() {
		return 0
	}
	return min(computed.Seconds()/threads, took.Seconds())
}

// drawnBatch is n images of noise, always the same, with labels; distributions where images are mixed.
func drawnBatch(n, side, classes int, c supernet.TrainConfig) *data.Batch {
	b := &data.Batch{N: n, X: make([]float32, n*side*side*3), Y: make([]int32, n)}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range b.X {
		b.X[i] = r.Float32()*2 - 1
	}
	for i := range b.Y {
		b.Y[i] = int32(i % classes)
	}
	if c.Mixes() {
		b.T = make([]float32, n*classes)
		for i, y := range b.Y {
			b.T[i*classes+int(y)] = 1
		}
	}
	return b
}
