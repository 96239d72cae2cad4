// A stage of a separable convolution in one launch (SepArgs): the depthwise output of
// a tile of pixels goes through shared memory to the tensor cores.

template <class T, int NT, int R> struct SepTile {
  static const int LDA = NT * 8 + Depth<T>::pad, LDB = NT * 8 + Depth<T>::pad;
  __align__(16) T a[R * LDA];
  __align__(16) T b[NT * 8 * LDB];
};

template <class T, int NT, int R> struct SepShared {
  union {
    SepTile<T, NT, R> tile;
    NormShared end;
  };
  float sums[2][8][NT * 8];
};

// sep_depthwise computes rows row0 to row0+R-1 of the depthwise output: a run of four
// pixels and four channels a thread.
template <class T, int NT, int R, int K, int D> __device__ __forceinline__ void sep_depthwise(const DwArgs &a, T *tile, int ld, int row0, int P) {
  const int groups = a.C / 4, pad = D * (K - 1) / 2;
  for (int item = threadIdx.x; item < R / RUN * groups; item += THREADS) {
    const int c = item % groups * 4, i = item / groups * RUN, r = row0 + i;
    float acc[RUN][4];
#pragma unroll
    for (int q = 0; q < RUN; q++)
#pragma unroll
      for (int k = 0; k < 4; k++) acc[q][k] = 0;
    if (r < P) {
      const Coef<4> co(a.Scale, a.Shift, a.ReLU, c);
      const int ox = r % a.OW, oy = r / a.OW % a.OH, im = r / (a.OW * a.OH), x0 = ox - pad;
#pragma unroll 1
      for (int ky = 0; ky < K; ky++) {
        const int y = oy + ky * D - pad;
        if (y < 0 || y >= a.H) continue;
        float w[K][4];
#pragma unroll
        for (int kx = 0; kx < K; kx++) load<4>((const float *)a.W + (ky * K + kx) * a.C + c, w[kx]);
        dw_run<T, 4, K, 1, D, true>((const T *)a.X + ((ptrdiff_t)((size_t)im * a.H + y) * a.Width + x0) * a.C + c, x0, a.Width, a.C, w, co, acc);
      }
    }
#pragma unroll
    for (int q = 0; q < RUN; q++) {
      store<4>(tile + (i + q) * ld + c, acc[q]);
      if (a.T && r < P) store<4>((T *)a.T + (size_t)(r + q) * a.C + c, acc[q]);
    }
  }
}

template <class T, int NT, int R> __device__ __forceinline__ void sep_fwd(const SepArgs &s, const Run &run, SepShared<T, NT, R> &sh) {
  const ConvArgs &a = s.Conv;
  const int LDA = SepTile<T, NT, R>::LDA, LDB = SepTile<T, NT, R>::LDB;
  const int tid = threadIdx.x, warp = tid / 32, g = tid % 32 / 4, t = tid % 4;
  const int tiles = (a.P + R - 1) / R, deep = (a.Cin + 15) / 16 * 16;
  const bool stats = a.Norm.Partial != 0;
  float s0[NT][2], s1[NT][2], about[NT][2];
#pragma unroll
  for (int n = 0; n < NT; n++)
#pragma unroll
    for (int q = 0; q < 2; q++) {
      const int c = n * 8 + 2 * t + q;
      s0[n][q] = s1[n][q] = 0;
      about[n][q] = stats && c < a.Cout ? ((const float *)a.Norm.RunMean)[c] : 0.f;
    }
  load_w<T, false>(a, 0, 0, deep, NT * 8, sh.tile.b, LDB);
  if (deep > a.Cin) {
    const float zero[4] = {0, 0, 0, 0};
    for (int i = tid; i < R * (deep - a.Cin) / 4; i += THREADS) store<4>(sh.tile.a + i % R * LDA + a.Cin + i / R * 4, zero);
  }
  for (int tile = blockIdx.x; tile < tiles; tile += s.Blocks) {
    const int row0 = tile * R;
    __syncthreads();
    switch (s.DW.K * 4 + s.DW.Dil) {
      case 3 * 4 + 1: sep_depthwise<T, NT, R, 3, 1>(s.DW, sh.tile.a, LDA, row0, a.P); break;
      case 5 * 4 + 1: sep_depthwise<T, NT, R, 5, 1>(s.DW, sh.tile.a, LDA, row0, a.P); break;
      case 3 * 4 + 2: sep_depthwise<T, NT, R, 3, 2>(s.DW, sh.tile.a, LDA, row0, a.P); break;
      case 5 * 4 + 2: sep_depthwise<T, NT, R, 5, 2>(s.DW, sh.tile.a, LDA, row0, a.P); break;
    }
    __syncthreads();
#pragma unroll 1
    for (int pass = 0; pass < R / ROWS; pass++) {
      const int first = pass * ROWS + warp * 16;
      float acc[NT][4];
#pragma unroll
      for (int n = 0; n < NT; n++)
#pragma unroll
        for (int q = 0; q < 4; q++) acc[n][q] = 0;
      for (int k = 0; k < deep; k += 16) multiply<NT, false>(acc, sh.tile.a + first * LDA + k, LDA, sh.tile.b + k * LDB, LDB);
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int r = row0 + first + g + 8 * h;
        if (r >= a.P) continue;
        T *z = (T *)a.Z + (size_t)r * a.Cout;
#pragma unroll
        for (int n = 0; n < NT; n++) {
          const int c = n * 8 + 2 * t;
          const float v[2] = {acc[n][2 * h], acc[n][2 * h + 1]};
          store_pair(z + c, v, a.Cout - c, true);
#pragma unroll
          for (int q = 0; q < 2; q++) {
            T rounded;
            from_float(v[q], rounded);
            const float d = to_float(rounded) - about[n][q];
            s0[n][q] += d;
            s1[n][q] = fmaf(d, d, s1[n][q]);
          }
        }
      }
    }
  }
  if (!stats) return;
  stats_out<NT>(s0, s1, sh.sums, (float *)a.Norm.Partial + (size_t)blockIdx.x * 2 * a.Cout, a.Cout, 0);
  __syncthreads();  // the end uses the memory of the tiles
  norm_end(a.Norm, s.Blocks, s.Blocks, a.P, a.Cout, run, sh.end);
}

#define SEP_FWD(NAME, T, NT, R, BLOCKS)                                                          \
  extern "C" __global__ void __launch_bounds__(256, BLOCKS) NAME(const SepArgs *tasks, Run run) { \
    SHARED SepShared<T, NT, R> s;                                                                \
    SHARED SepArgs a;                                                                            \
    fetch(tasks[blockIdx.y], a);                                                                 \
    if ((int)blockIdx.x < a.Blocks) sep_fwd<T, NT, R>(a, run, s);                                \
  }
SEP_FWD(sep_fwd16, bf16, 2, 256, 2)
SEP_FWD(sep_fwd32, bf16, 4, 128, 2)
SEP_FWD(sep_fwd64, bf16, 8, 128, 2)
