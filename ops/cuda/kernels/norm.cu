// Batch normalisation: statistics of a raw output, and the preparation of its gradient.

// NormShared is what norm_end needs of a block's shared memory.
struct NormShared {
  double sum[THREADS], square[THREADS];
  u32 last;
};

// fresh reads what another block wrote during this launch: past the first level cache.
__device__ __forceinline__ float fresh(const float *p) {
#ifdef CUDA_EMU
  return *p;
#else
  float v;
  asm volatile("ld.global.cg.f32 %0, [%1];" : "=f"(v) : "l"(p));
  return v;
#endif
}

// column_sums adds up partial (rows,2,C) in double and calls done(c, sum0, sum1)
// for every column c < C from one thread each. The rows are shared by as many slices
// as there are threads for, each with several loads under way, as a single block has
// to do this while all others are gone. Every thread of the block calls it.
template <class Done>
__device__ __forceinline__ void column_sums(const float *partial, int rows, int C, NormShared &s, Done done) {
  int wide = 8;
  while (wide < C && wide < THREADS) wide *= 2;
  const int tid = threadIdx.x, slices = THREADS / wide, slice = tid / wide;
  for (int c0 = 0; c0 < C; c0 += wide) {
    const int c = c0 + tid % wide;
    double a = 0, b = 0;
    if (c < C) {
      const int hi = (int)((long long)(slice + 1) * rows / slices);
      int r = (int)((long long)slice * rows / slices);
      for (; r < hi; r += 16) {
        float x[16], y[16];
#pragma unroll
        for (int k = 0; k < 16; k++) {  // all loads before the first sum
          const float *p = partial + (size_t)min(r + k, hi - 1) * 2 * C + c;
          x[k] = fresh(p);
          y[k] = fresh(p + C);
        }
#pragma unroll
        for (int k = 0; k < 16; k++) {
          a += r + k < hi ? x[k] : 0.f;
          b += r + k < hi ? y[k] : 0.f;
        }
      }
    }
    s.sum[tid] = a;
    s.square[tid] = b;
    __syncthreads();
    if (slice == 0 && c < C) {
      for (int k = 1; k < slices; k++) {
        a += s.sum[k * wide + tid];
        b += s.square[k * wide + tid];
      }
      done(c, a, b);
    }
    __syncthreads();
  }
}

// norm_coefficients writes Mean, Inv, Scale and Shift of channel c.
__device__ __forceinline__ void norm_coefficients(const Norm &n, int c, double mean, double variance, float gamma, float beta) {
  const double inv = 1 / sqrt(variance + 1e-5);
  ((float *)n.Mean)[c] = (float)mean;
  ((float *)n.Inv)[c] = (float)inv;
  ((float *)n.Scale)[c] = (float)(gamma * inv);
  ((float *)n.Shift)[c] = (float)(beta - mean * gamma * inv);
}

__device__ __forceinline__ float norm_gamma(const Norm &n, int c) { return n.Gamma ? ((const float *)n.Gamma)[c] : 1.f; }
__device__ __forceinline__ float norm_beta(const Norm &n, int c) { return n.Beta ? ((const float *)n.Beta)[c] : 0.f; }

// norm_end ends the statistics of P rows: each of rowBlocks blocks of rows has left
// the sums of z-RunMean and of its squares in Norm.Partial (rowBlocks,2,C). Every
// thread of each of the task's blocks calls it once.
__device__ void norm_end(const Norm &n, int rowBlocks, int blocks, int P, int C, const Run &run, NormShared &s) {
  if (!last_block((u32 *)n.Ticket, blocks, s.last)) return;
  float *rm = (float *)n.RunMean, *rv = (float *)n.RunVar;
  const float momentum = run.Momentum > 0 || !run.Control ? run.Momentum : ((const Control *)run.Control)->Momentum;
  column_sums((const float *)n.Partial, rowBlocks, C, s, [&](int c, double sum, double square) {
    const float about = rm[c], was = rv[c], gamma = norm_gamma(n, c), beta = norm_beta(n, c);
    const double d = sum / P, mean = about + d;
    double variance = square / P - d * d;
    if (variance < 0) variance = 0;  // rounding; a NaN stays
    norm_coefficients(n, c, mean, variance, gamma, beta);
    if (P > 1) variance *= (double)P / (P - 1);
    const float m = about + momentum * ((float)mean - about), v = was + momentum * ((float)variance - was);
    rm[c] = m;
    rv[c] = v;
    if (run.Control && !(is_finite(m) && is_finite(v))) ((Control *)run.Control)->BadState = 1;
  });
}

struct ChannelShared {
  float v[THREADS * 4];
};

// Lanes deals the pixels of a block to threads of V channels each: thread t has
// group t%groups of lane t/groups, and every lanes-th pixel. More groups than
// threads are taken in turns of THREADS.
template <int V> struct Lanes {
  int groups, lanes, group, lane;
  __device__ __forceinline__ Lanes(int C, int g0) {
    groups = min(C / V - g0, THREADS);
    lanes = THREADS / groups;
    group = g0 + threadIdx.x % groups;
    lane = threadIdx.x / groups;
  }
  __device__ __forceinline__ bool idle() const { return lane >= lanes; }
};

// channel_sums adds up two values of each channel over the lanes, in a fixed order,
// and writes them to out[c] and out[C+c]. Where a warp holds whole rounds of the
// groups it adds up its own lanes first, by shuffles.
template <int V>
__device__ __forceinline__ void channel_sums(const Lanes<V> &l, float (&s0)[V], float (&s1)[V], float *out, int C, ChannelShared &s) {
  const int n = l.groups * V, c0 = (l.group - threadIdx.x % l.groups) * V;
  const bool whole = l.groups <= 32 && (l.groups & (l.groups - 1)) == 0;
  if (whole) {
    for (int m = l.groups; m < 32; m *= 2) {
#pragma unroll
      for (int k = 0; k < V; k++) {
        s0[k] += __shfl_xor_sync(0xffffffffu, s0[k], m);
        s1[k] += __shfl_xor_sync(0xffffffffu, s1[k], m);
      }
    }
  }
  const int rows = whole ? THREADS / 32 : l.lanes, row = whole ? threadIdx.x / 32 : l.lane;
  const bool writes = whole ? threadIdx.x % 32 < l.groups : !l.idle();
  const int at = whole ? row * n + threadIdx.x % 32 * V : threadIdx.x * V;
#pragma unroll
  for (int which = 0; which < 2; which++) {
    __syncthreads();
    if (writes) {
#pragma unroll
      for (int k = 0; k < V; k++) s.v[at + k] = which ? s1[k] : s0[k];
    }
    __syncthreads();
    for (int i = threadIdx.x; i < n; i += THREADS) {
      float sum = 0;
      for (int j = 0; j < rows; j++) sum += s.v[j * n + i];
      out[which * C + c0 + i] = sum;
    }
  }
}

struct NormGradShared {
  ChannelShared sums;
  NormShared end;
};

template <class T, int V> __device__ __forceinline__ void norm_bwd_sums(const NormGradArgs &a, NormGradShared &s) {
  const int lo = (int)((long long)blockIdx.x * a.P / a.Blocks), hi = (int)((long long)(blockIdx.x + 1) * a.P / a.Blocks);
  float *out = (float *)a.Partial + (size_t)blockIdx.x * 2 * a.C;
  for (int g0 = 0; g0 < a.C / V; g0 += THREADS) {
    const Lanes<V> l(a.C, g0);
    const int c = l.group * V;
    float s0[V], s1[V], mean[V], inv[V];
#pragma unroll
    for (int k = 0; k < V; k++) s0[k] = s1[k] = 0;
    if (!l.idle()) {
      load<V>((const float *)a.Mean + c, mean);
      load<V>((const float *)a.Inv + c, inv);
      const T *dy = (const T *)a.DY + c, *z = (const T *)a.Z + c;
      for (int p = lo + l.lane; p < hi; p += 4 * l.lanes) {
        float d[4][V], x[4][V];
#pragma unroll
        for (int q = 0; q < 4; q++) {  // all loads before the first sum
          const size_t at = (size_t)min(p + q * l.lanes, hi - 1) * a.C;
          load<V>(dy + at, d[q]);
          load<V>(z + at, x[q]);
        }
#pragma unroll
        for (int q = 0; q < 4; q++) {
          if (p + q * l.lanes >= hi) break;
#pragma unroll
          for (int k = 0; k < V; k++) {
            s0[k] += d[q][k];
            s1[k] = fmaf(d[q][k], (x[q][k] - mean[k]) * inv[k], s1[k]);
          }
        }
      }
    }
    channel_sums<V>(l, s0, s1, out, a.C, s.sums);
  }
}

template <class T> __device__ __forceinline__ void norm_bwd(const NormGradArgs &a, NormGradShared &s) {
  if (a.C % 4 == 0)
    norm_bwd_sums<T, 4>(a, s);
  else
    norm_bwd_sums<T, 1>(a, s);
  if (!last_block((u32 *)a.Ticket, a.Blocks, s.end.last)) return;
  column_sums((const float *)a.Partial, a.Blocks, a.C, s.end, [&](int c, double s1, double s2) {
    const double scale = ((const float *)a.Scale)[c], inv = ((const float *)a.Inv)[c];
    if (a.DBeta) ((float *)a.DBeta)[c] = (float)s1;
    if (a.DGamma) ((float *)a.DGamma)[c] = (float)s2;
    ((float *)a.A)[c] = (float)scale;
    ((float *)a.B)[c] = (float)(-scale * inv * s2 / a.P);
    ((float *)a.D)[c] = (float)(-scale * s1 / a.P);
  });
}

extern "C" __global__ void __launch_bounds__(256, 4) norm_bwd_f32(const NormGradArgs *tasks, Run run) {
  SHARED NormGradShared s;
  const NormGradArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) norm_bwd<float>(a, s);
}
extern "C" __global__ void __launch_bounds__(256, 4) norm_bwd_bf16(const NormGradArgs *tasks, Run run) {
  SHARED NormGradShared s;
  const NormGradArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) norm_bwd<bf16>(a, s);
}

extern "C" __global__ void __launch_bounds__(256) norm_eval(const NormEvalArgs *tasks, Run run) {
  const NormEvalArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  for (int c = blockIdx.x * THREADS + threadIdx.x; c < a.C; c += a.Blocks * THREADS)
    norm_coefficients(a.Norm, c, ((const float *)a.Norm.RunMean)[c], ((const float *)a.Norm.RunVar)[c], norm_gamma(a.Norm, c), norm_beta(a.Norm, c));
}

// dz_of is the gradient of a raw output, see Dz in args.go.
template <int V> struct DzCoef {
  float a[V], b[V], d[V], mean[V];
  __device__ __forceinline__ DzCoef(const Dz &z, int c) {
    load<V>((const float *)z.A + c, a);
    load<V>((const float *)z.B + c, b);
    load<V>((const float *)z.D + c, d);
    load<V>((const float *)z.Mean + c, mean);
  }
  __device__ __forceinline__ float at(int k, float dy, float z) const { return fmaf(a[k], dy, fmaf(b[k], z - mean[k], d[k])); }
};

// DzOf is that of an output with or without a normalisation behind it.
template <int V, bool NORM> struct DzOf : DzCoef<V> {
  __device__ __forceinline__ DzOf(const Dz &z, int c) : DzCoef<V>(z, c) {}
};
template <int V> struct DzOf<V, false> {
  __device__ __forceinline__ DzOf(const Dz &, int) {}
  __device__ __forceinline__ float at(int, float dy, float) const { return dy; }
};

// part_value is x*scale+shift of a part's value at i of channel c.
template <class T> __device__ __forceinline__ float part_value(const Part &p, size_t i, int c) {
  float v = to_float(((const T *)p.X)[i]);
  return p.Scale ? fmaf(v, ((const float *)p.Scale)[c], ((const float *)p.Shift)[c]) : v;
}
