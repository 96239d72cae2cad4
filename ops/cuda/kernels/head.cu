// The sums of nodes, the classifier and the loss.

// affine applies the coefficients of a normalisation, where there are any.
__device__ __forceinline__ float affine(float x, const float *scale, const float *shift, int c) {
  return scale ? fmaf(x, scale[c], shift[c]) : x;
}

template <class T, int V> __device__ __forceinline__ void node_body(const NodeArgs &a) {
  const int groups = a.C / V;
  const float *sa = (const float *)a.ScaleA, *ha = (const float *)a.ShiftA, *sb = (const float *)a.ScaleB, *hb = (const float *)a.ShiftB;
  const u32 image = a.HW * groups, n = image * a.N;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    float x[V], y[V];
    load<V>((const T *)a.A + (size_t)i * V, x);
    load<V>((const T *)a.B + (size_t)i * V, y);
    int c = (int)(i % groups) * V, image_at = (int)(i / image);
    float ma = a.MaskA ? ((const float *)a.MaskA)[image_at] : 1.f, mb = a.MaskB ? ((const float *)a.MaskB)[image_at] : 1.f;
#pragma unroll
    for (int k = 0; k < V; k++) x[k] = ma * affine(x[k], sa, ha, c + k) + mb * affine(y[k], sb, hb, c + k);
    store<V>((T *)a.Y + (size_t)i * V, x);
  }
}

template <class T> __device__ __forceinline__ void node_any(const NodeArgs &a) {
  if (a.C % 8 == 0)
    node_body<T, 8>(a);
  else if (a.C % 4 == 0)
    node_body<T, 4>(a);
  else
    node_body<T, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256) node_fwd_f32(const NodeArgs *tasks, Run run) {
  const NodeArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) node_any<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) node_fwd_bf16(const NodeArgs *tasks, Run run) {
  const NodeArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) node_any<bf16>(a);
}

template <class T, int V> __device__ __forceinline__ void nodes_body(const NodesArgs &a) {
  const Part *parts = (const Part *)a.Parts;
  const int groups = a.C / V;
  const u32 image = a.HW * groups, n = image * a.N;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    const int c = (int)(i % groups) * V, image_at = (int)(i / image);
    float s[V];
#pragma unroll
    for (int k = 0; k < V; k++) s[k] = 0;
#pragma unroll 2
    for (int t = 0; t < a.NParts; t++) {
      const Part &p = parts[t];
      const float m = a.Masks[t] ? ((const float *)a.Masks[t])[image_at] : 1.f;
      float x[V];
      load<V>((const T *)p.X + (size_t)i * V, x);
#pragma unroll
      for (int k = 0; k < V; k++) s[k] = fmaf(m, affine(x[k], (const float *)p.Scale, (const float *)p.Shift, c + k), s[k]);
    }
    store<V>((T *)a.Y + (size_t)i * V, s);
  }
}

template <class T> __device__ __forceinline__ void nodes_any(const NodesArgs &a) {
  if (a.C % 8 == 0)
    nodes_body<T, 8>(a);
  else if (a.C % 4 == 0)
    nodes_body<T, 4>(a);
  else
    nodes_body<T, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256) nodes_fwd_f32(const NodesArgs *tasks, Run run) {
  SHARED NodesArgs a;
  fetch(tasks[blockIdx.y], a);
  if ((int)blockIdx.x < a.Blocks) nodes_any<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) nodes_fwd_bf16(const NodesArgs *tasks, Run run) {
  SHARED NodesArgs a;
  fetch(tasks[blockIdx.y], a);
  if ((int)blockIdx.x < a.Blocks) nodes_any<bf16>(a);
}

template <class T, int V> __device__ __forceinline__ void mask_body(const NodeArgs &a) {
  const u32 image = a.HW * a.C / V, n = image * a.N;
  for (u32 i = blockIdx.x * THREADS + threadIdx.x; i < n; i += a.Blocks * THREADS) {
    float x[V];
    load<V>((const T *)a.A + (size_t)i * V, x);
    float m = a.MaskA ? ((const float *)a.MaskA)[i / image] : 1.f;
#pragma unroll
    for (int k = 0; k < V; k++) x[k] *= m;
    store<V>((T *)a.Y + (size_t)i * V, x);
  }
}

template <class T> __device__ __forceinline__ void mask_any(const NodeArgs &a) {
  if (a.C % 8 == 0)
    mask_body<T, 8>(a);
  else
    mask_body<T, 1>(a);
}

extern "C" __global__ void __launch_bounds__(256) mask_images_f32(const NodeArgs *tasks, Run run) {
  const NodeArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) mask_any<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) mask_images_bf16(const NodeArgs *tasks, Run run) {
  const NodeArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) mask_any<bf16>(a);
}

// linear_in is the value i of image n that a linear layer reads.
template <class T> __device__ __forceinline__ float linear_in(const LinearArgs &a, int n, int i) {
  float x = affine(to_float(((const T *)a.X)[(size_t)n * a.In + i]), (const float *)a.Scale, (const float *)a.Shift, i);
  return a.ReLU && !(x > 0) ? 0.f : x;
}

// A warp computes one output.
template <class T> __device__ __forceinline__ void linear_fwd_body(const LinearArgs &a) {
  const float *w = (const float *)a.W;
  int lane = threadIdx.x & 31;
  for (int j = blockIdx.x * 8 + (threadIdx.x >> 5); j < a.N * a.Out; j += a.Blocks * 8) {
    int n = j / a.Out, o = j % a.Out;
    float s = 0;
    for (int i = lane; i < a.In; i += 32) s = fmaf(linear_in<T>(a, n, i), w[(size_t)i * a.Out + o], s);
#pragma unroll
    for (int d = 16; d > 0; d >>= 1) s += __shfl_xor_sync(0xffffffffu, s, d);
    if (lane == 0) ((float *)a.Y)[j] = s + ((const float *)a.Bias)[o];
  }
}

extern "C" __global__ void __launch_bounds__(256) linear_fwd_f32(const LinearArgs *tasks, Run run) {
  const LinearArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) linear_fwd_body<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) linear_fwd_bf16(const LinearArgs *tasks, Run run) {
  const LinearArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) linear_fwd_body<bf16>(a);
}

template <class T> __device__ __forceinline__ void linear_dx_body(const LinearArgs &a) {
  const float *w = (const float *)a.W, *dy = (const float *)a.DY;
  for (int j = blockIdx.x * THREADS + threadIdx.x; j < a.N * a.In; j += a.Blocks * THREADS) {
    int n = j / a.In, i = j % a.In;
    float s = 0;
    for (int o = 0; o < a.Out; o++) s = fmaf(dy[(size_t)n * a.Out + o], w[(size_t)i * a.Out + o], s);
    if (a.ReLU && !(affine(to_float(((const T *)a.X)[j]), (const float *)a.Scale, (const float *)a.Shift, i) > 0)) s = 0;
    from_float(s, ((T *)a.DX)[j]);
  }
}

extern "C" __global__ void __launch_bounds__(256) linear_dx_f32(const LinearArgs *tasks, Run run) {
  const LinearArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) linear_dx_body<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) linear_dx_bf16(const LinearArgs *tasks, Run run) {
  const LinearArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) linear_dx_body<bf16>(a);
}

// Row In of the matrix of gradients is that of the bias.
template <class T> __device__ __forceinline__ void linear_dw_body(const LinearArgs &a) {
  const float *dy = (const float *)a.DY;
  for (int j = blockIdx.x * THREADS + threadIdx.x; j < (a.In + 1) * a.Out; j += a.Blocks * THREADS) {
    int i = j / a.Out, o = j % a.Out;
    float s = 0;
    if (i == a.In) {
      for (int n = 0; n < a.N; n++) s += dy[(size_t)n * a.Out + o];
      ((float *)a.DBias)[o] = s;
      continue;
    }
#pragma unroll 4
    for (int n = 0; n < a.N; n++) s = fmaf(linear_in<T>(a, n, i), dy[(size_t)n * a.Out + o], s);
    ((float *)a.DW)[j] = s;
  }
}

extern "C" __global__ void __launch_bounds__(256) linear_dw_f32(const LinearArgs *tasks, Run run) {
  const LinearArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) linear_dw_body<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) linear_dw_bf16(const LinearArgs *tasks, Run run) {
  const LinearArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) linear_dw_body<bf16>(a);
}

// A warp takes an image at a time.
extern "C" __global__ void __launch_bounds__(256) xent_fwd(const XentArgs *tasks, Run run) {
  SHARED DoubleShared s;
  const XentArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  int lane = threadIdx.x & 31;
  const float *labels = (const float *)a.Labels;
  double total = 0;
  for (int n = threadIdx.x >> 5; n < a.N; n += THREADS / 32) {
    const float *x = (const float *)a.Logits + (size_t)n * a.K;
    float top = bits_float(0xff800000u);
    for (int k = lane; k < a.K; k += 32) top = fmaxf(top, x[k]);
    for (int d = 16; d > 0; d >>= 1) top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, d));
    double exps = 0, sum = 0;
    for (int k = lane; k < a.K; k += 32) {
      exps += expf(x[k] - top);
      sum += x[k] - top;
    }
    for (int d = 16; d > 0; d >>= 1) {
      exps += __shfl_xor_sync(0xffffffffu, exps, d);
      sum += __shfl_xor_sync(0xffffffffu, sum, d);
    }
    float lf = labels[n];
    bool known = lf >= 0 && lf < a.K && lf == (float)(int)lf;
    int label = known ? (int)lf : 0;
    double off = a.Smoothing / a.K, on = 1.0 - a.Smoothing, lse = log(exps);
    // -sum of q*(x-top-lse) with q = off everywhere and on more at the label
    double loss = lse - on * (x[label] - top) - off * sum;
    if (!known) loss = bits_float(0x7fc00000u);
    if (lane == 0) total += loss;
    if (a.DLogits) {
      float *d = (float *)a.DLogits + (size_t)n * a.K;
      for (int k = lane; k < a.K; k += 32) d[k] = (float)((exp(x[k] - top - lse) - off - (k == label ? on : 0)) / a.N);
    }
  }
  total = block_sum(total, s);
  if (threadIdx.x == 0) *(float *)a.Loss = (float)(total / a.N);
}

extern "C" __global__ void __launch_bounds__(256) xent_bwd(const XentArgs *tasks, Run run) {
  const XentArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  float d = *(const float *)a.DLoss;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < a.N * a.K; i += a.Blocks * THREADS) ((float *)a.DX)[i] = d * ((const float *)a.DLogits)[i];
}

// As xent_fwd, a warp takes an image at a time. Its gradient is
// weight*temperature/N * (sum of targets * softmax - target).
extern "C" __global__ void __launch_bounds__(256) soft_xent_fwd(const SoftXentArgs *tasks, Run run) {
  SHARED DoubleShared s;
  const SoftXentArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  int lane = threadIdx.x & 31;
  double inverse = 1.0 / a.Temperature, scale = (double)a.Weight * a.Temperature, total = 0;
  for (int n = threadIdx.x >> 5; n < a.N; n += THREADS / 32) {
    const float *x = (const float *)a.Logits + (size_t)n * a.K, *q = (const float *)a.Targets + (size_t)n * a.K;
    float top = bits_float(0xff800000u);
    for (int k = lane; k < a.K; k += 32) top = fmaxf(top, x[k]);
    for (int d = 16; d > 0; d >>= 1) top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, d));
    double exps = 0, sum = 0, mass = 0;
    for (int k = lane; k < a.K; k += 32) {
      double z = (x[k] - top) * inverse;
      exps += exp(z);
      mass += q[k];
      if (q[k] != 0) sum += q[k] * z; // not 0*inf
    }
    for (int d = 16; d > 0; d >>= 1) {
      exps += __shfl_xor_sync(0xffffffffu, exps, d);
      sum += __shfl_xor_sync(0xffffffffu, sum, d);
      mass += __shfl_xor_sync(0xffffffffu, mass, d);
    }
    double lse = log(exps);
    if (lane == 0) total += mass * lse - sum;
    if (a.DLogits) {
      float *d = (float *)a.DLogits + (size_t)n * a.K;
      for (int k = lane; k < a.K; k += 32) d[k] = (float)((mass * exp((x[k] - top) * inverse - lse) - q[k]) * scale / a.N);
    }
  }
  total = block_sum(total, s);
  if (threadIdx.x == 0) *(float *)a.Loss = (float)(scale * a.Temperature * (total / a.N));
}

extern "C" __global__ void __launch_bounds__(256) tally(const TallyArgs *tasks, Run run) {
  SHARED DoubleShared s;
  const TallyArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  double right = 0;
  for (int n = threadIdx.x; n < a.N; n += THREADS) {
    const float *x = (const float *)a.Logits + (size_t)n * a.K;
    int label = (int)((const float *)a.Labels)[n];
    bool ok = label >= 0 && label < a.K;
    float best = ok ? x[label] : 0;
    for (int k = 0; ok && k < a.K; k++) ok = k < label ? x[k] < best : x[k] <= best;
    right += ok;
  }
  right = block_sum(right, s);
  if (threadIdx.x == 0) {
    Control *c = (Control *)run.Control;
    c->LossSum += (double)a.Weight * *(const float *)a.Loss;
    c->Right += right;
  }
}

extern "C" __global__ void __launch_bounds__(256) add_scaled_fwd(const ScalarArgs *tasks, Run run) {
  const ScalarArgs a = tasks[blockIdx.y];
  if (blockIdx.x == 0 && threadIdx.x == 0) *(float *)a.Y = *(const float *)a.A + a.Scale * *(const float *)a.B;
}

extern "C" __global__ void __launch_bounds__(256) add_scaled_bwd(const ScalarArgs *tasks, Run run) {
  const ScalarArgs a = tasks[blockIdx.y];
  if (blockIdx.x != 0 || threadIdx.x != 0) return;
  float d = *(const float *)a.DY;
  *(float *)a.DA = d;
  *(float *)a.DB = a.Scale * d;
}
