//go:build linux

package driver_test

import (
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"oneshot/ops/cuda"
	"oneshot/ops/cuda/driver"
	"oneshot/ops/cuda/emu"
)

// open returns the emulated driver, or the machine's own where the environment has
// ONESHOT_CUDA_TEST=real; then there is no Fake. Its context is the test's thread's.
func open(t testing.TB) (driver.Driver, *emu.Fake) {
	t.Helper()
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	var paths []string
	var fake *emu.Fake
	if os.Getenv("ONESHOT_CUDA_TEST") != "real" {
		paths = []string{emu.Library(t)}
		fake = emu.Control(t, paths[0])
	}
	d, err := driver.Load(paths)
	must(t, err)
	dev, err := d.Device(0)
	must(t, err)
	ctx, err := d.Retain(dev)
	must(t, err)
	must(t, d.SetCurrent(ctx))
	t.Cleanup(func() { must(t, d.Release(dev)) })
	return d, fake
}

func openFake(t testing.TB) (driver.Driver, *emu.Fake) {
	t.Helper()
	if os.Getenv("ONESHOT_CUDA_TEST") == "real" {
		t.Skip("needs the emulated driver")
	}
	return open(t)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// image is a module with the kernels. For the emulated driver any text with their
// names is one.
var image = sync.OnceValue(func() []byte {
	if os.Getenv("ONESHOT_CUDA_TEST") == "real" {
		return cuda.PTX()
	}
	return append([]byte(cuda.Source()), 0)
})

const count = 1000 // floats that job fills

// job makes every call of a Driver, to fill memory, copy it about and read it back.
// It frees what it took, also after an error, and returns the first.
func job(d driver.Driver) (out []float32, err error) {
	free := func(e error) {
		if err == nil {
			err = e
		}
	}
	dev, err := d.Device(0)
	if err != nil {
		return nil, err
	}
	if _, err = d.Info(dev); err != nil {
		return nil, err
	}
	ctx, err := d.Retain(dev)
	if err != nil {
		return nil, err
	}
	defer func() { free(d.Release(dev)) }()
	if err = d.SetCurrent(ctx); err != nil {
		return nil, err
	}
	s, err := d.NewStream()
	if err != nil {
		return nil, err
	}
	m, err := d.LoadModule(image())
	if err != nil {
		return nil, err
	}
	f, err := d.Function(m, "fill_f32")
	if err != nil {
		return nil, err
	}
	var at [3]uint64 // a table of arguments, two times the floats
	for i, n := range []int{int(unsafe.Sizeof(cuda.FillArgs{})), 4 * count, 4 * count} {
		if at[i], err = d.Alloc(n); err != nil {
			return nil, err
		}
		defer func() { free(d.Free(at[i])) }()
	}
	host, err := d.AllocHost(4 * count)
	if err != nil {
		return nil, err
	}
	defer func() { free(d.FreeHost(host)) }()
	if _, _, err = d.MemInfo(); err != nil {
		return nil, err
	}
	var mark [2]driver.Event
	for i := range mark {
		if mark[i], err = d.NewEvent(); err != nil {
			return nil, err
		}
		defer func() { free(d.FreeEvent(mark[i])) }()
	}

	g, err := d.NewGraph()
	if err != nil {
		return nil, err
	}
	defer func() { free(d.FreeGraph(g)) }()
	var x driver.Exec
	defer func() {
		if x != 0 {
			free(d.FreeExec(x))
		}
	}()

	args := cuda.FillArgs{Dst: cuda.Addr(at[1]), Blocks: 3, N: count, Value: 1.5}
	for _, step := range []func() error{
		func() error {
			return d.CopyToDevice(at[0], unsafe.Pointer(&args), int(unsafe.Sizeof(args)), s)
		},
		func() error { return d.Record(mark[0], s) },
		func() error { return d.Launch(f, 4, 1, at[0], unsafe.Pointer(new(cuda.Run)), s) },
		func() error { return d.Record(mark[1], s) },
		func() error { return d.WaitEvent(mark[1]) },
		func() error { return d.Memset(at[1], 0, 4*count, s) },
		func() error {
			_, err := d.AddLaunch(g, nil, f, 4, 1, at[0], unsafe.Pointer(new(cuda.Run)))
			return err
		},
		func() error { x, err = d.Instantiate(g); return err },
		func() error { return d.LaunchGraph(x, s) },
		func() error { return d.CopyOnDevice(at[2], at[1], 4*count, s) },
		func() error { return d.Memset(at[2]+4*count/2, 0, 4*count/2, s) },
		func() error { return d.CopyToHost(unsafe.Pointer(&host[0]), at[2], 4*count, s) },
		func() error { return d.Synchronize(s) },
	} {
		if err = step(); err != nil {
			return nil, err
		}
	}
	out = slices.Clone(unsafe.Slice((*float32)(unsafe.Pointer(&host[0])), count))
	_, err = d.Elapsed(mark[0], mark[1])
	return out, err
}

func TestJob(t *testing.T) {
	d, fake := open(t)
	for _, lazy := range []string{"0", "1"} {
		if fake != nil {
			fake.Option(t, "FAKE_CUDA_LAZY", lazy, "0")
		}
		out, err := job(d)
		must(t, err)
		for i, v := range out {
			want := float32(1.5)
			if i >= count/2 {
				want = 0
			}
			if v != want {
				t.Fatalf("lazy %s: number %d is %v, want %v", lazy, i, v, want)
			}
		}
	}
}

func TestInfo(t *testing.T) {
	d, fake := open(t)
	dev, err := d.Device(0)
	must(t, err)
	i, err := d.Info(dev)
	must(t, err)
	t.Logf("%+v", i)
	if fake == nil {
		if i.Name == "" || i.Major < 3 || i.SMs < 1 || i.Memory < 1<<28 || i.Driver < 11000 {
			t.Error("that is no GPU")
		}
		return
	}
	if want := (driver.Info{Name: "emulated GPU", Major: 8, SMs: 2, Memory: 8 << 30, Driver: 13000}); i != want {
		t.Errorf("%+v, want %+v", i, want)
	}
}
