//go:build linux

package driver_test

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"oneshot/ops/cuda"
	"oneshot/ops/cuda/driver"
	"oneshot/ops/cuda/emu"
)

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
