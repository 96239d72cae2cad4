// A convolution as a matrix product: the windows of its input as rows, and the gradient
// of the input from that of the rows (WindowArgs).

// windows: a thread makes eight values of a row, V at a time, each of one tap.
template <class X, class T, int V> __device__ __forceinline__ void windows_body(const WindowArgs &a) {
  const X *x = (const X *)a.X;
  const float *scale = (const float *)a.Scale, *shift = (const float *)a.Shift;
  const int groups = a.Ld / 8, depth = a.R * a.S * a.C;
  const u32 n = (u32)a.N * a.OH * a.OW * groups;
  for (u32 j = blockIdx.x * THREADS + threadIdx.x; j < n; j += a.Blocks * THREADS) {
    const u32 p = j / groups;
    const int k0 = (int)(j - p * groups) * 8, ox = (int)(p % a.OW), oy = (int)(p / a.OW % a.OH), im = (int)(p / a.OW / a.OH);
    const int y0 = oy * a.StrideH - (a.R - 1) / 2, x0 = ox * a.StrideW - (a.S - 1) / 2;
    float out[8];
#pragma unroll
    for (int q = 0; q < 8; q += V) {
      const int k = k0 + q, tap = k / a.C, c = k - tap * a.C, ky = tap / a.S, y = y0 + ky, xx = x0 + tap - ky * a.S;
      float v[V];
#pragma unroll
      for (int i = 0; i < V; i++) v[i] = 0;
      if (k < depth && y >= 0 && y < a.H && xx >= 0 && xx < a.Width) {
        load<V>(x + (((size_t)im * a.H + y) * a.Width + xx) * a.C + c, v);
        if (scale) {
          float sc[V], sh[V];
          load<V>(scale + c, sc);
          load<V>(shift + c, sh);
#pragma unroll
          for (int i = 0; i < V; i++) v[i] = fmaf(v[i], sc[i], sh[i]);
        }
#pragma unroll
        for (int i = 0; i < V; i++)
          if (a.ReLU && v[i] < 0) v[i] = 0;
      }
#pragma unroll
      for (int i = 0; i < V; i++) out[q + i] = v[i];
    }
    store<8>((T *)a.Out + (size_t)j * 8, out);
  }
}

template <class X, class T> __device__ __forceinline__ void windows(const WindowArgs &a) {
  if (a.C % 8 == 0)
    windows_body<X, T, 8>(a);
  else if (a.C % 4 == 0)
    windows_body<X, T, 4>(a);
  else
    windows_body<X, T, 1>(a);
}

// windows_dx gathers: a thread has V channels of an input pixel and adds up the rows
// that have it.
template <class T, int V> __device__ __forceinline__ void windows_dx_body(const WindowArgs &a) {
  const int groups = a.C / V;
  const u32 n = (u32)a.N * a.H * a.Width * groups;
  for (u32 j = blockIdx.x * THREADS + threadIdx.x; j < n; j += a.Blocks * THREADS) {
    const u32 p = j / groups;
    const int c = (int)(j - p * groups) * V, ix = (int)(p % a.Width), iy = (int)(p / a.Width % a.H), im = (int)(p / a.Width / a.H);
    const int ey = iy + (a.R - 1) / 2, ex = ix + (a.S - 1) / 2;
    float d[V];
#pragma unroll
    for (int i = 0; i < V; i++) d[i] = 0;
    for (int ky = ey % a.StrideH; ky < a.R; ky += a.StrideH) {
      const int oy = (ey - ky) / a.StrideH;
      if (ky > ey || oy >= a.OH) continue;
      for (int kx = ex % a.StrideW; kx < a.S; kx += a.StrideW) {
        const int ox = (ex - kx) / a.StrideW;
        if (kx > ex || ox >= a.OW) continue;
        float v[V];
        load<V>((const T *)a.DOut + (((size_t)im * a.OH + oy) * a.OW + ox) * a.Ld + (ky * a.S + kx) * a.C + c, v);
#pragma unroll
        for (int i = 0; i < V; i++) d[i] += v[i];
      }
    }
    const size_t at = (size_t)j * V;
    if (a.ReLU) {
      float v[V];
      load<V>((const T *)a.X + at, v);
#pragma unroll
      for (int i = 0; i < V; i++) {
        const float u = a.Scale ? fmaf(v[i], ((const float *)a.Scale)[c + i], ((const float *)a.Shift)[c + i]) : v[i];
        if (!(u > 0)) d[i] = 0;
      }
    }
    if (a.Add) {
      float v[V];
      load<V>((const T *)a.Add + at, v);
#pragma unroll
      for (int i = 0; i < V; i++) d[i] += v[i];
    }
    store<V>((T *)a.DX + at, d);
  }
}

template <class T> __device__ __forceinline__ void windows_dx(const WindowArgs &a) {
  if (a.C % 8 == 0)
    windows_dx_body<T, 8>(a);
  else if (a.C % 4 == 0)
    windows_dx_body<T, 4>(a);
  else
    windows_dx_body<T, 1>(a);
}

#define WINDOWS(NAME, ...)                                                                     \
  extern "C" __global__ void __launch_bounds__(256, 4) NAME(const WindowArgs *tasks, Run run) { \
    const WindowArgs a = tasks[blockIdx.y];                                                    \
    if ((int)blockIdx.x < a.Blocks) __VA_ARGS__(a);                                            \
  }
WINDOWS(windows_f32, windows<float, float>)
WINDOWS(windows_bf16, windows<bf16, bf16>)
WINDOWS(windows_images_f32, windows<float, float>)
WINDOWS(windows_images_bf16, windows<float, bf16>)
WINDOWS(windows_dx_f32, windows_dx<float>)
WINDOWS(windows_dx_bf16, windows_dx<bf16>)
