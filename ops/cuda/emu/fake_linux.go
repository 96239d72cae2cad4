package emu

import (
	"testing"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Fake is the emulated driver's other side: faults, options and what is left in it.
// It is one for the process, whoever has loaded the library.
type Fake struct{ fault, calls, used, option, message, failed uintptr }

// Control returns the other side of a library that Library or Build made. What it
// is told lasts to the end of the test.
func Control(t testing.TB, library string) *Fake {
	t.Helper()
	h, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		t.Fatal(err)
	}
	f := &Fake{}
	for name, p := range map[string]*uintptr{"fakeFault": &f.fault, "fakeCalls": &f.calls, "fakeUsed": &f.used, "fakeOption": &f.option, "fakeMessage": &f.message, "fakeFailed": &f.failed} {
		if *p, err = purego.Dlsym(h, name); err != nil {
			t.Fatal(err)
		}
	}
	f.Fault(0, 0)
	t.Cleanup(func() { f.Fault(0, 0) })
	return f
}

// Fault makes the driver's n-th call from now, 1 is the next, return code; codes
// that a context does not survive are returned by all later calls too. 0 takes it
// back and revives the device.
func (f *Fake) Fault(n, code int) { purego.SyscallN(f.fault, uintptr(n), uintptr(code)) }

// Calls is how many calls of the driver there have been.
func (f *Fake) Calls() int {
	n, _, _ := purego.SyscallN(f.calls)
	return int(n)
}

// Message says what the last kernel that went wrong did.
func (f *Fake) Message() string { return f.text(f.message) }

// Failed is the name of the call that Fault hit, "" where it has hit none yet.
func (f *Fake) Failed() string { return f.text(f.failed) }

func (f *Fake) text(of uintptr) string {
	p, _, _ := purego.SyscallN(of)
	var b []byte
	for at := *(*unsafe.Pointer)(unsafe.Pointer(&p)); *(*byte)(at) != 0; at = unsafe.Add(at, 1) {
		b = append(b, *(*byte)(at))
	}
	return string(b)
}

// Used says what exists on the device.
type Used struct{ Bytes, Events, Streams, Graphs, Pinned int64 }

// Used counts what exists, to find what was not freed.
func (f *Fake) Used() Used {
	u := new(Used)
	purego.SyscallN(f.used, uintptr(unsafe.Pointer(u)))
	return *u
}

// Option sets an option of src/fakecuda.cpp until the end of the test, when it is
// set to normal.
func (f *Fake) Option(t testing.TB, name, value, normal string) {
	t.Helper()
	set := func(v string) bool {
		n, c := append([]byte(name), 0), append([]byte(v), 0)
		r, _, _ := purego.SyscallN(f.option, uintptr(unsafe.Pointer(&n[0])), uintptr(unsafe.Pointer(&c[0])))
		return int32(r) == 0
	}
	if !set(value) {
		t.Fatalf("the emulated driver has no option %s", name)
	}
	t.Cleanup(func() { set(normal) })
}
