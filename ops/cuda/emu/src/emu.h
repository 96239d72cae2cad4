// An emulation of the part of CUDA C++ that kernels/*.cu use, for g++ -std=c++20.
//
// It is a checker as much as an emulator. Shared memory begins as 0xff in every
// block. Barriers and collectives that not all threads reach, or not in the same
// place, fail the launch, and so do addresses where nothing is. Threads and blocks
// run in one of three orders: a kernel whose result depends on it lacks a barrier.
//
// Differences from a GPU: memory is coherent, so a missing __threadfence or volatile
// goes unseen; lanes of a warp do not run in lockstep, so nothing but a barrier or
// __syncwarp makes one lane see what another wrote; fast functions are exact ones;
// emu_mma adds up in order of k.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "fibers.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __align__(n) alignas(n)
#define __restrict__

#define threadIdx (emu::block.now->id)
#define blockIdx (emu::block.index)
#define gridDim (emu::block.grid)
#define blockDim (emu_dim{emu::kThreads, 1, 1})
#define warpSize 32

#define EMU_VECTOR(T, name, align)                                           \
  struct alignas(align) name##2 { T x, y; };                                 \
  struct alignas(2 * align) name##4 { T x, y, z, w; };                       \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }                 \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
EMU_VECTOR(float, float, 8)
EMU_VECTOR(int, int, 8)
EMU_VECTOR(unsigned, uint, 8)
EMU_VECTOR(unsigned short, ushort, 4)
struct alignas(16) double2 { double x, y; };

// EMU_HERE is the place of a call: a default argument belongs to the caller.
#define EMU_HERE emu::Place here = {__builtin_FILE(), __builtin_LINE()}

namespace emu {

inline unsigned lane() { return block.now->id.x % kWarp; }

// last says that the running thread is the last of its warp to come here.
inline bool last() { return block.at % kWarp == kWarp - 1; }

// exchange shows v to the other lanes and returns theirs; they stay until the
// running thread stops again.
template <class T> inline uint64_t (*exchange(const T &v, Place here))[8] {
  static_assert(sizeof(T) <= sizeof block.slot[0][0]);
  auto *slots = block.slot[block.turn];
  memcpy(slots[lane()], &v, sizeof v);
  yield(COLLECTIVE, here);
  return slots;
}

template <class T> inline T shuffle(const T &v, unsigned from, Place here) {
  unsigned self = lane();
  T out;
  memcpy(&out, exchange(v, here)[from < kWarp ? from : self], sizeof out);
  return out;
}

// matrices loads n 8x8 matrices of 16-bit values; lane 8*i+r has the address of row
// r of matrix i, in shared memory.
template <int n, bool trans> inline void matrices(uint32_t *out, const void *row, Place here) {
  unsigned l = lane();
  if ((int)l < 8 * n) {
    if ((uintptr_t)row % 16) fail("ldmatrix in " + here.text() + ": a row does not begin at a multiple of 16 bytes");
    if (row < (void *)__start_emu_shared || row >= (void *)__stop_emu_shared) fail("ldmatrix in " + here.text() + ": a row outside shared memory");
  }
  auto *rows = exchange(row, here);
  for (int i = 0; i < n; i++) {
    auto *m = &rows[8 * i];
    if (trans) {
      auto at = [&](int r) { return (uint32_t)((const uint16_t *)m[r][0])[l / 4]; };
      out[i] = at(2 * (l % 4)) | at(2 * (l % 4) + 1) << 16;
    } else {
      memcpy(&out[i], (const char *)m[l / 4][0] + 4 * (l % 4), 4);
    }
  }
}

// Fragments are a lane's share of the operands and of the result of mma.m16n8k16.
struct Fragments {
  uint32_t a[4], b[2];
  float d[4];
};

// multiply computes the products of a whole warp: d (16x8) += a (16x16) * b (16x8).
inline void multiply(uint64_t (*slots)[8]) {
  float a[16][16], b[16][8], d[16][8];
  auto low = [](uint32_t u) { u <<= 16; float f; memcpy(&f, &u, 4); return f; };
  auto high = [](uint32_t u) { u &= 0xffff0000u; float f; memcpy(&f, &u, 4); return f; };
  for (int l = 0; l < kWarp; l++) {
    Fragments f;
    memcpy(&f, slots[l], sizeof f);
    int g = l / 4, t = l % 4 * 2;
    for (int i = 0; i < 4; i++) {  // the quarters of a: rows g and g+8 of columns t, then t+8
      float *p = &a[g + i % 2 * 8][t + i / 2 * 8];
      p[0] = low(f.a[i]), p[1] = high(f.a[i]);
      d[g + i / 2 * 8][t + i % 2] = f.d[i];
    }
    for (int i = 0; i < 2; i++) b[t + i * 8][g] = low(f.b[i]), b[t + i * 8 + 1][g] = high(f.b[i]);
  }
  for (int r = 0; r < 16; r++)
    for (int k = 0; k < 16; k++)
      for (int c = 0; c < 8; c++) d[r][c] += a[r][k] * b[k][c];
  for (int l = 0; l < kWarp; l++)
    for (int i = 0; i < 4; i++) memcpy((char *)slots[l] + offsetof(Fragments, d) + 4 * i, &d[l / 4 + i / 2 * 8][l % 4 * 2 + i % 2], 4);
}

}  // namespace emu

inline void __syncthreads(EMU_HERE) { emu::yield(emu::BARRIER, here); }
inline void __syncwarp(unsigned = 0xffffffffu, EMU_HERE) { emu::yield(emu::COLLECTIVE, here); }
inline void __threadfence() {}
inline void __threadfence_block() {}
template <class T> inline T __ldg(const T *p) { return *p; }

template <class T> inline T __shfl_sync(unsigned, T v, int from, int = 32, EMU_HERE) { return emu::shuffle(v, from & 31, here); }
template <class T> inline T __shfl_xor_sync(unsigned, T v, int m, int = 32, EMU_HERE) { return emu::shuffle(v, emu::lane() ^ m, here); }
template <class T> inline T __shfl_down_sync(unsigned, T v, unsigned d, int = 32, EMU_HERE) { return emu::shuffle(v, emu::lane() + d, here); }
template <class T> inline T __shfl_up_sync(unsigned, T v, unsigned d, int = 32, EMU_HERE) { return emu::shuffle(v, emu::lane() - d, here); }
inline unsigned __ballot_sync(unsigned, int p, EMU_HERE) {
  auto *s = emu::exchange((uint64_t)(p != 0), here);
  unsigned out = 0;
  for (int i = 0; i < emu::kWarp; i++) out |= (unsigned)s[i][0] << i;
  return out;
}
inline int __any_sync(unsigned m, int p, EMU_HERE) { return __ballot_sync(m, p, here) != 0; }
inline int __all_sync(unsigned m, int p, EMU_HERE) { return __ballot_sync(m, p, here) == 0xffffffffu; }

inline void emu_ldmatrix_x4(unsigned *r, const void *row, EMU_HERE) { emu::matrices<4, false>(r, row, here); }
inline void emu_ldmatrix_x4_trans(unsigned *r, const void *row, EMU_HERE) { emu::matrices<4, true>(r, row, here); }
inline void emu_ldmatrix_x2(unsigned *r, const void *row, EMU_HERE) { emu::matrices<2, false>(r, row, here); }
inline void emu_ldmatrix_x2_trans(unsigned *r, const void *row, EMU_HERE) { emu::matrices<2, true>(r, row, here); }

// emu_mma_bf16_16816: d (16x8, float) += a (16x16, row) * b (16x8, column) of
// bfloat16. The last lane to come does it for all.
inline void emu_mma_bf16_16816(float *d, const unsigned *a, const unsigned *b, EMU_HERE) {
  auto *slots = emu::block.slot[emu::block.turn];
  auto *f = (emu::Fragments *)slots[emu::lane()];
  memcpy(f->a, a, sizeof f->a);
  memcpy(f->b, b, sizeof f->b);
  memcpy(f->d, d, sizeof f->d);
  if (emu::last()) emu::multiply(slots);
  emu::yield(emu::COLLECTIVE, here);
  memcpy(d, f->d, sizeof f->d);
}

template <class T> inline T emu_swap_in(T *p, T v) { T o = *p; *p = v; return o; }
#define EMU_ATOMICS(T)                                                              \
  inline T atomicAdd(T *p, T v) { return emu_swap_in(p, (T)(*p + v)); }             \
  inline T atomicMax(T *p, T v) { return emu_swap_in(p, std::max(*p, v)); }         \
  inline T atomicMin(T *p, T v) { return emu_swap_in(p, std::min(*p, v)); }         \
  inline T atomicExch(T *p, T v) { return emu_swap_in(p, v); }                      \
  inline T atomicOr(T *p, T v) { return emu_swap_in(p, (T)(*p | v)); }              \
  inline T atomicCAS(T *p, T old, T v) { return emu_swap_in(p, *p == old ? v : *p); } \
  inline T min(T a, T b) { return std::min(a, b); }                                 \
  inline T max(T a, T b) { return std::max(a, b); }
EMU_ATOMICS(int)
EMU_ATOMICS(unsigned)
EMU_ATOMICS(unsigned long long)
#undef EMU_ATOMICS

// emu_aligned ends the launch where a device would: at an access of so many bytes to an
// address that is no multiple of them, or of 16, the most that it reads at once.
inline void emu_aligned(const void *p, size_t bytes, EMU_HERE) {
  if ((uintptr_t)p % (bytes < 16 ? bytes : 16)) emu::fail("misaligned address in " + here.text());
}

inline float emu_bits_float(unsigned u) { float f; memcpy(&f, &u, 4); return f; }
inline unsigned emu_float_bits(float f) { unsigned u; memcpy(&u, &f, 4); return u; }
// The C library's fmaxf is a call. A NaN gives way, and 0 is above -0.
inline float emu_fmaxf(float a, float b) { return a == b ? emu_bits_float(emu_float_bits(a) & emu_float_bits(b)) : a > b || b != b ? a : b; }
inline float emu_fminf(float a, float b) { return a == b ? emu_bits_float(emu_float_bits(a) | emu_float_bits(b)) : a < b || b != b ? a : b; }
#define fmaxf emu_fmaxf
#define fminf emu_fminf
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline double rsqrt(double x) { return 1 / sqrt(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __frcp_rn(float a) { return 1 / a; }
inline int __float2int_rn(float f) { return (int)lrintf(f); }
