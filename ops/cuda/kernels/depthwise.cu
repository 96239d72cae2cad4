// Depthwise convolutions. A thread computes V channels of a run of RUN pixels of a
// row: what it loads of a row of the window serves all of them. V is 4 where the
// channels allow it, else 1: with 8 a thread would need so many registers that too
// few of them were there to wait for memory.

const int RUN = 4;

// Coef holds the scale and shift of a thread's channels.
template <int V> struct Coef {
  float scale[V], shift[V];
  bool norm, relu;
  __device__ __forceinline__ Coef(u64 s, u64 h, int rectify, int c) {
    norm = s != 0;
    relu = rectify != 0;
    if (norm) {
      load<V>((const float *)s + c, scale);
      load<V>((const float *)h + c, shift);
    }
  }
  // activate normalises a loaded value of channel k and rectifies it; NaN stays.
  __device__ __forceinline__ float activate(int k, float x) const {
    if (norm) x = fmaf(x, scale[k], shift[k]);
    return relu && x < 0 ? 0.f : x;
  }
};

// dw_run adds one row of the window to RUN outputs: src is the row's pixel x0 of the
// input, of which those with 0 <= x < W exist; weights are those of the row.
template <class T, int V, int K, int S, int D, bool ACT>
__device__ __forceinline__ void dw_run(const T *src, int x0, int W, int C, const float (&w)[K][V], const Coef<V> &co, float (&acc)[RUN][V]) {
  const int COLS = (RUN - 1) * S + (K - 1) * D + 1;
  Pack<T, V> raw[COLS];
#pragma unroll
  for (int i = 0; i < COLS; i++) {  // all loads first, of some pixel where there is none
    const int x = min(max(x0 + i, 0), W - 1);
    raw[i] = packed<V>(src + (ptrdiff_t)(x - x0) * C);
  }
#pragma unroll
  for (int i = 0; i < COLS; i++) {
    if (x0 + i < 0 || x0 + i >= W) continue;
    float v[V];
    unpack(raw[i], v);
    if (ACT) {
#pragma unroll
      for (int k = 0; k < V; k++) v[k] = co.activate(k, v[k]);
    }
#pragma unroll
    for (int r = 0; r < RUN; r++) {
      if (i < r * S || (i - r * S) % D != 0 || (i - r * S) / D >= K) continue;
#pragma unroll
      for (int k = 0; k < V; k++) acc[r][k] = fmaf(v[k], w[(i - r * S) / D][k], acc[r][k]);
    }
  }
}

template <class T, int V, int K, int S, int D> __device__ __forceinline__ void dw_fwd_fast(const DwArgs &a) {
  const int groups = a.C / V, runs = (a.OW + RUN - 1) / RUN, pad = D * (K - 1) / 2;
  const u32 n = (u32)a.N * a.OH * runs * groups;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    const int c = (int)(i % groups) * V;
    u32 j = i / groups;
    const int ox = (int)(j % runs) * RUN;
    j /= runs;
    const int oy = (int)(j % a.OH), im = (int)(j / a.OH);
    const Coef<V> co(a.Scale, a.Shift, a.ReLU, c);
    float acc[RUN][V];
#pragma unroll
    for (int r = 0; r < RUN; r++)
#pragma unroll
      for (int k = 0; k < V; k++) acc[r][k] = 0;
    const int x0 = ox * S - pad;
#pragma unroll 1
    for (int ky = 0; ky < K; ky++) {
      const int y = oy * S + ky * D - pad;
      if (y < 0 || y >= a.H) continue;
      float w[K][V];
#pragma unroll
      for (int kx = 0; kx < K; kx++) load<V>((const float *)a.W + (ky * K + kx) * a.C + c, w[kx]);
      dw_run<T, V, K, S, D, true>((const T *)a.X + ((ptrdiff_t)((size_t)im * a.H + y) * a.Width + x0) * a.C + c, x0, a.Width, a.C, w, co, acc);
    }
    T *out = (T *)a.T + (((size_t)im * a.OH + oy) * a.OW + ox) * a.C + c;
#pragma unroll
    for (int r = 0; r < RUN; r++)
      if (ox + r < a.OW) store<V>(out + (size_t)r * a.C, acc[r]);
  }
}

// dw_fwd_any is V channels of one pixel a thread, for whatever has no faster way. The
// loads of a row of the window come first, of some pixel where there is none.
template <class T, int V, int K> __device__ __forceinline__ void dw_fwd_any(const DwArgs &a) {
  const int groups = a.C / V, pad = a.Dil * (K - 1) / 2;
  const u32 n = (u32)a.N * a.OH * a.OW * groups;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    const int c = (int)(i % groups) * V;
    u32 j = i / groups;
    const int ox = (int)(j % a.OW);
    j /= a.OW;
    const int oy = (int)(j % a.OH), im = (int)(j / a.OH);
    const Coef<V> co(a.Scale, a.Shift, a.ReLU, c);
    float s[V];
#pragma unroll
    for (int k = 0; k < V; k++) s[k] = 0;
#pragma unroll 1
    for (int ky = 0; ky < K; ky++) {
      const int y = oy * a.Stride + ky * a.Dil - pad;
      if (y < 0 || y >= a.H) continue;
      float v[K][V], w[K][V];
#pragma unroll
      for (int kx = 0; kx < K; kx++) {
        const int x = min(max(ox * a.Stride + kx * a.Dil - pad, 0), a.Width - 1);
        load<V>((const T *)a.X + (((size_t)im * a.H + y) * a.Width + x) * a.C + c, v[kx]);
        load<V>((const float *)a.W + (ky * K + kx) * a.C + c, w[kx]);
      }
#pragma unroll
      for (int kx = 0; kx < K; kx++) {
        const int x = ox * a.Stride + kx * a.Dil - pad;
        if (x < 0 || x >= a.Width) continue;
#pragma unroll
        for (int k = 0; k < V; k++) s[k] = fmaf(co.activate(k, v[kx][k]), w[kx][k], s[k]);
      }
    }
    store<V>((T *)a.T + (size_t)i * V, s);
  }
}

// DW_ANY calls F for the sizes of window there are.
#define DW_ANY(F, T, V, ...)           \
  switch (a.K) {                       \
    case 3: F<T, V, 3>(__VA_ARGS__); return; \
    case 5: F<T, V, 5>(__VA_ARGS__); return; \
    case 7: F<T, V, 7>(__VA_ARGS__); return; \
  }

// DW_FAST calls F for the shapes that are met most: stride 1, 3x3 and 5x5, plain and
// dilated; and returns.
#define DW_FAST(F, T, V, ...)                                \
  if (a.Stride == 1) {                                       \
    switch (a.K * 4 + a.Dil) {                               \
      case 3 * 4 + 1: F<T, V, 3, 1, 1>(__VA_ARGS__); return; \
      case 5 * 4 + 1: F<T, V, 5, 1, 1>(__VA_ARGS__); return; \
      case 3 * 4 + 2: F<T, V, 3, 1, 2>(__VA_ARGS__); return; \
      case 5 * 4 + 2: F<T, V, 5, 1, 2>(__VA_ARGS__); return; \
    }                                                        \
  }

// fours says that four channels can be read at once, also of the weights, which lie
// wherever those of the layer before end.
__device__ __forceinline__ bool fours(const DwArgs &a) { return a.C % 4 == 0 && a.W % 16 == 0; }

__device__ __forceinline__ void dw_fwd(const DwArgs &a, float) {
  if (fours(a)) {
    DW_FAST(dw_fwd_fast, float, 4, a)
    DW_ANY(dw_fwd_any, float, 4, a)
  } else {
    DW_ANY(dw_fwd_any, float, 1, a)
  }
}

__device__ __forceinline__ void dw_fwd(const DwArgs &a, bf16) {
  if (fours(a)) {
    DW_FAST(dw_fwd_fast, bf16, 4, a)
    DW_ANY(dw_fwd_any, bf16, 4, a)
  } else {
    DW_ANY(dw_fwd_any, bf16, 1, a)
  }
}

extern "C" __global__ void __launch_bounds__(256, 2) dw_fwd_f32(const DwArgs *tasks, Run run) {
  const DwArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) dw_fwd(a, 0.f);
}
extern "C" __global__ void __launch_bounds__(256, 2) dw_fwd_bf16(const DwArgs *tasks, Run run) {
  const DwArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) dw_fwd(a, bf16());
}

// dw_dx_end masks a gradient, adds what is to be added, and stores it at i.
template <class T, int V> __device__ __forceinline__ void dw_dx_end(const DwArgs &a, const Coef<V> &co, size_t i, float (&d)[V]) {
  if (co.relu) {
    float x[V];
    load<V>((const T *)a.X + i, x);
#pragma unroll
    for (int k = 0; k < V; k++) {
      float v = co.norm ? fmaf(x[k], co.scale[k], co.shift[k]) : x[k];
      if (!(v > 0)) d[k] = 0;
    }
  }
  if (a.Add) {
    float add[V];
    load<V>((const T *)a.Add + i, add);
#pragma unroll
    for (int k = 0; k < V; k++) d[k] += add[k];
  }
  store<V>((T *)a.DX + i, d);
}

// With stride 1 the gradient is the convolution of dt with the window turned round.
template <class T, int V, int K, int S, int D> __device__ __forceinline__ void dw_dx_fast(const DwArgs &a) {
  const int groups = a.C / V, runs = (a.Width + RUN - 1) / RUN, pad = D * (K - 1) / 2;
  const u32 n = (u32)a.N * a.H * runs * groups;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    const int c = (int)(i % groups) * V;
    u32 j = i / groups;
    const int ix = (int)(j % runs) * RUN;
    j /= runs;
    const int iy = (int)(j % a.H), im = (int)(j / a.H);
    const Coef<V> co(a.Scale, a.Shift, a.ReLU, c);
    float acc[RUN][V];
#pragma unroll
    for (int r = 0; r < RUN; r++)
#pragma unroll
      for (int k = 0; k < V; k++) acc[r][k] = 0;
    const int x0 = ix - pad;
#pragma unroll 1
    for (int ky = 0; ky < K; ky++) {
      const int y = iy + ky * D - pad;
      if (y < 0 || y >= a.OH) continue;
      float w[K][V];
#pragma unroll
      for (int kx = 0; kx < K; kx++) load<V>((const float *)a.W + (K * K - 1 - (ky * K + kx)) * a.C + c, w[kx]);
      dw_run<T, V, K, 1, D, false>((const T *)a.DT + ((ptrdiff_t)((size_t)im * a.OH + y) * a.OW + x0) * a.C + c, x0, a.OW, a.C, w, co, acc);
    }
    const size_t at = (((size_t)im * a.H + iy) * a.Width + ix) * a.C + c;
#pragma unroll
    for (int r = 0; r < RUN; r++)
      if (ix + r < a.Width) dw_dx_end<T, V>(a, co, at + (size_t)r * a.C, acc[r]);
  }
}

// dw_dx_any is V channels of one pixel a thread, for any stride: of the taps of an
// undilated window every Stride-th one meets an output.
template <class T, int V, int K> __device__ __forceinline__ void dw_dx_any(const DwArgs &a) {
  const int groups = a.C / V, pad = a.Dil * (K - 1) / 2, half = a.Stride - 1;  // the stride is 1 or 2
  const u32 n = (u32)a.N * a.H * a.Width * groups;
  const int step = a.Dil == 1 ? a.Stride : 1;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    const int c = (int)(i % groups) * V;
    u32 j = i / groups;
    const int ix = (int)(j % a.Width);
    j /= a.Width;
    const int iy = (int)(j % a.H), im = (int)(j / a.H);
    float d[V];
#pragma unroll
    for (int k = 0; k < V; k++) d[k] = 0;
    const int first = a.Dil == 1 ? ((ix + pad) & half) : 0;
#pragma unroll 1
    for (int ky = a.Dil == 1 ? ((iy + pad) & half) : 0; ky < K; ky += step) {
      const int y = iy + pad - ky * a.Dil, oy = y >> half;
      if (y < 0 || (y & half) != 0 || oy >= a.OH) continue;
      float t[K][V], w[K][V];
#pragma unroll
      for (int q = 0; q < K; q++) {  // the loads of a row first
        const int kx = min(first + q * step, K - 1), ox = (ix + pad - kx * a.Dil) >> half;
        if (first + q * step >= K) break;
        load<V>((const T *)a.DT + (((size_t)im * a.OH + oy) * a.OW + min(max(ox, 0), a.OW - 1)) * a.C + c, t[q]);
        load<V>((const float *)a.W + (ky * K + kx) * a.C + c, w[q]);
      }
#pragma unroll
      for (int q = 0; q < K; q++) {
        const int kx = first + q * step, x = ix + pad - kx * a.Dil;
        if (kx >= K) break;
        if (x < 0 || (x & half) != 0 || x >> half >= a.OW) continue;
#pragma unroll
        for (int k = 0; k < V; k++) d[k] = fmaf(t[q][k], w[q][k], d[k]);
      }
    }
    const Coef<V> co(a.Scale, a.Shift, a.ReLU, c);
    dw_dx_end<T, V>(a, co, (((size_t)im * a.H + iy) * a.Width + ix) * a.C + c, d);
  }
}

__device__ __forceinline__ void dw_dx(const DwArgs &a, float) {
  if (fours(a)) {
    DW_FAST(dw_dx_fast, float, 4, a)
    DW_ANY(dw_dx_any, float, 4, a)
  } else {
    DW_ANY(dw_dx_any, float, 1, a)
  }
}

__device__ __forceinline__ void dw_dx(const DwArgs &a, bf16) {
  if (fours(a)) {
    DW_FAST(dw_dx_fast, bf16, 4, a)
    DW_ANY(dw_dx_any, bf16, 4, a)
  } else {
    DW_ANY(dw_dx_any, bf16, 1, a)
  }
}

extern "C" __global__ void __launch_bounds__(256, 2) dw_dx_f32(const DwArgs *tasks, Run run) {
  const DwArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) dw_dx(a, 0.f);
}
extern "C" __global__ void __launch_bounds__(256, 2) dw_dx_bf16(const DwArgs *tasks, Run run) {
  const DwArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) dw_dx(a, bf16());
}

struct DwShared {
  float v[THREADS * 4 * 5];  // V channels of a row of the window for every thread
};

// DwShare is the share of a block of dw_dw: the output rows lo to hi-1 of its split, and of
// the turns that the channels are taken in every step-th one from turn on.
struct DwShare {
  int lo, hi, turn, step;
  float *out;
  __device__ __forceinline__ DwShare(const DwArgs &a) {
    const int rows = a.N * a.OH, split = blockIdx.x % a.Splits;
    lo = (int)((long long)split * rows / a.Splits);
    hi = (int)((long long)(split + 1) * rows / a.Splits);
    turn = blockIdx.x / a.Splits;
    step = a.Blocks / a.Splits;
    out = (float *)a.Partial + (size_t)split * a.K * a.K * a.C;
  }
};

// dw_dw_fast: a thread has V channels of one row of the window, and takes every
// lanes-th output row of its block's share. The lanes are then added up in order.
template <class T, int V, int K, int S, int D> __device__ __forceinline__ void dw_dw_fast(const DwArgs &a, DwShared &sh) {
  const int groups = a.C / V, pad = D * (K - 1) / 2, most = THREADS / K;
  const DwShare share(a);
  const int lo = share.lo, hi = share.hi;
  for (int g0 = share.turn * most; g0 < groups; g0 += share.step * most) {
    const int here = min(most, groups - g0), units = here * K, lanes = THREADS / units;
    const int u = threadIdx.x % units, lane = threadIdx.x / units, c = (g0 + u % here) * V, ky = u / here;
    float acc[K][V];
#pragma unroll
    for (int kx = 0; kx < K; kx++)
#pragma unroll
      for (int k = 0; k < V; k++) acc[kx][k] = 0;
    if (lane < lanes) {
      const Coef<V> co(a.Scale, a.Shift, a.ReLU, c);
      const int runs = (a.OW + RUN - 1) / RUN, end = (hi - lo) * runs;
#pragma unroll 1
      for (int i = lane; i < end; i += lanes) {
        const int row = lo + i / runs, ox = i % runs * RUN, im = row / a.OH, oy = row % a.OH, y = oy * S + ky * D - pad;
        if (y < 0 || y >= a.H) continue;
        const T *src = (const T *)a.X + ((size_t)im * a.H + y) * a.Width * a.C + c;
        const T *dt = (const T *)a.DT + (size_t)row * a.OW * a.C + c;
        const int x0 = ox * S - pad;
        const int COLS = (RUN - 1) * S + (K - 1) * D + 1;
        Pack<T, V> rawd[RUN], raw[COLS];
#pragma unroll
        for (int r = 0; r < RUN; r++) rawd[r] = packed<V>(dt + (size_t)min(ox + r, a.OW - 1) * a.C);
#pragma unroll
        for (int q = 0; q < COLS; q++) raw[q] = packed<V>(src + (ptrdiff_t)min(max(x0 + q, 0), a.Width - 1) * a.C);
        float d[RUN][V];
#pragma unroll
        for (int r = 0; r < RUN; r++) {
          unpack(rawd[r], d[r]);
          if (ox + r >= a.OW) {
#pragma unroll
            for (int k = 0; k < V; k++) d[r][k] = 0;
          }
        }
#pragma unroll
        for (int q = 0; q < COLS; q++) {
          if (x0 + q < 0 || x0 + q >= a.Width) continue;
          float v[V];
          unpack(raw[q], v);
#pragma unroll
          for (int k = 0; k < V; k++) v[k] = co.activate(k, v[k]);
#pragma unroll
          for (int r = 0; r < RUN; r++) {
            if (q < r * S || (q - r * S) % D != 0 || (q - r * S) / D >= K) continue;
#pragma unroll
            for (int k = 0; k < V; k++) acc[(q - r * S) / D][k] = fmaf(v[k], d[r][k], acc[(q - r * S) / D][k]);
          }
        }
      }
    }
    __syncthreads();
    if (lane < lanes) {
#pragma unroll
      for (int kx = 0; kx < K; kx++)
#pragma unroll
        for (int k = 0; k < V; k++) sh.v[((lane * K + kx) * units + u) * V + k] = acc[kx][k];
    }
    __syncthreads();
#pragma unroll 1
    for (int i = threadIdx.x; i < K * units * V; i += THREADS) {
      float s = 0;
      for (int l = 0; l < lanes; l++) s += sh.v[l * K * units * V + i];
      const int uu = i / V % units, kx = i / (V * units);
      share.out[(uu / here * K + kx) * a.C + (g0 + uu % here) * V + i % V] = s;
    }
    __syncthreads();
  }
}

// dw_dw_any: a thread has one channel of one tap.
template <class T> __device__ __forceinline__ void dw_dw_any(const DwArgs &a) {
  const int pad = a.Dil * (a.K - 1) / 2;
  const DwShare share(a);
  for (int i = share.turn * THREADS + threadIdx.x; i < a.K * a.K * a.C; i += share.step * THREADS) {
    const int c = i % a.C, tap = i / a.C, ky = tap / a.K, kx = tap % a.K;
    const Coef<1> co(a.Scale, a.Shift, a.ReLU, c);
    float s = 0;
    for (int row = share.lo; row < share.hi; row++) {
      const int im = row / a.OH, y = row % a.OH * a.Stride + ky * a.Dil - pad;
      if (y < 0 || y >= a.H) continue;
      for (int ox = 0; ox < a.OW; ox++) {
        const int x = ox * a.Stride + kx * a.Dil - pad;
        if (x < 0 || x >= a.Width) continue;
        float v = to_float(((const T *)a.X)[(((size_t)im * a.H + y) * a.Width + x) * a.C + c]);
        s = fmaf(co.activate(0, v), to_float(((const T *)a.DT)[((size_t)row * a.OW + ox) * a.C + c]), s);
      }
    }
    share.out[i] = s;
  }
}

// DW_HALVING calls F for the undilated shapes with stride 2, and returns.
#define DW_HALVING(F, T, V, ...)                     \
  if (a.Stride == 2 && a.Dil == 1) {                 \
    switch (a.K) {                                   \
      case 3: F<T, V, 3, 2, 1>(__VA_ARGS__); return; \
      case 5: F<T, V, 5, 2, 1>(__VA_ARGS__); return; \
    }                                                \
  }

__device__ __forceinline__ void dw_dw(const DwArgs &a, DwShared &s, float) {
  if (fours(a)) {
    DW_FAST(dw_dw_fast, float, 4, a, s)
    DW_HALVING(dw_dw_fast, float, 4, a, s)
  }
  dw_dw_any<float>(a);
}

__device__ __forceinline__ void dw_dw(const DwArgs &a, DwShared &s, bf16) {
  if (fours(a)) {
    DW_FAST(dw_dw_fast, bf16, 4, a, s)
    DW_HALVING(dw_dw_fast, bf16, 4, a, s)
  }
  dw_dw_any<bf16>(a);
}

extern "C" __global__ void __launch_bounds__(256, 3) dw_dw_f32(const DwArgs *tasks, Run run) {
  SHARED DwShared s;
  const DwArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) dw_dw(a, s, 0.f);
}
extern "C" __global__ void __launch_bounds__(256, 3) dw_dw_bf16(const DwArgs *tasks, Run run) {
  SHARED DwShared s;
  const DwArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) dw_dw(a, s, bf16());
}
