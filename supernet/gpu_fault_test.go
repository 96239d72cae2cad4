package supernet

import (
	"errors"
	"os"
	"testing"
	"unsafe"

	"oneshot/data"
	"oneshot/internal/rng"
	"oneshot/ops/cuda"
	"oneshot/ops/cuda/driver"
	"oneshot/ops/cuda/emu"
	"oneshot/supernet/net"
	"oneshot/supernet/space"
)

// shortRun trains, saves and scores as little as can be on a device. saved says that
// a checkpoint was made.
func shortRun(t *testing.T, d driver.Driver, images *data.Dataset) (saved bool, err error) {
	e, err := cuda.Open(cuda.Options{Driver: d, Kernels: append([]byte(cuda.Source()), 0)})
	if err != nil {
		return false, err
	}
	rt, err := NewCUDARuntime(e, true, 1)
	if err != nil {
		e.Close()
		return false, err
	}
	defer rt.Close()
	s, err := space.New("lanas", 1)
	if err != nil {
		t.Fatal(err)
	}
	cfg := NetConfig{Space: s, Size: net.Size{Geometry: net.Geometry{Layers: 1, Channels: 4, StemMultiplier: 1}, Classes: 10, Image: 32, Affine: true}}
	arch := cfg.Space.Sample(rng.New(1, "fault"))
	n, err := NewArch(cfg, arch, 1, rt)
	if err != nil {
		return false, err
	}
	c := smallTrain(2)
	c.Batch, c.EMA = 2, 0.9
	tr, err := NewTrainer(n, images.Train, c)
	if err != nil {
		return false, err
	}
	defer tr.Close()
	for range c.Steps {
		if _, err := tr.Step(t.Context()); err != nil {
			if _, err := tr.Checkpoint(); err == nil && driver.Lost(e.Lost()) {
				t.Error("a checkpoint was made from a lost device")
			}
			return false, err
		}
	}
	if _, err := tr.Checkpoint(); err != nil {
		return false, err
	}
	sc, err := NewScorer(n, images.Train, images.Search, ScoreConfig{RecalImages: 4, RecalBatch: 2, Batch: 20, Seed: 1})
	if err != nil {
		return true, err
	}
	defer sc.Close()
	_, err = sc.Score(t.Context(), arch)
	return true, err
}

// TestCUDALosesTheDeviceAnywhere: whichever call of a short run finds the device
// lost, out of memory or in error, the run ends with that error, and a lost device
// gives no checkpoint. A driver whose errors nobody looks at is found out.
func TestCUDALosesTheDeviceAnywhere(t *testing.T) {
	if os.Getenv("ONESHOT_CUDA_TEST") == "real" {
		t.Skip("faults are injected into the emulated driver only")
	}
	library := emu.Library(t)
	fake := emu.Control(t, library)
	open := func() driver.Driver {
		t.Helper()
		d, err := driver.Load([]string{library})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := open()
	images := smallData(t)
	before := fake.Calls()
	if saved, err := shortRun(t, d, images); err != nil || !saved {
		t.Fatal(saved, err)
	}
	calls := fake.Calls() - before
	step := 1
	if os.Getenv("ONESHOT_FAULTS") != "all" { // that takes more than a minute
		step = 7
	}
	const lost, memory, invalid = 719, 2, 1
	injected := 0
	for n := 1; n <= calls; n += step {
		for _, code := range []int{lost, memory, invalid} {
			if code != lost && n%10 != code {
				continue // every call finds the device lost once; some fail in another way too
			}
			fake.Fault(n, code)
			_, err := shortRun(t, d, images)
			call := fake.Failed()
			fake.Fault(0, 0)
			if call == "" {
				continue // the run had come to its end
			}
			injected++
			var e *driver.Error
			if err == nil && !freeing[call] {
				t.Errorf("call %d (%s) failed with %d, and the run did not", n, call, code)
			}
			if err != nil && !errors.As(err, &e) {
				t.Errorf("call %d (%s) failed with %d: %v is no error of the driver", n, call, code, err)
			}
			if code == lost && err != nil && !cuda.IsLost(err) {
				t.Errorf("call %d (%s): %v does not say that the device is lost", n, call, err)
			}
		}
	}
	t.Logf("%d faults injected into %d calls", injected, calls)
	if injected == 0 {
		t.Error("nothing was injected")
	}
	fake.Fault(calls-20, lost) // while it scores: earlier the weights would not be numbers
	if _, err := shortRun(t, deaf{d}, images); err != nil {
		t.Errorf("the twin noticed: %v", err)
	}
	fake.Fault(0, 0)
}

// freeing are the calls whose failure changes no result.
var freeing = map[string]bool{
	"cuMemFree_v2": true, "cuMemFreeHost": true, "cuEventDestroy_v2": true, "cuGraphDestroy": true, "cuGraphExecDestroy": true,
	"cuDevicePrimaryCtxRelease_v2": true, "cuStreamSynchronize": true, "cuEventRecord": true, "cuMemGetInfo_v2": true,
}

// deaf is the broken twin: a driver that never reports a failure.
type deaf struct{ driver.Driver }

func (d deaf) Synchronize(s driver.Stream) error { d.Driver.Synchronize(s); return nil }
func (d deaf) WaitEvent(e driver.Event) error    { d.Driver.WaitEvent(e); return nil }
func (d deaf) Record(e driver.Event, s driver.Stream) error {
	d.Driver.Record(e, s)
	return nil
}
func (d deaf) Elapsed(a, b driver.Event) (float64, error) {
	ms, _ := d.Driver.Elapsed(a, b)
	return ms, nil
}
func (d deaf) Free(p uint64) error            { d.Driver.Free(p); return nil }
func (d deaf) FreeHost(p []byte) error        { d.Driver.FreeHost(p); return nil }
func (d deaf) FreeExec(x driver.Exec) error   { d.Driver.FreeExec(x); return nil }
func (d deaf) FreeGraph(g driver.Graph) error { d.Driver.FreeGraph(g); return nil }
func (d deaf) Release(x driver.Device) error  { d.Driver.Release(x); return nil }
func (d deaf) Memset(p uint64, v byte, n int, s driver.Stream) error {
	d.Driver.Memset(p, v, n, s)
	return nil
}
func (d deaf) CopyToDevice(dst uint64, src unsafe.Pointer, n int, s driver.Stream) error {
	d.Driver.CopyToDevice(dst, src, n, s)
	return nil
}
func (d deaf) CopyToHost(dst unsafe.Pointer, src uint64, n int, s driver.Stream) error {
	d.Driver.CopyToHost(dst, src, n, s)
	return nil
}
func (d deaf) CopyOnDevice(dst, src uint64, n int, s driver.Stream) error {
	d.Driver.CopyOnDevice(dst, src, n, s)
	return nil
}
func (d deaf) Launch(f driver.Function, blocks, tasks int, table uint64, run unsafe.Pointer, s driver.Stream) error {
	d.Driver.Launch(f, blocks, tasks, table, run, s)
	return nil
}
func (d deaf) NewGraph() (driver.Graph, error) { g, _ := d.Driver.NewGraph(); return g, nil }
func (d deaf) Instantiate(g driver.Graph) (driver.Exec, error) {
	x, _ := d.Driver.Instantiate(g)
	return x, nil
}
func (d deaf) AddLaunch(g driver.Graph, after []driver.Node, f driver.Function, blocks, tasks int, table uint64, run unsafe.Pointer) (driver.Node, error) {
	n, _ := d.Driver.AddLaunch(g, after, f, blocks, tasks, table, run)
	return n, nil
}
func (d deaf) LaunchGraph(x driver.Exec, s driver.Stream) error {
	d.Driver.LaunchGraph(x, s)
	return nil
}
