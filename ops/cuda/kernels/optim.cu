// Sums, fills, and the optimizer's step. All work is dealt to blocks by stride.

template <class T> __device__ __forceinline__ void sum_body(const SumArgs &a) {
  T *dst = (T *)a.Dst;
  const int step = a.Blocks * THREADS;
  int i = blockIdx.x * THREADS + threadIdx.x;
  // Gradients of parameters lie one behind the other, so they may begin anywhere.
  const u64 places = a.Dst | a.Src[0] | a.Src[1] | a.Src[2] | a.Src[3];
  if (a.N % 4 == 0 && places % (4 * sizeof(T)) == 0) {
    for (; i < a.N / 4; i += step) {
      float s[4] = {0, 0, 0, 0};
#pragma unroll
      for (int k = 0; k < 4; k++) {
        if (k >= a.NSrc) break;
        float v[4];
        load<4>((const T *)a.Src[k] + (size_t)i * 4, v);
#pragma unroll
        for (int j = 0; j < 4; j++) s[j] = k ? s[j] + v[j] : v[j];
      }
      store<4>(dst + (size_t)i * 4, s);
    }
    return;
  }
  for (; i < a.N; i += step) {
    float s = 0;
#pragma unroll
    for (int k = 0; k < 4; k++) {
      if (k >= a.NSrc) break;
      float v = to_float(((const T *)a.Src[k])[i]);
      s = k ? s + v : v;
    }
    from_float(s, dst[i]);
  }
}

extern "C" __global__ void __launch_bounds__(256) sum_f32(const SumArgs *tasks, Run run) {
  const SumArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) sum_body<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) sum_bf16(const SumArgs *tasks, Run run) {
  const SumArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) sum_body<bf16>(a);
}

template <class T> __device__ __forceinline__ void fill_body(const FillArgs &a) {
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < a.N; i += a.Blocks * THREADS) from_float(a.Value, ((T *)a.Dst)[i]);
}

extern "C" __global__ void __launch_bounds__(256) fill_f32(const FillArgs *tasks, Run run) {
  const FillArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) fill_body<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) fill_bf16(const FillArgs *tasks, Run run) {
  const FillArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) fill_body<bf16>(a);
}

// reduce adds up partial sums in order; four are loaded before the first is used.
extern "C" __global__ void __launch_bounds__(256) reduce(const ReduceArgs *tasks, Run run) {
  const ReduceArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  const float *p = (const float *)a.Partial;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < a.N; i += a.Blocks * THREADS) {
    float s = 0;
    int k = 0;
    for (; k + 8 <= a.Splits; k += 8) {
      float v[8];
#pragma unroll
      for (int j = 0; j < 8; j++) v[j] = p[(size_t)(k + j) * a.N + i];
#pragma unroll
      for (int j = 0; j < 8; j++) s += v[j];
    }
    for (; k < a.Splits; k++) s += p[(size_t)k * a.N + i];
    ((float *)a.Out)[i] = s;
  }
}

extern "C" __global__ void __launch_bounds__(256) squares(const SquaresArgs *tasks, Run run) {
  SHARED DoubleShared s;
  const SquaresArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  const float *x = (const float *)a.X;
  double sum = 0;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < a.N; i += a.Blocks * THREADS) sum += (double)x[i] * x[i];
  sum = block_sum(sum, s);
  if (threadIdx.x == 0) ((double *)a.Partial)[blockIdx.x] = sum;
}

extern "C" __global__ void __launch_bounds__(256) end(const EndArgs *tasks, Run run) {
  SHARED DoubleShared s;
  const EndArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  double sum = 0;
  for (int i = threadIdx.x; i < a.NPartial; i += THREADS) sum += ((const double *)a.Partial)[i];
  sum = block_sum(sum, s);
  if (threadIdx.x != 0) return;
  Control *c = (Control *)run.Control;
  Stats *st = (Stats *)a.Stats;
  double norm2 = sum / ((double)a.Parts * a.Parts), norm = sqrt(norm2);
  st->Loss = c->LossSum / a.Parts;
  st->Right = c->Right;
  st->Norm2 = norm2;
  if (c->BadState || !is_finite((float)st->Loss) || !is_finite((float)norm)) c->Bad = 1;
  st->Bad = c->Bad;
  double factor = 1.0 / a.Parts;
  if (a.Clip > 0) {
    double clip = a.Clip / (norm + 1e-6);
    if (clip < 1) factor *= clip;
  }
  c->Factor = (float)factor;
  c->LossSum = 0;
  c->Right = 0;
  c->BadState = 0;
}

// step_factor is what the optimizer multiplies gradients by; false: the step is not
// taken.
__device__ __forceinline__ bool step_factor(const Run &run, float &factor) {
  const Control *c = (const Control *)run.Control;
  factor = c ? c->Factor : run.A;
  return !c || !c->Bad;
}

extern "C" __global__ void __launch_bounds__(256) sgd(const SGDArgs *tasks, Run run) {
  const SGDArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  float factor;
  if (!step_factor(run, factor)) return;
  float *w = (float *)a.W, *v = (float *)a.V;
  const float *g = (const float *)a.G;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < a.N; i += a.Blocks * THREADS) {
    float d = factor * g[i] + a.WD * w[i];
    float m = a.Mu * v[i] + d;
    v[i] = m;
    w[i] -= run.LR * (a.Nesterov ? d + a.Mu * m : m);
  }
}

extern "C" __global__ void __launch_bounds__(256) adamw(const AdamWArgs *tasks, Run run) {
  const AdamWArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  float factor;
  if (!step_factor(run, factor)) return;
  float *w = (float *)a.W, *m = (float *)a.M, *v = (float *)a.V, *t = (float *)a.T;
  const float *g = (const float *)a.G;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < a.N; i += a.Blocks * THREADS) {
    const float d = factor * g[i], n = t[i] + 1;
    const float mi = a.Beta1 * m[i] + a.Rest1 * d, vi = a.Beta2 * v[i] + a.Rest2 * d * d;
    // A beta of 0 has the logarithm -inf: expm1f gives -1.
    const float rest1 = -expm1f(n * a.Log1), rest2 = -expm1f(n * a.Log2);
    t[i] = n;
    m[i] = mi;
    v[i] = vi;
    w[i] = w[i] * (1 - run.LR * a.WD) - run.LR / rest1 * mi / (sqrtf(vi) / sqrtf(rest2) + a.Eps);
  }
}

extern "C" __global__ void __launch_bounds__(256) axpby(const AxpbyArgs *tasks, Run run) {
  const AxpbyArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  const Control *c = (const Control *)run.Control;
  if (c && c->Bad) return;
  const float *x = (const float *)a.X;
  float *y = (float *)a.Y;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < a.N; i += a.Blocks * THREADS) y[i] = run.A * x[i] + run.B * y[i];
}
