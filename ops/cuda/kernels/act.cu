// Activations, and statistics of what another kernel wrote (ActArgs).

struct ActShared {
  ChannelShared sums;
  NormShared end;
};

// act_fwd: a thread has V channels, and every lanes-th pixel of its block's share, so
// that the sums of the normalisation stay in its registers.
template <class T, int V> __device__ __forceinline__ void act_fwd_body(const ActArgs &a, ActShared &s) {
  const int lo = (int)((long long)blockIdx.x * a.P / a.Blocks), hi = (int)((long long)(blockIdx.x + 1) * a.P / a.Blocks);
  for (int g0 = 0; g0 < a.C / V; g0 += THREADS) {
    const Lanes<V> l(a.C, g0);
    const int c = l.group * V;
    float s0[V], s1[V], about[V];
#pragma unroll
    for (int k = 0; k < V; k++) s0[k] = s1[k] = about[k] = 0;
    if (!l.idle()) {
      const Coef<V> co(a.Scale, a.Shift, a.ReLU, c);
      if (a.Norm.Partial) {  // one by one: the statistics lie wherever those of the layer before end
#pragma unroll
        for (int k = 0; k < V; k++) about[k] = ((const float *)a.Norm.RunMean)[c + k];
      }
      for (int p = lo + l.lane; p < hi; p += 4 * l.lanes) {
        Pack<T, V> raw[4];
#pragma unroll
        for (int q = 0; q < 4; q++) raw[q] = packed<V>((const T *)a.X + (size_t)min(p + q * l.lanes, hi - 1) * a.C + c);  // all loads first
#pragma unroll
        for (int q = 0; q < 4; q++) {
          if (p + q * l.lanes >= hi) break;
          float v[V];
          unpack(raw[q], v);
#pragma unroll
          for (int k = 0; k < V; k++) {
            v[k] = co.activate(k, v[k]);
            T rounded;
            from_float(v[k], rounded);
            const float d = to_float(rounded) - about[k];
            s0[k] += d;
            s1[k] = fmaf(d, d, s1[k]);
          }
          if (a.Z) store<V>((T *)a.Z + (size_t)(p + q * l.lanes) * a.C + c, v);
        }
      }
    }
    if (a.Norm.Partial) channel_sums<V>(l, s0, s1, (float *)a.Norm.Partial + (size_t)blockIdx.x * 2 * a.C, a.C, s.sums);
  }
}

template <class T> __device__ __forceinline__ void act_fwd(const ActArgs &a, const Run &run, ActShared &s) {
  if (a.C % 4 == 0)
    act_fwd_body<T, 4>(a, s);
  else
    act_fwd_body<T, 1>(a, s);
  if (a.Norm.Partial) norm_end(a.Norm, a.Blocks, a.Blocks, a.P, a.C, run, s.end);
}

extern "C" __global__ void __launch_bounds__(256, 4) act_fwd_f32(const ActArgs *tasks, Run run) {
  SHARED ActShared s;
  const ActArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) act_fwd<float>(a, run, s);
}
extern "C" __global__ void __launch_bounds__(256, 4) act_fwd_bf16(const ActArgs *tasks, Run run) {
  SHARED ActShared s;
  const ActArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) act_fwd<bf16>(a, run, s);
}

// act_bwd: a thread has V channels of a pixel at a time.
template <class T, int V, bool NORM> __device__ __forceinline__ void act_bwd_body(const ActArgs &a) {
  const int groups = a.C / V;
  const u32 n = (u32)a.P * groups;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    const int c = (int)(i % groups) * V;
    const size_t at = (size_t)i * V;
    const DzOf<V, NORM> dz(a.Dz, c);
    float d[V];
    load<V>((const T *)a.Dz.DY + at, d);
    if (NORM) {
      float z[V];
      load<V>((const T *)a.Dz.Z + at, z);
#pragma unroll
      for (int k = 0; k < V; k++) d[k] = dz.at(k, d[k], z[k]);
    }
    if (a.ReLU) {
      const Coef<V> co(a.Scale, a.Shift, 0, c);
      float x[V];
      load<V>((const T *)a.X + at, x);
#pragma unroll
      for (int k = 0; k < V; k++)
        if (!(co.activate(k, x[k]) > 0)) d[k] = 0;
    }
    if (a.Add) {
      float add[V];
      load<V>((const T *)a.Add + at, add);
#pragma unroll
      for (int k = 0; k < V; k++) d[k] += add[k];
    }
    store<V>((T *)a.DX + at, d);
  }
}

template <class T, bool NORM> __device__ __forceinline__ void act_bwd(const ActArgs &a) {
  if (a.C % 4 == 0)
    act_bwd_body<T, 4, NORM>(a);
  else
    act_bwd_body<T, 1, NORM>(a);
}

#define ACT_BWD(NAME, T, NORM)                                                                \
  extern "C" __global__ void __launch_bounds__(256, 4) NAME(const ActArgs *tasks, Run run) { \
    const ActArgs a = tasks[blockIdx.y];                                                      \
    if ((int)blockIdx.x < a.Blocks) act_bwd<T, NORM>(a);                                      \
  }
ACT_BWD(act_bwd_f32, float, true)
ACT_BWD(act_bwd_bf16, bf16, true)
ACT_BWD(act_nonorm_bwd_f32, float, false)
ACT_BWD(act_nonorm_bwd_bf16, bf16, false)
