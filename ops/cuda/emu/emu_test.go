//go:build linux

package emu_test

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"oneshot/ops/cuda/driver"
	"oneshot/ops/cuda/emu"
)

var orders = []string{"forward", "reverse", "shuffle"}

func TestKernels(t *testing.T) {
	y := openToys(t)
	for _, order := range orders {
		y.fake.Option(t, "EMU_ORDER", order, "forward")
		check := func(kernel string, blocks, tasks int, want func(task, i int) float32) {
			t.Helper()
			out, err := y.launch(kernel, blocks, tasks)
			if err != nil {
				t.Fatalf("%s, %s: %v: %s", kernel, order, err, y.fake.Message())
			}
			n := len(out) / tasks
			for i, got := range out {
				if i == len(out)-256 && tasks > 1 {
					if got == got {
						t.Errorf("%s, %s: a block beyond the task's wrote", kernel, order)
					}
					break
				}
				if w := want(i/n, i%n); got != w {
					t.Fatalf("%s, %s: task %d, number %d: %v, want %v", kernel, order, i/n, i%n, got, w)
				}
			}
		}
		check("number", 3, 4, func(task, i int) float32 { return float32(task*10000+i) + 0.5 })
		check("turn", 3, 2, func(_, i int) float32 { return float32(255 - i%256) })
		check("stale", 3, 1, func(int, int) float32 { return 1 })
		check("warp_sum", 2, 1, func(_, i int) float32 {
			w := i % 256 / 32 * 32
			return float32(32*w+31*16) + 1
		})
	}
	for _, order := range orders {
		y.fake.Option(t, "EMU_ORDER", order, "forward")
		out, err := y.launch("last", 5, 1)
		if err != nil || out[3] != 5 {
			t.Errorf("last, %s: %v, %v", order, out[3], err)
		}
	}
}

// TestOtherProcessors: the same kernels with the fibers of other processors.
func TestOtherProcessors(t *testing.T) {
	y := openToys(t, "-O1", "-DEMU_UCONTEXT")
	for _, order := range orders {
		y.fake.Option(t, "EMU_ORDER", order, "forward")
		if out, err := y.launch("turn", 2, 1); err != nil || out[0] != 255 || out[511] != 0 {
			t.Errorf("turn, %s: %v %s", order, err, y.fake.Message())
		}
		if out, err := y.launch("warp_sum", 2, 1); err != nil || out[0] != 497 {
			t.Errorf("warp_sum, %s: %v %s", order, err, y.fake.Message())
		}
		if _, err := y.launch("half_at_barrier", 2, 1); !driver.Lost(err) {
			t.Errorf("half_at_barrier, %s: %v", order, err)
		}
		y.fake.Fault(0, 0)
	}
}

func TestTensorCores(t *testing.T) {
	y := openToys(t)
	for _, order := range orders {
		y.fake.Option(t, "EMU_ORDER", order, "forward")
		out, err := y.launch("product", 1, 1)
		if err != nil {
			t.Fatal(err, y.fake.Message())
		}
		for r := range 16 {
			for c := range 8 {
				want := 100
				for k := range 16 {
					want += ((r*5+k*3)%7 - 3) * ((k*2+c*7)%5 - 2)
				}
				if out[r*8+c] != float32(want) {
					t.Fatalf("%s: row %d, column %d: %v, want %d", order, r, c, out[r*8+c], want)
				}
			}
		}
	}
}

// TestOrderShowsRaces: without its barrier a kernel computes something else in some
// order.
func TestOrderShowsRaces(t *testing.T) {
	y := openToys(t)
	wrong := 0
	for _, order := range orders {
		y.fake.Option(t, "EMU_ORDER", order, "forward")
		out, err := y.launch("turn_racy", 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range out {
			if v != float32(255-i) {
				wrong++
				break
			}
		}
	}
	if wrong != len(orders) {
		t.Errorf("the race shows in %d of %d orders", wrong, len(orders))
	}
}

// TestFaults: what kernels do wrong fails their launch and says where; after the
// device is revived the next launch is right again.
func TestFaults(t *testing.T) {
	y := openToys(t)
	for _, c := range []struct {
		kernel, code, message string
	}{
		{"half_at_barrier", "CUDA_ERROR_LAUNCH_FAILED", "128 threads have ended while others wait at the barrier in args.cu:"},
		{"two_barriers", "CUDA_ERROR_LAUNCH_FAILED", "threads wait in args.cu:"},
		{"half_a_warp", "CUDA_ERROR_LAUNCH_FAILED", "16 of 32 lanes are at the collective operation in args.cu:"},
		{"null_read", "CUDA_ERROR_ILLEGAL_ADDRESS", "thread 77: access to the address 0, where nothing is"},
		{"null_write_at_barrier", "CUDA_ERROR_ILLEGAL_ADDRESS", "thread 200: access to the address 0x8, where nothing is"},
		{"beyond", "CUDA_ERROR_ILLEGAL_ADDRESS", "something was written beside an allocation of 2052 bytes"},
		{"far_beyond", "CUDA_ERROR_ILLEGAL_ADDRESS", "block 1 of task 0, thread 0: access to the address"},
		{"deep", "CUDA_ERROR_ILLEGAL_ADDRESS", "access to the address"},
		{"divide", "CUDA_ERROR_ILLEGAL_ADDRESS", "division by zero"},
	} {
		for _, order := range orders {
			y.fake.Option(t, "EMU_ORDER", order, "forward")
			_, err := y.launch(c.kernel, 2, 1)
			if err == nil || !driver.Lost(err) || !strings.Contains(err.Error(), c.code) {
				t.Errorf("%s, %s: %v, want %s", c.kernel, order, err, c.code)
			}
			if m := y.fake.Message(); c.kernel != "far_beyond" && !strings.Contains(m, c.message) {
				t.Errorf("%s, %s: %q, want %q", c.kernel, order, m, c.message)
			}
			if err := y.d.Synchronize(y.s); !driver.Lost(err) {
				t.Errorf("%s: the device recovered: %v", c.kernel, err)
			}
			y.fake.Fault(0, 0)
		}
		if out, err := y.launch("turn", 2, 1); err != nil || out[0] != 255 {
			t.Fatalf("after %s: %v", c.kernel, err)
		}
	}
}

// TestSanitizer: an index outside a shared array is found in a build that looks for
// it, and a right kernel passes there.
func TestSanitizer(t *testing.T) {
	y := openToys(t, emu.Sanitizer...)
	if _, err := y.launch("turn", 2, 2); err != nil {
		t.Error(err, y.fake.Message())
	}
	_, err := y.launch("index", 1, 1)
	if m := y.fake.Message(); !driver.Lost(err) || !strings.Contains(m, "thread 255: args.cu:") || !strings.Contains(m, "index outside an array") {
		t.Errorf("%v: %s", err, m)
	}
}

// TestLaziness: in the lazy driver nothing happens before the host waits, and a host
// that does not wait sees it.
func TestLaziness(t *testing.T) {
	for _, lazy := range []string{"0", "1"} {
		t.Run("lazy="+lazy, func(t *testing.T) {
			y := openToys(t)
			y.fake.Option(t, "FAKE_CUDA_LAZY", lazy, "0")
			host, err := y.d.AllocHost(16)
			y.must(err)
			defer y.d.FreeHost(host)
			p, err := y.d.Alloc(16)
			y.must(err)
			defer y.d.Free(p)
			copy(host, "right input.....")
			y.must(y.d.CopyToDevice(p, unsafe.Pointer(&host[0]), 16, y.s))
			copy(host, "changed too soon")
			back := make([]byte, 16)
			y.must(y.d.CopyToHost(unsafe.Pointer(&back[0]), p, 16, y.s))
			y.must(y.d.Synchronize(y.s))
			want := "right input....."
			if lazy == "1" {
				want = "changed too soon"
			}
			if string(back) != want {
				t.Errorf("%q, want %q", back, want)
			}
		})
	}
}

// TestMemoryLimit: the device has as much memory as it is told.
func TestMemoryLimit(t *testing.T) {
	y := openToys(t)
	y.fake.Option(t, "FAKE_CUDA_MEMORY", fmt.Sprint(1<<20), fmt.Sprint(8<<30))
	before := y.fake.Used()
	free, total, err := y.d.MemInfo()
	y.must(err)
	if total != 1<<20 || free != total-int(before.Bytes) {
		t.Errorf("%d of %d free", free, total)
	}
	if _, err := y.d.Alloc(free + 1); !driver.OutOfMemory(err) || driver.Lost(err) {
		t.Errorf("more than there is: %v", err)
	}
	p, err := y.d.Alloc(free)
	y.must(err)
	if free, _, _ := y.d.MemInfo(); free != 0 {
		t.Errorf("%d free after all was taken", free)
	}
	y.must(y.d.Free(p))
	if now := y.fake.Used(); now != before {
		t.Errorf("%+v remain, %+v before", now, before)
	}
}

// TestLibraryPath says where the library is, for scripts that link it.
func TestLibraryPath(t *testing.T) { t.Log("library", emu.Library(t)) }
