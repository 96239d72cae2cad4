//go:build linux

package emu_test

import (
	"runtime"
	"testing"
	"unsafe"

	"oneshot/ops/cuda/driver"
	"oneshot/ops/cuda/emu"
)

// toys are kernels that show what the emulator is for. Each gets the array Out of
// N floats, one for each thread of its blocks.
const toys = `
#define TOY(name) extern "C" __global__ void __launch_bounds__(256) name(const ToyArgs *tasks, Run run)
#define BEGIN ToyArgs a = tasks[blockIdx.y]; if (blockIdx.x >= a.Blocks) return; float *out = (float *)a.Out + blockIdx.x * 256; int t = threadIdx.x; (void)out; (void)t;
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
struct Run { u64 Control; float Momentum, LR, Mu, WD, A, B; };
struct ToyArgs { u64 Out; u64 Ticket; int Blocks; int N; };

TOY(number) { BEGIN out[t] = blockIdx.y * 10000 + blockIdx.x * 256 + t + run.A; }
TOY(turn) { BEGIN  // reverses its block
  SHARED float s[256];
  s[t] = t;
  __syncthreads();
  out[t] = s[255 - t];
}
TOY(turn_racy) { BEGIN  // the same without the barrier
  SHARED float s[256];
  s[t] = t;
  out[t] = s[255 - t];
}
TOY(warp_sum) { BEGIN
  float v = t;
  for (int m = 16; m > 0; m /= 2) v += __shfl_xor_sync(0xffffffffu, v, m);
  double d = v;
  d = __shfl_down_sync(0xffffffffu, d, 1);
  out[t] = (float)__shfl_sync(0xffffffffu, d, 3) + (__ballot_sync(0xffffffffu, t % 2) == 0xaaaaaaaau);
}
TOY(stale) { BEGIN  // reads shared memory that nobody wrote
  SHARED u32 s[256];
  out[t] = s[t] == 0xffffffffu;
  __syncthreads();
  s[t] = 0;
}
TOY(last) { BEGIN  // the last block to come counts them
  SHARED u32 flag;
  if (t == 0) flag = atomicAdd((u32 *)a.Ticket, 1u);
  __syncthreads();
  if (flag == (u32)a.Blocks - 1) ((float *)a.Out)[t] = a.Blocks;
}
TOY(half_at_barrier) { BEGIN if (t < 128) __syncthreads(); }
TOY(two_barriers) { BEGIN
  if (t < 128) __syncthreads();
  else
    __syncthreads();
}
TOY(half_a_warp) { BEGIN if (t % 32 < 16) out[t] = __shfl_xor_sync(0xffffffffu, 1.0f, 1); }
TOY(null_read) { BEGIN out[t] = t == 77 ? *(const volatile float *)nullptr : 0; }
TOY(null_write_at_barrier) { BEGIN
  __syncthreads();
  if (t == 200) *(volatile float *)8 = 1;
  __syncthreads();
}
TOY(beyond) { BEGIN if (t == 0 && blockIdx.x == 0) out[a.N + 1] = 1; }
TOY(far_beyond) { BEGIN if (t == 0) out[a.N + 4096] = 1; }
TOY(deep) { BEGIN  // a stack that is too small
  volatile char c[1 << 20];
  c[0] = 1;
  out[t] = c[0];
}
TOY(divide) { BEGIN out[t] = t / (a.N - 512); }
TOY(index) { BEGIN
  SHARED float s[256];
  volatile int i = t + 1;
  s[i] = t;
  __syncthreads();
  out[t] = s[t];
}

TOY(product) { BEGIN  // a 16x16, b 16x8 in shared memory; one warp's product through the tensor cores
  SHARED u16 x[16][24], w[16][24];
  auto half = [](float f) { return (u16)(emu_float_bits(f) >> 16); };
  if (t < 16) for (int k = 0; k < 24; k++) {
    x[t][k] = half((t * 5 + k * 3) % 7 - 3);
    w[t][k] = half((t * 2 + k * 7) % 5 - 2);
  }
  __syncthreads();
  u32 fa[4], fb[2];
  float d[4] = {100, 100, 100, 100};
  int lane = t % 32;
  emu_ldmatrix_x4(fa, &x[lane % 16][lane / 16 * 8]);
  emu_ldmatrix_x2_trans(fb, &w[lane % 16][0]);
  emu_mma_bf16_16816(d, fa, fb);
  if (t < 32) for (int i = 0; i < 4; i++) out[(lane / 4 + i / 2 * 8) * 8 + lane % 4 * 2 + i % 2] = d[i];
}
`

type toyArgs struct {
	out, ticket uint64
	blocks, n   int32
}

type toyRun struct {
	control                    uint64
	momentum, lr, mu, wd, a, b float32
}

// toy launches kernels of toys.
type toy struct {
	t    *testing.T
	d    driver.Driver
	fake *emu.Fake
	m    driver.Module
	s    driver.Stream
}

func openToys(t *testing.T, arguments ...string) *toy {
	t.Helper()
	lib := emu.Build(t, map[string][]byte{"args.cu": []byte(toys)}, arguments...)
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	y := &toy{t: t, fake: emu.Control(t, lib)}
	var err error
	if y.d, err = driver.Load([]string{lib}); err != nil {
		t.Fatal(err)
	}
	dev, err := y.d.Device(0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := y.d.Retain(dev)
	if err != nil {
		t.Fatal(err)
	}
	y.must(y.d.SetCurrent(ctx))
	t.Cleanup(func() {
		y.fake.Fault(0, 0)
		y.must(y.d.Release(dev))
		if u := y.fake.Used(); u != (emu.Used{}) {
			t.Errorf("after the end of the context there are %+v", u)
		}
	})
	y.m, err = y.d.LoadModule([]byte(toys + "\x00"))
	y.must(err)
	y.s, err = y.d.NewStream()
	y.must(err)
	y.fake.Option(t, "FAKE_CUDA_QUIET", "1", "0")
	return y
}

func (y *toy) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

// launch runs a kernel in tasks times blocks of 256 threads, the last task with one
// block less, and returns what it wrote.
func (y *toy) launch(kernel string, blocks, tasks int) ([]float32, error) {
	y.t.Helper()
	f, err := y.d.Function(y.m, kernel)
	y.must(err)
	n := 256 * blocks
	out := make([]float32, n*tasks)
	args := make([]toyArgs, tasks)
	table, err := y.d.Alloc(tasks*int(unsafe.Sizeof(toyArgs{})) + 8)
	y.must(err)
	ticket := table + uint64(tasks)*uint64(unsafe.Sizeof(toyArgs{}))
	y.must(y.d.Memset(ticket, 0, 8, y.s))
	for i := range args {
		p, err := y.d.Alloc(4*n + 4)
		y.must(err)
		defer y.d.Free(p)
		args[i] = toyArgs{p, ticket, int32(blocks), int32(n)}
	}
	if tasks > 1 {
		args[tasks-1].blocks--
	}
	y.must(y.d.CopyToDevice(table, unsafe.Pointer(&args[0]), tasks*int(unsafe.Sizeof(toyArgs{})), y.s))
	defer y.d.Free(table)
	if err := y.d.Launch(f, blocks, tasks, table, unsafe.Pointer(&toyRun{a: 0.5}), y.s); err != nil {
		return nil, err
	}
	for i, a := range args {
		if err := y.d.CopyToHost(unsafe.Pointer(&out[i*n]), a.out, 4*n, y.s); err != nil {
			return nil, err
		}
	}
	return out, y.d.Synchronize(y.s)
}
