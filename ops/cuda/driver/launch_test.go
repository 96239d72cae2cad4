//go:build linux

package driver_test

import (
	"testing"
	"unsafe"

	"oneshot/ops/cuda"
	"oneshot/ops/cuda/driver"
	"oneshot/ops/cuda/emu"
)

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
