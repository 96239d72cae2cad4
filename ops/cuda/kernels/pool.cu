// Poolings.

struct PoolShared {
  ChannelShared sums;
  NormShared end;
};

// pool_fwd: a thread has V channels, and every lanes-th pixel of its block's share,
// so that the sums of the normalisation stay in its registers.
template <class T, int V> __device__ __forceinline__ void pool_fwd_body(const PoolArgs &a, PoolShared &s) {
  const int P = a.N * a.OH * a.OW;
  const int lo = (int)((long long)blockIdx.x * P / a.Blocks), hi = (int)((long long)(blockIdx.x + 1) * P / a.Blocks);
  for (int g0 = 0; g0 < a.C / V; g0 += THREADS) {
    const Lanes<V> l(a.C, g0);
    const int c = l.group * V;
    float s0[V], s1[V], about[V];
#pragma unroll
    for (int k = 0; k < V; k++) s0[k] = s1[k] = about[k] = 0;
    if (!l.idle()) {
      const float *scale = (const float *)a.Scale, *shift = (const float *)a.Shift;
      float sc[V], sh[V];
      if (scale) {
        load<V>(scale + c, sc);
        load<V>(shift + c, sh);
      }
      if (a.Norm.Partial) {  // one by one: the statistics lie wherever those of the layer before end
#pragma unroll
        for (int k = 0; k < V; k++) about[k] = ((const float *)a.Norm.RunMean)[c + k];
      }
      for (int p = lo + l.lane; p < hi; p += l.lanes) {
        const int ox = p % a.OW, oy = p / a.OW % a.OH, im = p / (a.OW * a.OH);
        Pack<T, V> raw[9];
        float best[V];
        u8 tap[V];
        bool in[9];
#pragma unroll
        for (int t = 0; t < 9; t++) {  // all loads first, of some pixel where there is none
          const int y = oy * a.Stride + t / 3 - 1, x = ox * a.Stride + t % 3 - 1;
          in[t] = y >= 0 && y < a.H && x >= 0 && x < a.Width;
          const int yy = min(max(y, 0), a.H - 1), xx = min(max(x, 0), a.Width - 1);
          raw[t] = packed<V>((const T *)a.X + (((size_t)im * a.H + yy) * a.Width + xx) * a.C + c);
        }
        int inside = 0;
#pragma unroll
        for (int k = 0; k < V; k++) {
          best[k] = 0;
          tap[k] = 0;
        }
#pragma unroll
        for (int t = 0; t < 9; t++) {
          if (!in[t]) continue;
          float v[V];
          unpack(raw[t], v);
#pragma unroll
          for (int k = 0; k < V; k++) {
            const float u = scale ? fmaf(v[k], sc[k], sh[k]) : v[k];
            if (!a.Max) {
              best[k] += u;
            } else if (inside == 0 || u > best[k] || (u != u && best[k] == best[k])) {
              best[k] = u;
              tap[k] = (u8)t;
            }
          }
          inside++;
        }
        if (!a.Max) {
          const float by = 1.f / inside;
#pragma unroll
          for (int k = 0; k < V; k++) best[k] *= by;
        }
        const size_t at = (size_t)p * a.C + c;
        T rounded[V];
#pragma unroll
        for (int k = 0; k < V; k++) {
          from_float(best[k], rounded[k]);
          const float d = to_float(rounded[k]) - about[k];
          s0[k] += d;
          s1[k] = fmaf(d, d, s1[k]);
        }
        store<V>((T *)a.Z + at, best);
        if (a.Max) {
          Pack<u8, V> q;
#pragma unroll
          for (int k = 0; k < V; k++) q.v[k] = tap[k];
          *(Pack<u8, V> *)((u8 *)a.Tap + at) = q;
        }
      }
    }
    if (a.Norm.Partial) channel_sums<V>(l, s0, s1, (float *)a.Norm.Partial + (size_t)blockIdx.x * 2 * a.C, a.C, s.sums);
  }
}

template <class T> __device__ __forceinline__ void pool_fwd(const PoolArgs &a, const Run &run, PoolShared &s) {
  if (a.C % 4 == 0)
    pool_fwd_body<T, 4>(a, s);
  else
    pool_fwd_body<T, 1>(a, s);
  if (a.Norm.Partial) norm_end(a.Norm, a.Blocks, a.Blocks, a.N * a.OH * a.OW, a.C, run, s.end);
}

extern "C" __global__ void __launch_bounds__(256, 4) pool_fwd_f32(const PoolArgs *tasks, Run run) {
  SHARED PoolShared s;
  const PoolArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) pool_fwd<float>(a, run, s);
}
extern "C" __global__ void __launch_bounds__(256, 4) pool_fwd_bf16(const PoolArgs *tasks, Run run) {
  SHARED PoolShared s;
  const PoolArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) pool_fwd<bf16>(a, run, s);
}

// pool_bwd gathers: a thread has V channels of an input pixel and adds up the
// windows that reach it.
template <class T, int V, bool NORM> __device__ __forceinline__ void pool_bwd_body(const PoolArgs &a) {
  const int groups = a.C / V, half = a.Stride - 1;  // the stride is 1 or 2
  const u32 n = (u32)a.N * a.H * a.Width * groups;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    const int c = (int)(i % groups) * V;
    u32 j = i / groups;
    const int ix = (int)(j % a.Width);
    j /= a.Width;
    const int iy = (int)(j % a.H), im = (int)(j / a.H);
    const DzOf<V, NORM> co(a.Dz, c);
    float d[V];
#pragma unroll
    for (int k = 0; k < V; k++) d[k] = 0;
#pragma unroll
    for (int ty = 0; ty < 3; ty++) {
      Pack<T, V> rawdy[3], rawz[3];
      Pack<u8, V> tap[3];
      bool in[3];
      const int y = iy + 1 - ty, oy = y >> half, yy = min(max(oy, 0), a.OH - 1);
#pragma unroll
      for (int tx = 0; tx < 3; tx++) {  // the loads of a row first
        const int x = ix + 1 - tx, ox = x >> half, xx = min(max(ox, 0), a.OW - 1);
        in[tx] = y >= 0 && x >= 0 && (y & half) == 0 && (x & half) == 0 && oy < a.OH && ox < a.OW;
        const size_t at = (((size_t)im * a.OH + yy) * a.OW + xx) * a.C + c;
        rawdy[tx] = packed<V>((const T *)a.Dz.DY + at);
        rawz[tx] = NORM ? packed<V>((const T *)a.Dz.Z + at) : rawdy[tx];  // without NORM not used
        if (a.Max) tap[tx] = *(const Pack<u8, V> *)((const u8 *)a.Tap + at);
      }
#pragma unroll
      for (int tx = 0; tx < 3; tx++) {
        if (!in[tx]) continue;
        float dy[V], z[V], by = 1;
        unpack(rawdy[tx], dy);
        unpack(rawz[tx], z);
        if (!a.Max) {
          const int ox = (ix + 1 - tx) >> half;
          const int y0 = max(oy * a.Stride - 1, 0), y1 = min(oy * a.Stride + 1, a.H - 1);
          const int x0 = max(ox * a.Stride - 1, 0), x1 = min(ox * a.Stride + 1, a.Width - 1);
          by = 1.f / ((y1 - y0 + 1) * (x1 - x0 + 1));
        }
#pragma unroll
        for (int k = 0; k < V; k++)
          if (!a.Max || tap[tx].v[k] == ty * 3 + tx) d[k] = fmaf(by, co.at(k, dy[k], z[k]), d[k]);
      }
    }
    const size_t at = (size_t)i * V;
    if (a.Add) {
      float add[V];
      load<V>((const T *)a.Add + at, add);
#pragma unroll
      for (int k = 0; k < V; k++) d[k] += add[k];
    }
    store<V>((T *)a.DX + at, d);
  }
}

template <class T, bool NORM> __device__ __forceinline__ void pool_bwd(const PoolArgs &a) {
  if (a.C % 4 == 0)
    pool_bwd_body<T, 4, NORM>(a);
  else
    pool_bwd_body<T, 1, NORM>(a);
}

extern "C" __global__ void __launch_bounds__(256, 4) pool_bwd_f32(const PoolArgs *tasks, Run run) {
  const PoolArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) pool_bwd<float, true>(a);
}
extern "C" __global__ void __launch_bounds__(256, 4) pool_bwd_bf16(const PoolArgs *tasks, Run run) {
  const PoolArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) pool_bwd<bf16, true>(a);
}
extern "C" __global__ void __launch_bounds__(256, 4) pool_nonorm_bwd_f32(const PoolArgs *tasks, Run run) {
  const PoolArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) pool_bwd<float, false>(a);
}
extern "C" __global__ void __launch_bounds__(256, 4) pool_nonorm_bwd_bf16(const PoolArgs *tasks, Run run) {
  const PoolArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) pool_bwd<bf16, false>(a);
}

// avg_pool_fwd: a thread has V channels of an output pixel.
template <class T, int V> __device__ __forceinline__ void avg_pool_fwd_body(const AvgPoolArgs &a) {
  const Part *parts = (const Part *)a.Parts;
  const int groups = a.C / V, wide = a.NParts * groups;
  const u32 n = (u32)a.N * a.OH * a.OW * wide;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    const int q = (int)(i % wide), c = q % groups * V;
    u32 j = i / wide;
    const int ox = (int)(j % a.OW), oy = (int)(j / a.OW % a.OH), im = (int)(j / ((u32)a.OW * a.OH));
    const Part p = parts[q / groups];
    const Coef<V> co(p.Scale, p.Shift, a.ReLU, c);
    float s[V];
#pragma unroll
    for (int k = 0; k < V; k++) s[k] = 0;
    for (int ty = 0; ty < a.K; ty++) {
      const T *src = (const T *)p.X + (((size_t)im * a.H + oy * a.Stride + ty) * a.Width + ox * a.Stride) * a.C + c;
#pragma unroll 4
      for (int tx = 0; tx < a.K; tx++) {
        float v[V];
        load<V>(src + (size_t)tx * a.C, v);
#pragma unroll
        for (int k = 0; k < V; k++) s[k] += co.activate(k, v[k]);
      }
    }
#pragma unroll
    for (int k = 0; k < V; k++) s[k] /= a.K * a.K;
    store<V>((T *)a.Y + (size_t)i * V, s);
  }
}

template <class T> __device__ __forceinline__ void avg_pool_fwd(const AvgPoolArgs &a) {
  if (a.C % 4 == 0)
    avg_pool_fwd_body<T, 4>(a);
  else
    avg_pool_fwd_body<T, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256) avg_pool_fwd_f32(const AvgPoolArgs *tasks, Run run) {
  const AvgPoolArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) avg_pool_fwd<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) avg_pool_fwd_bf16(const AvgPoolArgs *tasks, Run run) {
  const AvgPoolArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) avg_pool_fwd<bf16>(a);
}

// avg_pool_bwd: a thread has V channels of an input pixel and adds up the windows that
// reach it, from the last.
template <class T, int V> __device__ __forceinline__ void avg_pool_bwd_body(const AvgPoolArgs &a) {
  const Part *parts = (const Part *)a.Parts;
  const int groups = a.C / V, wide = a.NParts * groups;
  const u32 n = (u32)a.N * a.H * a.Width * wide;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    const int q = (int)(i % wide), c = q % groups * V;
    const Part p = parts[q / groups];
    if (!p.DX) continue;
    const u32 j = i / wide;
    const int ix = (int)(j % a.Width), iy = (int)(j / a.Width % a.H), im = (int)(j / ((u32)a.Width * a.H));
    float s[V];
#pragma unroll
    for (int k = 0; k < V; k++) s[k] = 0;
    for (int oy = min(iy / a.Stride, a.OH - 1); oy >= 0 && oy * a.Stride + a.K > iy; oy--)
      for (int ox = min(ix / a.Stride, a.OW - 1); ox >= 0 && ox * a.Stride + a.K > ix; ox--) {
        float d[V];
        load<V>((const T *)a.DY + ((((size_t)im * a.OH + oy) * a.OW + ox) * wide + q) * V, d);
#pragma unroll
        for (int k = 0; k < V; k++) s[k] += d[k];
      }
#pragma unroll
    for (int k = 0; k < V; k++) s[k] /= a.K * a.K;
    const size_t at = (size_t)j * a.C + c;
    if (a.ReLU) {
      const Coef<V> co(p.Scale, p.Shift, 0, c);
      float x[V];
      load<V>((const T *)p.X + at, x);
#pragma unroll
      for (int k = 0; k < V; k++)
        if (!(co.activate(k, x[k]) > 0)) s[k] = 0;
    }
    if (p.Add) {
      float add[V];
      load<V>((const T *)p.Add + at, add);
#pragma unroll
      for (int k = 0; k < V; k++) s[k] += add[k];
    }
    store<V>((T *)p.DX + at, s);
  }
}

template <class T> __device__ __forceinline__ void avg_pool_bwd(const AvgPoolArgs &a) {
  if (a.C % 4 == 0)
    avg_pool_bwd_body<T, 4>(a);
  else
    avg_pool_bwd_body<T, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256) avg_pool_bwd_f32(const AvgPoolArgs *tasks, Run run) {
  const AvgPoolArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) avg_pool_bwd<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) avg_pool_bwd_bf16(const AvgPoolArgs *tasks, Run run) {
  const AvgPoolArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) avg_pool_bwd<bf16>(a);
}

// mean_fwd: a thread has one channel of one image.
template <class T> __device__ __forceinline__ void mean_fwd(const MeanArgs &a) {
  const Part *parts = (const Part *)a.Parts;
  const int wide = a.NParts * a.C;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < a.N * wide; i += a.Blocks * THREADS) {
    const int q = i % wide, im = i / wide, c = q % a.C;
    const Part p = parts[q / a.C];
    const T *x = (const T *)p.X + (size_t)im * a.HW * a.C + c;
    float s = 0;
#pragma unroll 8
    for (int k = 0; k < a.HW; k++) s += to_float(x[(size_t)k * a.C]);
    s /= a.HW;
    if (p.Scale) s = fmaf(s, ((const float *)p.Scale)[c], ((const float *)p.Shift)[c]);
    from_float(s, ((T *)a.Y)[i]);
  }
}

extern "C" __global__ void __launch_bounds__(256) mean_fwd_f32(const MeanArgs *tasks, Run run) {
  const MeanArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) mean_fwd<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) mean_fwd_bf16(const MeanArgs *tasks, Run run) {
  const MeanArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) mean_fwd<bf16>(a);
}

template <class T> __device__ __forceinline__ void mean_bwd(const MeanArgs &a) {
  const Part *parts = (const Part *)a.Parts;
  const int wide = a.NParts * a.C;
  const u32 n = (u32)a.N * a.HW * wide;
  const float by = 1.f / a.HW;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    const int q = (int)(i % wide), c = q % a.C;
    const Part p = parts[q / a.C];
    if (!p.DX) continue;
    const u32 j = i / wide, at = j * a.C + c;
    float s = to_float(((const T *)a.DY)[j / a.HW * wide + q]) * by;
    if (p.Add) s += to_float(((const T *)p.Add)[at]);
    from_float(s, ((T *)p.DX)[at]);
  }
}

extern "C" __global__ void __launch_bounds__(256) mean_bwd_f32(const MeanArgs *tasks, Run run) {
  const MeanArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) mean_bwd<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) mean_bwd_bf16(const MeanArgs *tasks, Run run) {
  const MeanArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) mean_bwd<bf16>(a);
}
