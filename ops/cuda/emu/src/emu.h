// An emulation of the part of CUDA C++ that kernels/*.cu use, for g++ -std=c++20.
//
// The 256 threads of a block are fibers of one thread; barriers and the warp's
// collective operations are where they yield. Shared memory is filled with 0xff
// before every block. EMU_ORDER (forward, reverse) is the order of threads, warps
// and blocks: a kernel that lacks a barrier gives other results in one of them. A
// barrier or collective that not all threads reach ends the launch with an error.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __restrict__
// All SHARED variables lie in one section, so that it can be poisoned as a whole.
#define SHARED static __attribute__((section("emu_shared"), aligned(16)))

struct emu_dim { unsigned x, y, z; };
struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(16) int4 { int x, y, z, w; };
struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }

extern "C" char __start_emu_shared[], __stop_emu_shared[];

namespace emu {

constexpr int kThreads = 256, kWarp = 32;
constexpr size_t kStack = 128 << 10;

enum State : uint8_t { RUN, BARRIER, COLLECTIVE, DONE };

struct Fiber {
  void *sp;
  State state;
  uint8_t turn;  // which half of the slots the next collective uses
  emu_dim id;
  char *stack;
};

struct Block {
  Fiber fiber[kThreads];
  emu_dim index, grid;
  Fiber *now = nullptr;
  void *scheduler = nullptr;
  void (*body)(void *) = nullptr;
  void *arg = nullptr;
  uint32_t slot[2][kThreads][8];
  uint64_t barriers = 0, collectives = 0;
  std::string error;
};

inline Block *block() {
  static Block *b = [] {
    Block *b = new Block();
    for (auto &f : b->fiber) f.stack = (char *)aligned_alloc(64, kStack);
    return b;
  }();
  return b;
}

#if defined(__x86_64__)
extern "C" void emu_swap(void **save, void *to);
asm(R"(
.text
.weak emu_swap
.type emu_swap,@function
emu_swap:
  pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp
  ret
.size emu_swap,.-emu_swap
)");
#else
#error "the emulator switches fibers on x86-64 only"
#endif

inline void yield(State s) {
  Block *b = block();
  b->now->state = s;
  emu_swap(&b->now->sp, b->scheduler);
}

inline void entry() {
  Block *b = block();
  b->body(b->arg);
  yield(DONE);
  __builtin_unreachable();
}

inline void prepare(Fiber &f) {
  void **s = (void **)(((uintptr_t)f.stack + kStack) & ~(uintptr_t)15);
  *--s = nullptr;
  *--s = (void *)entry;
  for (int i = 0; i < 6; i++) *--s = nullptr;
  f.sp = s;
  f.state = RUN;
  f.turn = 0;
}

inline bool reversed() {
  const char *o = getenv("EMU_ORDER");
  return o && !strcmp(o, "reverse");
}

// run_warp runs a warp until all of its lanes are done or at a barrier.
inline bool run_warp(Block *b, int warp, bool rev) {
  for (;;) {
    int waiting = 0;
    for (int k = 0; k < kWarp; k++) {
      Fiber &f = b->fiber[warp * kWarp + (rev ? kWarp - 1 - k : k)];
      if (f.state == RUN) {
        b->now = &f;
        emu_swap(&b->scheduler, f.sp);
      }
      waiting += f.state == COLLECTIVE;
    }
    if (waiting == 0) return true;
    if (waiting < kWarp) {
      b->error = "a collective operation is not reached by all lanes of warp " + std::to_string(warp);
      return false;
    }
    b->collectives++;
    for (int k = 0; k < kWarp; k++) b->fiber[warp * kWarp + k].state = RUN;
  }
}

inline bool run_block(Block *b, bool rev) {
  memset(__start_emu_shared, 0xff, __stop_emu_shared - __start_emu_shared);
  for (auto &f : b->fiber) prepare(f);
  for (;;) {
    int done = 0;
    for (int k = 0; k < kThreads / kWarp; k++) {
      if (!run_warp(b, rev ? kThreads / kWarp - 1 - k : k, rev)) return false;
    }
    for (auto &f : b->fiber) done += f.state == DONE;
    if (done == kThreads) return true;
    if (done > 0) {
      b->error = std::to_string(done) + " threads left while others wait at a barrier";
      return false;
    }
    b->barriers++;
    for (auto &f : b->fiber) f.state = RUN;
  }
}

// launch runs a grid of (x,y) blocks; the error is empty when all went well.
template <class Body> inline std::string launch(unsigned x, unsigned y, Body body) {
  Block *b = block();
  bool rev = reversed();
  b->grid = {x, y, 1};
  b->body = [](void *p) { (*(Body *)p)(); };
  b->arg = &body;
  b->error.clear();
  for (int i = 0; i < kThreads; i++) b->fiber[i].id = {(unsigned)i, 0, 0};
  unsigned n = x * y;
  for (unsigned k = 0; k < n; k++) {
    unsigned i = rev ? n - 1 - k : k;
    b->index = {i % x, i / x, 0};
    if (!run_block(b, rev)) return b->error + " (block " + std::to_string(i % x) + " of task " + std::to_string(i / x) + ")";
  }
  return "";
}

inline unsigned lane() { return block()->now->id.x; }

// exchange hands v to the other lanes of the warp and returns their values' base.
template <class T> inline uint32_t (*exchange(const T &v))[8] {
  static_assert(sizeof(T) <= 32);
  Block *b = block();
  unsigned i = lane();
  int turn = b->now->turn;
  b->now->turn ^= 1;
  memcpy(b->slot[turn][i], &v, sizeof v);
  yield(COLLECTIVE);
  return &b->slot[turn][i & ~31u];
}

template <class T> inline T shuffle(const T &v, unsigned from) {
  T out;
  unsigned self = lane() & 31;
  auto *s = exchange(v);
  memcpy(&out, s[from < 32 ? from : self], sizeof out);
  return out;
}

inline uint16_t half_at(const void *row, int i) {
  uint16_t v;
  memcpy(&v, (const char *)row + 2 * i, 2);
  return v;
}

// matrices loads n 8x8 matrices of 16-bit values; lane 8*i+r has the address of row
// r of matrix i.
template <int n> inline void matrices(uint32_t *out, const void *row, bool trans) {
  unsigned l = lane() & 31;
  const void *rows[32];
  auto *s = exchange(row);
  for (int i = 0; i < 32; i++) memcpy(&rows[i], s[i], sizeof(void *));
  for (int i = 0; i < n; i++) {
    int r = l / 4, c = 2 * (l % 4);
    uint32_t lo = trans ? half_at(rows[8 * i + c], r) : half_at(rows[8 * i + r], c);
    uint32_t hi = trans ? half_at(rows[8 * i + c + 1], r) : half_at(rows[8 * i + r], c + 1);
    out[i] = lo | hi << 16;
  }
}

}  // namespace emu

#define threadIdx (emu::block()->now->id)
#define blockIdx (emu::block()->index)
#define gridDim (emu::block()->grid)

inline void __syncthreads() { emu::yield(emu::BARRIER); }
inline void __syncwarp(unsigned = 0xffffffffu) { emu::exchange(0); }
inline void __threadfence() {}
inline void __threadfence_block() {}
template <class T> inline T __ldg(const T *p) { return *p; }
template <class T> inline T __shfl_xor_sync(unsigned, T v, int m) { return emu::shuffle(v, (emu::lane() & 31) ^ m); }
template <class T> inline T __shfl_down_sync(unsigned, T v, unsigned d) { return emu::shuffle(v, (emu::lane() & 31) + d); }
template <class T> inline T __shfl_up_sync(unsigned, T v, unsigned d) { return emu::shuffle(v, (emu::lane() & 31) - d); }
template <class T> inline T __shfl_sync(unsigned, T v, int from) { return emu::shuffle(v, from & 31); }
inline unsigned __ballot_sync(unsigned, int p) {
  auto *s = emu::exchange(p);
  unsigned out = 0;
  for (int i = 0; i < 32; i++) out |= (unsigned)(s[i][0] != 0) << i;
  return out;
}
inline int __any_sync(unsigned m, int p) { return __ballot_sync(m, p) != 0; }
inline int __all_sync(unsigned m, int p) { return __ballot_sync(m, p) == 0xffffffffu; }
inline unsigned atomicAdd(unsigned *p, unsigned v) { unsigned o = *p; *p = o + v; return o; }
inline int atomicAdd(int *p, int v) { int o = *p; *p = o + v; return o; }
inline int atomicMax(int *p, int v) { int o = *p; if (v > o) *p = v; return o; }
inline int atomicOr(int *p, int v) { int o = *p; *p = o | v; return o; }
inline float emu_bits_float(unsigned u) { float f; memcpy(&f, &u, 4); return f; }
inline unsigned emu_float_bits(float f) { unsigned u; memcpy(&u, &f, 4); return u; }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline int __float2int_rn(float f) { return (int)lrintf(f); }

inline void emu_ldmatrix_x4(unsigned *r, const void *row) { emu::matrices<4>(r, row, false); }
inline void emu_ldmatrix_x4_trans(unsigned *r, const void *row) { emu::matrices<4>(r, row, true); }
inline void emu_ldmatrix_x2(unsigned *r, const void *row) { emu::matrices<2>(r, row, false); }
inline void emu_ldmatrix_x2_trans(unsigned *r, const void *row) { emu::matrices<2>(r, row, true); }

// emu_mma_bf16_16816: d (16x8, float) += a (16x16, row) * b (16x8, column) of
// bfloat16, in the fragments of PTX's mma.m16n8k16.
inline void emu_mma_bf16_16816(float *d, const unsigned *a, const unsigned *b) {
  unsigned l = emu::lane() & 31;
  uint32_t mine[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  struct Frag { uint32_t v[6]; } f;
  memcpy(f.v, mine, sizeof mine);
  auto *s = emu::exchange(f);
  int g = l / 4, t = l % 4;
  float ar[2][16], bc[2][16];
  auto lo = [](uint32_t u) { return emu_bits_float(u << 16); };
  auto hi = [](uint32_t u) { return emu_bits_float(u & 0xffff0000u); };
  for (int q = 0; q < 4; q++) {
    const uint32_t *p = s[g * 4 + q];
    for (int h = 0; h < 2; h++) {  // columns 2q, 2q+1 and 8 more
      ar[0][8 * h + 2 * q] = lo(p[2 * h]), ar[0][8 * h + 2 * q + 1] = hi(p[2 * h]);
      ar[1][8 * h + 2 * q] = lo(p[2 * h + 1]), ar[1][8 * h + 2 * q + 1] = hi(p[2 * h + 1]);
    }
    for (int c = 0; c < 2; c++) {
      const uint32_t *w = s[(2 * t + c) * 4 + q];
      for (int h = 0; h < 2; h++) bc[c][8 * h + 2 * q] = lo(w[4 + h]), bc[c][8 * h + 2 * q + 1] = hi(w[4 + h]);
    }
  }
  for (int r = 0; r < 2; r++)
    for (int c = 0; c < 2; c++) {
      float sum = d[2 * r + c];
      for (int k = 0; k < 16; k++) sum += ar[r][k] * bc[c][k];
      d[2 * r + c] = sum;
    }
}
