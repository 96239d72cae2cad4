//go:build linux

package driver_test

import (
	"errors"
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

// failEach makes each call of f fail in turn with code, and returns how many there
// were and what was wrong with f's errors.
func failEach(d driver.Driver, fake *emu.Fake, f func(driver.Driver) error, code int, lost bool) (calls int, wrong []string) {
	fake.Fault(0, 0)
	before := fake.Calls()
	if err := f(d); err != nil {
		return 0, []string{"without a fault: " + err.Error()}
	}
	calls = fake.Calls() - before
	for n := 1; n <= calls; n++ {
		fake.Fault(n, code)
		err := f(d)
		name := fake.Failed()
		var e *driver.Error
		switch {
		case name == "":
			wrong = append(wrong, "the fault was not reached")
		case !errors.As(err, &e):
			wrong = append(wrong, name+": no error")
		case e.Call != name || e.Code != code || e.Name == "" || driver.Lost(err) != lost || driver.OutOfMemory(err) != (code == 2):
			wrong = append(wrong, name+": "+err.Error())
		}
	}
	fake.Fault(0, 0)
	return calls, wrong
}

func jobError(d driver.Driver) error {
	_, err := job(d)
	return err
}

// TestEveryCallFails: an error of any call comes back and names it, frees all and
// does not stay; one that the device does not survive does.
func TestEveryCallFails(t *testing.T) {
	d, fake := openFake(t)
	for _, c := range []struct {
		code int
		lost bool
	}{{1, false}, {2, false}, {214, true}, {700, true}, {719, true}, {999, true}} {
		calls, wrong := failEach(d, fake, jobError, c.code, c.lost)
		if calls < 25 {
			t.Errorf("code %d: %d calls", c.code, calls)
		}
		for _, w := range wrong {
			t.Errorf("code %d: %s", c.code, w)
		}
	}
}

// deaf is a Driver that does not hear when a memset fails.
type deaf struct{ driver.Driver }

func (d deaf) Memset(p uint64, v byte, n int, s driver.Stream) error {
	d.Driver.Memset(p, v, n, s)
	return nil
}

// TestEveryCallFailsCanFail: TestEveryCallFails would find such a driver.
func TestEveryCallFailsCanFail(t *testing.T) {
	d, fake := openFake(t)
	_, wrong := failEach(deaf{d}, fake, jobError, 1, false)
	if want := []string{"cuMemsetD8Async: no error", "cuMemsetD8Async: no error"}; !slices.Equal(wrong, want) {
		t.Errorf("found %q, want %q", wrong, want)
	}
}

// TestNothingIsLeft: what was taken is freed, whichever call failed.
func TestNothingIsLeft(t *testing.T) {
	d, fake := openFake(t)
	before, calls := fake.Used(), fake.Calls()
	must(t, jobError(d))
	calls = fake.Calls() - calls
	frees := 10 // the last calls of job; one that fails frees nothing
	for n := range calls - frees {
		fake.Fault(n+1, 1)
		if jobError(d) == nil {
			t.Fatalf("call %d did not fail", n+1)
		}
	}
	now := fake.Used()
	now.Streams = before.Streams // they belong to the context
	if now != before {
		t.Errorf("%+v remain, %+v before", now, before)
	}
}

// TestLostStays: after a fault of the device every call fails with it.
func TestLostStays(t *testing.T) {
	d, fake := openFake(t)
	fake.Fault(1, 719)
	if _, err := d.Alloc(8); !driver.Lost(err) {
		t.Fatal(err)
	}
	for range 3 {
		if _, _, err := d.MemInfo(); !driver.Lost(err) {
			t.Fatal(err)
		}
	}
	fake.Fault(1, 2)
	if _, err := d.Alloc(8); driver.Lost(err) || !driver.OutOfMemory(err) {
		t.Fatal(err)
	}
	_, _, err := d.MemInfo()
	must(t, err)
}

// TestErrorText is what a user sees.
func TestErrorText(t *testing.T) {
	d, fake := openFake(t)
	fake.Fault(1, 2)
	_, err := d.Alloc(8)
	if want := "cuda: cuMemAlloc_v2: CUDA_ERROR_OUT_OF_MEMORY (2)"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	fake.Fault(1, 12345)
	if _, err = d.Alloc(8); err == nil || err.Error() != "cuda: cuMemAlloc_v2: unknown error (12345)" {
		t.Error(err)
	}
}

// TestMisuse: the driver refuses what is wrong, with an error and not with a crash.
func TestMisuse(t *testing.T) {
	d, fake := openFake(t)
	s, err := d.NewStream()
	must(t, err)
	p, err := d.Alloc(64)
	must(t, err)
	defer d.Free(p)
	e, err := d.NewEvent()
	must(t, err)
	defer d.FreeEvent(e)
	m, err := d.LoadModule(image())
	must(t, err)
	f, err := d.Function(m, "fill_f32")
	must(t, err)
	host := make([]byte, 65)
	for name, call := range map[string]func() error{
		"memset beyond":       func() error { return d.Memset(p, 0, 65, s) },
		"copy beyond":         func() error { return d.CopyToDevice(p+1, unsafe.Pointer(&host[0]), 64, s) },
		"copy from nowhere":   func() error { return d.CopyToHost(unsafe.Pointer(&host[0]), 8, 64, s) },
		"copy to nowhere":     func() error { return d.CopyOnDevice(p+64, p, 1, s) },
		"no such stream":      func() error { return d.Synchronize(12345) },
		"no such event":       func() error { return d.Record(12345, s) },
		"not recorded":        func() error { _, err := d.Elapsed(e, e); return err },
		"free twice":          func() error { return d.Free(p + 1) },
		"free of host memory": func() error { return d.FreeHost(host) },
		"no such kernel":      func() error { _, err := d.Function(m, "nothing"); return err },
		"no image":            func() error { _, err := d.LoadModule([]byte{0}); return err },
		"no blocks":           func() error { return d.Launch(f, 0, 1, p, unsafe.Pointer(new(cuda.Run)), s) },
		"too many tasks":      func() error { return d.Launch(f, 1, 65536, p, unsafe.Pointer(new(cuda.Run)), s) },
		"a thread without a context": func() error {
			done := make(chan error)
			go func() {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				d.SetCurrent(0)
				_, err := d.Alloc(8)
				done <- err
			}()
			return <-done
		},
	} {
		var e *driver.Error
		if err := call(); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(t, d.Synchronize(s))
	fake.Option(t, "FAKE_CUDA_QUIET", "1", "0")
	if err := d.Launch(f, 1, 3, p, unsafe.Pointer(new(cuda.Run)), s); !driver.Lost(err) {
		t.Errorf("a table that is too short: %v", err)
	}
	fake.Fault(0, 0)
}

// TestLaunchAllocatesNothing: a step has hundreds of launches.
func TestLaunchAllocatesNothing(t *testing.T) {
	d, _ := open(t)
	l := newLaunch(t, d)
	if n := testing.AllocsPerRun(100, func() { must(t, l.launch()) }); n != 0 {
		t.Errorf("a launch allocates %v times", n)
	}
}

// launch is a kernel ready to be launched that fills a few floats.
type launch struct {
	d     driver.Driver
	f     driver.Function
	s     driver.Stream
	table uint64
	out   uint64
	run   *cuda.Run
}

func newLaunch(t testing.TB, d driver.Driver) *launch {
	t.Helper()
	l := &launch{d: d, run: new(cuda.Run)}
	m, err := d.LoadModule(image())
	must(t, err)
	l.f, err = d.Function(m, "fill_f32")
	must(t, err)
	l.s, err = d.NewStream()
	must(t, err)
	l.out, err = d.Alloc(4 * 10)
	must(t, err)
	l.table, err = d.Alloc(int(unsafe.Sizeof(cuda.FillArgs{})))
	must(t, err)
	l.fill(t, l.out, 7)
	t.Cleanup(func() { must(t, d.Free(l.out)); must(t, d.Free(l.table)) })
	return l
}

// fill makes the kernel fill out with v.
func (l *launch) fill(t testing.TB, out uint64, v float32) {
	t.Helper()
	args := &cuda.FillArgs{Dst: cuda.Addr(out), Blocks: 1, N: 10, Value: v}
	must(t, l.d.CopyToDevice(l.table, unsafe.Pointer(args), int(unsafe.Sizeof(*args)), l.s))
	must(t, l.d.Synchronize(l.s))
}

func (l *launch) launch() error { return l.d.Launch(l.f, 1, 1, l.table, unsafe.Pointer(l.run), l.s) }

// first is the first of the floats at out.
func (l *launch) first(t testing.TB, out uint64) float32 {
	t.Helper()
	v := new(float32)
	must(t, l.d.CopyToHost(unsafe.Pointer(v), out, 4, l.s))
	must(t, l.d.Synchronize(l.s))
	return *v
}

// TestGraph: a graph does its launches in the order of its edges, every time it is
// launched, with the arguments that are then on the device.
func TestGraph(t *testing.T) {
	d, fake := open(t)
	l := newLaunch(t, d)
	second := newLaunch(t, d)
	out := l.out
	l.fill(t, out, 1)
	second.fill(t, out, 2)
	var before emu.Used
	if fake != nil {
		before = fake.Used()
	}
	for _, c := range []struct {
		name  string
		swap  bool
		value float32
	}{{"second after first", false, 2}, {"first after second", true, 1}} {
		a, b := l, second
		if c.swap {
			a, b = second, l
		}
		g, err := d.NewGraph()
		must(t, err)
		n, err := d.AddLaunch(g, nil, a.f, 1, 1, a.table, unsafe.Pointer(a.run))
		must(t, err)
		_, err = d.AddLaunch(g, []driver.Node{n}, b.f, 1, 1, b.table, unsafe.Pointer(b.run))
		must(t, err)
		x, err := d.Instantiate(g)
		must(t, err)
		must(t, d.FreeGraph(g))
		for range 3 {
			must(t, d.Memset(out, 0, 4, l.s))
			must(t, d.LaunchGraph(x, l.s))
			if v := l.first(t, out); v != c.value {
				t.Errorf("%s: %v, want %v", c.name, v, c.value)
			}
		}
		must(t, d.FreeExec(x))
	}
	if fake == nil {
		return
	}
	if now := fake.Used(); now != before {
		t.Errorf("%+v remain, %+v before", now, before)
	}
	g, err := d.NewGraph()
	must(t, err)
	if _, err := d.AddLaunch(g, []driver.Node{7}, l.f, 1, 1, l.table, unsafe.Pointer(l.run)); err == nil {
		t.Error("a launch after one that is not there")
	}
	if err := d.LaunchGraph(driver.Exec(g), l.s); err == nil {
		t.Error("a graph that was not instantiated")
	}
	must(t, d.FreeGraph(g))
}

func BenchmarkLaunch(b *testing.B) {
	d, _ := open(b)
	l := newLaunch(b, d)
	b.ReportAllocs()
	for b.Loop() {
		if err := l.launch(); err != nil {
			b.Fatal(err)
		}
	}
	must(b, d.Synchronize(l.s))
}

// BenchmarkCall is the least a call of the driver costs.
func BenchmarkCall(b *testing.B) {
	d, _ := open(b)
	dev, err := d.Device(0)
	must(b, err)
	ctx, err := d.Retain(dev)
	must(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if err := d.SetCurrent(ctx); err != nil {
			b.Fatal(err)
		}
	}
	must(b, d.Release(dev))
}
