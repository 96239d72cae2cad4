// What all kernels share. There is no #include: the same text goes through NVRTC
// for a GPU and, behind the emulator's header (CUDA_EMU), through g++.
//
// A launch computes a group of tasks of one kernel: blockIdx.y is the task,
// blockIdx.x the block within it; blocks beyond a task's own leave at once. Every
// block has 256 threads. A reduction over blocks writes partial sums and takes a
// ticket; the block that draws the last one adds them up in order, so no result
// depends on which block came first.

#ifndef CUDA_EMU
#define SHARED __shared__
#endif

const int THREADS = 256;

struct bf16 {
  u16 v;
};

__device__ __forceinline__ float bits_float(u32 u) {
#ifdef CUDA_EMU
  return emu_bits_float(u);
#else
  return __uint_as_float(u);
#endif
}

__device__ __forceinline__ u32 float_bits(float f) {
#ifdef CUDA_EMU
  return emu_float_bits(f);
#else
  return __float_as_uint(f);
#endif
}

// is_finite says that f is neither NaN nor infinite.
__device__ __forceinline__ bool is_finite(float f) { return (float_bits(f) & 0x7f800000u) != 0x7f800000u; }

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(bf16 x) { return bits_float((u32)x.v << 16); }

// from_float rounds to nearest even; NaN stays NaN.
__device__ __forceinline__ void from_float(float f, float &out) { out = f; }
__device__ __forceinline__ void from_float(float f, bf16 &out) {
#ifdef CUDA_EMU
  u32 u = float_bits(f);
  out.v = (u & 0x7fffffffu) > 0x7f800000u ? (u16)0x7fff : (u16)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
#else
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(out.v) : "f"(f));
#endif
}

// Pack is V values that are read and written in one access.
template <class T, int V> struct __align__(sizeof(T) * V) Pack {
  T v[V];
};

// packed reads V neighbouring values; p is aligned to all of them. The emulator makes
// sure of this, as a device does.
template <int V, class T> __device__ __forceinline__ Pack<T, V> packed(const T *p) {
#ifdef CUDA_EMU
  emu_aligned(p, sizeof(Pack<T, V>));
#endif
  return *(const Pack<T, V> *)p;
}

// load is packed, unpacked.
template <int V, class T> __device__ __forceinline__ void load(const T *p, float (&out)[V]) {
  Pack<T, V> k = packed<V>(p);
#pragma unroll
  for (int i = 0; i < V; i++) out[i] = to_float(k.v[i]);
}

// unpack is the second half of load: what is to be used later takes less room packed.
template <class T, int V> __device__ __forceinline__ void unpack(const Pack<T, V> &k, float (&out)[V]) {
#pragma unroll
  for (int i = 0; i < V; i++) out[i] = to_float(k.v[i]);
}

// store writes V neighbouring values; p is aligned to all of them.
template <int V, class T> __device__ __forceinline__ void store(T *p, const float (&in)[V]) {
#ifdef CUDA_EMU
  emu_aligned(p, sizeof(Pack<T, V>));
#endif
  Pack<T, V> k;
#pragma unroll
  for (int i = 0; i < V; i++) from_float(in[i], k.v[i]);
  *(Pack<T, V> *)p = k;
}

// fetch copies a task's arguments to shared memory, where they cost no registers.
// Every thread of the block calls it.
template <class A> __device__ __forceinline__ void fetch(const A &task, A &to) {
  for (int i = threadIdx.x; i < (int)(sizeof(A) / 4); i += THREADS) ((u32 *)&to)[i] = ((const u32 *)&task)[i];
  __syncthreads();
}

// last_block says, to all threads of a block, whether it is the last of a task's
// blocks to come here; then what the others wrote to global memory before is there
// for it to read past its first level cache (fresh), and the ticket is 0 again. Every thread of the block must call it.
__device__ __forceinline__ bool last_block(u32 *ticket, int blocks, u32 &shared_flag) {
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    shared_flag = atomicAdd(ticket, 1u) == (u32)blocks - 1;
    if (shared_flag) *ticket = 0;
  }
  __syncthreads();
  return shared_flag != 0;
}

struct DoubleShared {
  double v[THREADS];
};

// block_sum adds up one value of each thread, in a fixed order; thread 0 gets it.
__device__ __forceinline__ double block_sum(double x, DoubleShared &s) {
  int tid = threadIdx.x;
  __syncthreads();
  s.v[tid] = x;
  __syncthreads();
#pragma unroll
  for (int k = THREADS / 2; k > 0; k >>= 1) {
    if (tid < k) s.v[tid] += s.v[tid + k];
    __syncthreads();
  }
  return s.v[0];
}
