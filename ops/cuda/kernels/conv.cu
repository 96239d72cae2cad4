// 1x1 convolutions as matrix products (ConvArgs). A block of eight warps computes
// tiles of 128 rows and up to 64 columns. Both operands pass through shared memory,
// normalised, rectified or differentiated on the way; bfloat16 is multiplied by the
// tensor cores (mma.m16n8k16), float32 by plain arithmetic in the same layout: lane
// 4*g+t of a warp holds rows g and g+8, columns 2t and 2t+1 of each 16x8 tile.

const int ROWS = 128;  // of a tile; sixteen for each warp
const int COLS = 64;   // of a tile at most

// Depth is how much of the inner dimension a step takes, and Pad what is added to a
// row in shared memory so that neighbouring rows lie in other banks.
template <class T> struct Depth;
template <> struct Depth<bf16> {
  static const int value = 64, rows = 128, pad = 8;
};
template <> struct Depth<float> {
  static const int value = 32, rows = 64, pad = 4;
};

// NT is the width of a tile of columns in eights. What needs fewer has a kernel of
// its own, with more blocks at a time on a multiprocessor.
template <class T, int NT> struct ConvTile {
  static const int LDA = Depth<T>::value + Depth<T>::pad, LDB = NT * 8 + Depth<T>::pad;
  __align__(16) T a[ROWS * LDA];
  __align__(16) T b[Depth<T>::value * LDB];
};

template <class T, int NT> struct ConvShared {
  union {
    ConvTile<T, NT> tile;
    NormShared end;
  };
  float coef[4][COLS];
  float sums[2][8][NT * 8];
  int pixel[ROWS];
};

// The products of a tile take the place of its rows.
template <class T, int NT> struct ConvDxShared {
  static const int LDA = Depth<T>::value + Depth<T>::pad, LDB = NT * 8 + Depth<T>::pad, LDO = NT * 8 + 4;
  union {
    __align__(16) T a[ROWS * LDA];
    __align__(16) float out[ROWS * LDO];
  };
  __align__(16) T b[Depth<T>::value * LDB];
  float coef[4][COLS];
  int pixel[ROWS];
};

template <class T, int NT> struct ConvDwShared {
  static const int LDA = COLS + Depth<T>::pad, LDB = NT * 8 + Depth<T>::pad;
  __align__(16) T a[Depth<T>::rows * LDA];
  __align__(16) T b[Depth<T>::rows * LDB];
  float xcoef[2][COLS], dcoef[4][COLS];
  int pixel[Depth<T>::rows];
};

__device__ __forceinline__ void ldmatrix_x4(u32 (&r)[4], const bf16 *row) {
#ifdef CUDA_EMU
  emu_ldmatrix_x4(r, row);
#else
  u32 at = (u32)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at));
#endif
}

__device__ __forceinline__ void ldmatrix_x4_trans(u32 (&r)[4], const bf16 *row) {
#ifdef CUDA_EMU
  emu_ldmatrix_x4_trans(r, row);
#else
  u32 at = (u32)__cvta_generic_to_shared(row);
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];" : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3]) : "r"(at));
#endif
}

__device__ __forceinline__ void mma(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1) {
#ifdef CUDA_EMU
  u32 b[2] = {b0, b1};
  emu_mma_bf16_16816(d, a, b);
#else
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3]) : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#endif
}

// multiply adds a (16 x 16) times b (16 x 8*NT) to d. a is stored by rows, or, with
// TRANS, by columns; b by rows.
template <int NT, bool TRANS> __device__ __forceinline__ void multiply(float (&d)[NT][4], const bf16 *a, int lda, const bf16 *b, int ldb) {
  const int lane = threadIdx.x & 31;
  u32 fa[4];
  if (TRANS)
    ldmatrix_x4_trans(fa, a + ((lane / 16) * 8 + lane % 8) * lda + (lane / 8 % 2) * 8);
  else
    ldmatrix_x4(fa, a + (lane % 16) * lda + lane / 16 * 8);
#pragma unroll
  for (int n = 0; n < NT; n += 2) {
    u32 fb[4];
    ldmatrix_x4_trans(fb, b + (lane % 16) * ldb + n * 8 + lane / 16 * 8);
    mma(d[n], fa, fb[0], fb[1]);
    mma(d[n + 1], fa, fb[2], fb[3]);
  }
}

template <int NT, bool TRANS> __device__ __forceinline__ void multiply(float (&d)[NT][4], const float *a, int lda, const float *b, int ldb) {
  const int lane = threadIdx.x & 31, g = lane / 4, t = lane % 4;
#pragma unroll 4
  for (int k = 0; k < 16; k++) {
    const float a0 = TRANS ? a[k * lda + g] : a[g * lda + k], a1 = TRANS ? a[k * lda + g + 8] : a[(g + 8) * lda + k];
#pragma unroll
    for (int n = 0; n < NT; n++) {
      const float b0 = b[k * ldb + n * 8 + 2 * t], b1 = b[k * ldb + n * 8 + 2 * t + 1];
      d[n][0] = fmaf(a0, b0, d[n][0]);
      d[n][1] = fmaf(a0, b1, d[n][1]);
      d[n][2] = fmaf(a1, b0, d[n][2]);
      d[n][3] = fmaf(a1, b1, d[n][3]);
    }
  }
}

// conv_pixel is the pixel that row r reads.
__device__ __forceinline__ int conv_pixel(const ConvArgs &a, int r) {
  if (a.Stride == 1 || r >= a.P) return r;
  const int ox = r % a.OW, oy = r / a.OW % a.OH, n = r / (a.OW * a.OH);
  return (n * a.H + oy * a.Stride + a.Off) * a.Width + ox * a.Stride + a.Off;
}

// load_x fills dst (ROWN x W) with x(row0+i, k0+j), normalised and rectified; pixel
// holds the pixels of the rows, coef scale and shift of the columns. A thread keeps its
// columns and takes every STEP-th row, up to four at a time: all loads first.
template <class T, int V, int ROWN, int W>
__device__ __forceinline__ void load_x_by(const ConvArgs &a, const int *pixel, const float (*coef)[COLS], int row0, int k0, T *dst, int ld) {
  const int VECS = W / V, STEP = THREADS / VECS, EACH = ROWN / STEP, BATCH = EACH < 4 ? EACH : 4;
  const int j = threadIdx.x % VECS * V, k = k0 + j, i1 = threadIdx.x / VECS, rows = min(ROWN, a.P - row0);
  const bool any = k < a.Cin;
  const int part = any && a.NParts > 1 ? k / a.Cpart : 0;
  const T *src = (const T *)((const Part *)a.Parts)[part].X + (any ? k - part * a.Cpart : 0);
  float sc[V], sh[V];
#pragma unroll
  for (int q = 0; q < V; q++) {
    sc[q] = k + q < a.Cin ? coef[0][j + q] : 0.f;
    sh[q] = k + q < a.Cin ? coef[1][j + q] : 0.f;
  }
  const bool relu = a.ReLU != 0;
#pragma unroll 1
  for (int b0 = 0; b0 < EACH; b0 += BATCH) {
    Pack<T, V> raw[BATCH];
#pragma unroll
    for (int b = 0; b < BATCH; b++) {
      const int i = min(i1 + (b0 + b) * STEP, rows - 1);  // of some row where there is none: a branch would cost more
      raw[b] = packed<V>(src + (size_t)(u32)pixel[i] * (u32)a.Cpart);
    }
#pragma unroll
    for (int b = 0; b < BATCH; b++) {
      const int i = i1 + (b0 + b) * STEP;
      const bool in = any && i < rows;
      float v[V];
      unpack(raw[b], v);
#pragma unroll
      for (int q = 0; q < V; q++) {
        v[q] = fmaf(v[q], sc[q], sh[q]);
        if (!in || k + q >= a.Cin || (relu && v[q] < 0)) v[q] = 0;
      }
      store<V>(dst + i * ld + j, v);
    }
  }
}

template <class T, int ROWN, int W>
__device__ __forceinline__ void load_x(const ConvArgs &a, const int *pixel, const float (*coef)[COLS], int row0, int k0, T *dst, int ld) {
  if constexpr (sizeof(T) == 2) {
    if (a.Cpart % 8 == 0) {
      load_x_by<T, 8, ROWN, W>(a, pixel, coef, row0, k0, dst, ld);
      return;
    }
  }
  if (a.Cpart % 4 == 0)
    load_x_by<T, 4, ROWN, W>(a, pixel, coef, row0, k0, dst, ld);
  else
    load_x_by<T, 1, ROWN, W>(a, pixel, coef, row0, k0, dst, ld);
}

// load_dz fills dst (ROWN x W) with dz(row0+i, c0+j), in the same way.
template <class T, int V, int ROWN, int W>
__device__ __forceinline__ void load_dz_by(const ConvArgs &a, const float (*coef)[COLS], int row0, int c0, T *dst, int ld) {
  const int VECS = W / V, STEP = THREADS / VECS, EACH = ROWN / STEP, BATCH = EACH < 4 ? EACH : 4;
  const int j = threadIdx.x % VECS * V, c = c0 + j, i1 = threadIdx.x / VECS, rows = min(ROWN, a.P - row0);
  const bool any = c < a.Cout, norm = a.Dz.A != 0;
  const T *dy = (const T *)a.Dz.DY + (any ? c : 0), *z = norm ? (const T *)a.Dz.Z + (any ? c : 0) : dy;
#pragma unroll 1
  for (int b0 = 0; b0 < EACH; b0 += BATCH) {
    Pack<T, V> rawdy[BATCH], rawz[BATCH];
#pragma unroll
    for (int b = 0; b < BATCH; b++) {
      const size_t at = (size_t)(u32)(row0 + min(i1 + (b0 + b) * STEP, rows - 1)) * (u32)a.Ldz;
      rawdy[b] = packed<V>(dy + at);
      rawz[b] = packed<V>(z + at);
    }
#pragma unroll
    for (int b = 0; b < BATCH; b++) {
      const int i = i1 + (b0 + b) * STEP;
      const bool in = any && i < rows;
      float v[V], w[V];
      unpack(rawdy[b], v);
      unpack(rawz[b], w);
#pragma unroll
      for (int q = 0; q < V; q++) {
        if (norm) v[q] = fmaf(coef[0][j + q], v[q], fmaf(coef[1][j + q], w[q] - coef[3][j + q], coef[2][j + q]));
        if (!in) v[q] = 0;
      }
      store<V>(dst + i * ld + j, v);
    }
  }
}

template <class T, int ROWN, int W>
__device__ __forceinline__ void load_dz(const ConvArgs &a, const float (*coef)[COLS], int row0, int c0, T *dst, int ld) {
  const int both = a.Ldz | a.Cout;
  if constexpr (sizeof(T) == 2) {
    if (both % 8 == 0) {
      load_dz_by<T, 8, ROWN, W>(a, coef, row0, c0, dst, ld);
      return;
    }
  }
  if (both % 4 == 0)
    load_dz_by<T, 4, ROWN, W>(a, coef, row0, c0, dst, ld);
  else if (both % 2 == 0)
    load_dz_by<T, 2, ROWN, W>(a, coef, row0, c0, dst, ld);
  else
    load_dz_by<T, 1, ROWN, W>(a, coef, row0, c0, dst, ld);
}

// load_w fills dst with the weights k0.. x c0..: by rows of k (deep x wide), or, with
// TURN, by rows of c (wide is then k's). What does not exist is 0.
template <class T, bool TURN>
__device__ __forceinline__ void load_w(const ConvArgs &a, int k0, int c0, int deep, int wide, T *dst, int ld) {
  const float *w = (const float *)a.W;
  const int ks = TURN ? wide : deep, cs = TURN ? deep : wide;
  if (a.Cout % 4 == 0 && a.W % 16 == 0) {  // cs is a multiple of 8
    const int vecs = cs / 4, n = ks * vecs;
    for (int i0 = threadIdx.x; i0 < n; i0 += 4 * THREADS) {
      float v[4][4];
#pragma unroll
      for (int b = 0; b < 4; b++) {  // all loads first, of some weights where there are none
        const int i = min(i0 + b * THREADS, n - 1), k = min(k0 + i / vecs, a.Cin - 1), c = min(c0 + i % vecs * 4, a.Cout - 4);
        load<4>(w + (size_t)k * a.Cout + c, v[b]);
      }
#pragma unroll
      for (int b = 0; b < 4; b++) {
        const int i = i0 + b * THREADS, k = i / vecs, c = i % vecs * 4;
        if (i >= n) break;
        const bool in = k0 + k < a.Cin && c0 + c < a.Cout;
#pragma unroll
        for (int q = 0; q < 4; q++) from_float(in ? v[b][q] : 0.f, dst[TURN ? (c + q) * ld + k : k * ld + c + q]);
      }
    }
    return;
  }
  for (int i = threadIdx.x; i < ks * cs; i += THREADS) {
    const int k = i / cs, c = i % cs;
    const bool in = k0 + k < a.Cin && c0 + c < a.Cout;
    from_float(in ? w[(size_t)(k0 + k) * a.Cout + c0 + c] : 0.f, dst[TURN ? c * ld + k : k * ld + c]);
  }
}

// x_coef loads scale and shift of columns k0 to k0+width-1.
__device__ __forceinline__ void x_coef(const ConvArgs &a, float (*coef)[COLS], int k0, int width) {
  for (int j = threadIdx.x; j < width; j += THREADS) {
    const int k = k0 + j;
    coef[0][j] = 1;
    coef[1][j] = 0;
    if (k >= a.Cin) continue;
    const Part p = ((const Part *)a.Parts)[k / a.Cpart];
    if (p.Scale) {
      coef[0][j] = ((const float *)p.Scale)[k % a.Cnorm];
      coef[1][j] = ((const float *)p.Shift)[k % a.Cnorm];
    }
  }
}

__device__ __forceinline__ void dz_coef(const ConvArgs &a, float (*coef)[COLS], int c0, int width) {
  if (!a.Dz.A) return;
  for (int j = threadIdx.x; j < width; j += THREADS) {
    const int c = c0 + j;
    const bool in = c < a.Cout;
    coef[0][j] = in ? ((const float *)a.Dz.A)[c] : 0.f;
    coef[1][j] = in ? ((const float *)a.Dz.B)[c] : 0.f;
    coef[2][j] = in ? ((const float *)a.Dz.D)[c] : 0.f;
    coef[3][j] = in ? ((const float *)a.Dz.Mean)[c] : 0.f;
  }
}

// store_pair writes columns c and c+1 of a row, of which n exist; at is where c goes.
template <class T> __device__ __forceinline__ void store_pair(T *at, const float (&v)[2], int n, bool wide) {
  if (wide && n == 2) {
    store<2>(at, v);
    return;
  }
  if (n > 0) from_float(v[0], at[0]);
  if (n > 1) from_float(v[1], at[1]);
}

// stats_out adds up the threads' sums of columns c0 to c0+8*NT-1, in a fixed order,
// and writes them to out[c] and out[C+c].
template <int NT> __device__ __forceinline__ void stats_out(float (&s0)[NT][2], float (&s1)[NT][2], float (*sums)[8][NT * 8], float *out, int C, int c0) {
  const int tid = threadIdx.x, warp = tid / 32, g = tid % 32 / 4, t = tid % 4;
#pragma unroll
  for (int n = 0; n < NT; n++)
#pragma unroll
    for (int q = 0; q < 2; q++) {
#pragma unroll
      for (int m = 4; m < 32; m *= 2) {
        s0[n][q] += __shfl_xor_sync(0xffffffffu, s0[n][q], m);
        s1[n][q] += __shfl_xor_sync(0xffffffffu, s1[n][q], m);
      }
      if (g == 0) {
        sums[0][warp][n * 8 + 2 * t + q] = s0[n][q];
        sums[1][warp][n * 8 + 2 * t + q] = s1[n][q];
      }
    }
  __syncthreads();
  for (int i = tid; i < 2 * NT * 8; i += THREADS) {
    const int which = i / (NT * 8), c = i % (NT * 8);
    if (c0 + c >= C) continue;
    float sum = 0;
    for (int w = 0; w < 8; w++) sum += sums[which][w][c];
    out[(size_t)which * C + c0 + c] = sum;
  }
}

// conv_fwd_tiles computes columns c0 to c0+8*NT-1 of the block's row tiles, and their
// sums for the statistics.
template <class T, int NT> __device__ __forceinline__ void conv_fwd_tiles(const ConvArgs &a, ConvShared<T, NT> &s, int rowBlock, int c0) {
  const int K = Depth<T>::value, LDA = ConvTile<T, NT>::LDA, LDB = ConvTile<T, NT>::LDB;
  const int tid = threadIdx.x, warp = tid / 32, g = tid % 32 / 4, t = tid % 4;
  const int tiles = (a.P + ROWS - 1) / ROWS, chunks = (a.Cin + K - 1) / K;
  const bool stats = a.Norm.Partial != 0, wide = a.Ldz % 2 == 0 && a.Z % (2 * sizeof(T)) == 0;
  float s0[NT][2], s1[NT][2], about[NT][2];
#pragma unroll
  for (int n = 0; n < NT; n++)
#pragma unroll
    for (int q = 0; q < 2; q++) {
      const int c = c0 + n * 8 + 2 * t + q;
      s0[n][q] = s1[n][q] = 0;
      about[n][q] = stats && c < a.Cout ? ((const float *)a.Norm.RunMean)[c] : 0.f;
    }
  for (int tile = rowBlock; tile < tiles; tile += a.RowBlocks) {
    const int row0 = tile * ROWS;
    float acc[NT][4];
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
      for (int q = 0; q < 4; q++) acc[n][q] = 0;
    for (int chunk = 0; chunk < chunks; chunk++) {
      const int k0 = chunk * K, deep = min((a.Cin - k0 + 15) / 16 * 16, K);
      __syncthreads();
      if (chunk == 0 && tid < ROWS) s.pixel[tid] = conv_pixel(a, row0 + tid);
      if (tile == rowBlock || chunks > 1) {
        x_coef(a, s.coef, k0, deep);
        load_w<T, false>(a, k0, c0, deep, NT * 8, s.tile.b, LDB);
      }
      __syncthreads();
      // A power of two of columns is loaded, so that every thread keeps its own.
      if (deep <= 16)
        load_x<T, ROWS, 16>(a, s.pixel, s.coef, row0, k0, s.tile.a, LDA);
      else if (deep <= 32)
        load_x<T, ROWS, 32>(a, s.pixel, s.coef, row0, k0, s.tile.a, LDA);
      else
        load_x<T, ROWS, K>(a, s.pixel, s.coef, row0, k0, s.tile.a, LDA);
      __syncthreads();
      for (int k = 0; k < deep; k += 16) multiply<NT, false>(acc, s.tile.a + warp * 16 * LDA + k, LDA, s.tile.b + k * LDB, LDB);
    }
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const int r = row0 + warp * 16 + g + 8 * h;
      if (r >= a.P) continue;
      T *z = (T *)a.Z + (size_t)r * a.Ldz;
#pragma unroll
      for (int n = 0; n < NT; n++) {
        const int c = c0 + n * 8 + 2 * t;
        const float v[2] = {acc[n][2 * h], acc[n][2 * h + 1]};
        store_pair(z + c, v, a.Cout - c, wide);
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
  if (stats) stats_out<NT>(s0, s1, s.sums, (float *)a.Norm.Partial + (size_t)rowBlock * 2 * a.Cout, a.Cout, c0);
}

template <class T, int NT> __device__ __forceinline__ void conv_fwd(const ConvArgs &a, const Run &run, ConvShared<T, NT> &s) {
  const int colTiles = (a.Cout + NT * 8 - 1) / (NT * 8);
  conv_fwd_tiles<T, NT>(a, s, blockIdx.x / colTiles, blockIdx.x % colTiles * NT * 8);
  if (!a.Norm.Partial) return;
  __syncthreads();  // the end uses the memory of the tiles
  norm_end(a.Norm, a.RowBlocks, a.Blocks, a.P, a.Cout, run, s.end);
}

#define CONV_FWD(NAME, T, NT, BLOCKS)                                                             \
  extern "C" __global__ void __launch_bounds__(256, BLOCKS) NAME(const ConvArgs *tasks, Run run) { \
    SHARED ConvShared<T, NT> s;                                                                   \
    SHARED ConvArgs a;                                                                            \
    fetch(tasks[blockIdx.y], a);                                                                  \
    if ((int)blockIdx.x < a.Blocks) conv_fwd<T, NT>(a, run, s);                                   \
  }
CONV_FWD(conv_fwd16_f32, float, 2, 3)
CONV_FWD(conv_fwd32_f32, float, 4, 2)
CONV_FWD(conv_fwd64_f32, float, 8, 1)
CONV_FWD(conv_fwd16_bf16, bf16, 2, 3)
CONV_FWD(conv_fwd32_bf16, bf16, 4, 3)
CONV_FWD(conv_fwd64_bf16, bf16, 8, 2)

// dx_end masks the tile's gradients out (rows x ld) of columns k0 to k0+8*NT-1, adds
// what is to be added, and writes them: V columns of a row at a time.
template <class T, int NT, int V> __device__ __forceinline__ void dx_end_by(const ConvArgs &a, const int *pixel, const float *out, int ld, int row0, int k0) {
  const int VECS = NT * 8 / V, STEP = THREADS / VECS, EACH = ROWS / STEP, BATCH = EACH < 4 ? EACH : 4;
  const int j = threadIdx.x % VECS * V, k = k0 + j, i1 = threadIdx.x / VECS, rows = min(ROWS, a.P - row0);
  if (k >= a.Cin) return;
  const int part = a.NParts > 1 ? k / a.Cpart : 0, c = k - part * a.Cpart;
  const Part p = ((const Part *)a.Parts)[part];
  if (!p.DX) return;
  const bool relu = a.ReLU != 0;
  float sc[V], sh[V];
#pragma unroll
  for (int q = 0; q < V; q++) {
    const bool norm = relu && p.Scale;
    const int cn = norm ? (k + q) % a.Cnorm : 0;
    sc[q] = norm ? ((const float *)p.Scale)[cn] : 1.f;
    sh[q] = norm ? ((const float *)p.Shift)[cn] : 0.f;
  }
  const T *x = (const T *)p.X + c, *add = (const T *)p.Add + c;
  T *dx = (T *)p.DX + c;
#pragma unroll 1
  for (int b0 = 0; b0 < EACH; b0 += BATCH) {
    Pack<T, V> rawx[BATCH], rawadd[BATCH];
    u32 px[BATCH];
#pragma unroll
    for (int b = 0; b < BATCH; b++) px[b] = (u32)pixel[min(i1 + (b0 + b) * STEP, rows - 1)];
    if (relu) {
#pragma unroll
      for (int b = 0; b < BATCH; b++) rawx[b] = packed<V>(x + (size_t)px[b] * (u32)a.Cpart);
    }
    if (p.Add) {
#pragma unroll
      for (int b = 0; b < BATCH; b++) rawadd[b] = packed<V>(add + (size_t)px[b] * (u32)a.Cpart);
    }
#pragma unroll
    for (int b = 0; b < BATCH; b++) {
      const int i = i1 + (b0 + b) * STEP;
      if (i >= rows) break;
      float v[V], u[V];
#pragma unroll
      for (int q = 0; q < V; q++) v[q] = out[i * ld + j + q];
      if (relu) {
        unpack(rawx[b], u);
#pragma unroll
        for (int q = 0; q < V; q++)
          if (!(fmaf(u[q], sc[q], sh[q]) > 0)) v[q] = 0;
      }
      if (p.Add) {
        unpack(rawadd[b], u);
#pragma unroll
        for (int q = 0; q < V; q++) v[q] += u[q];
      }
      store<V>(dx + (size_t)px[b] * (u32)a.Cpart, v);
    }
  }
}

template <class T, int NT> __device__ __forceinline__ void conv_dx_tiles(const ConvArgs &a, ConvDxShared<T, NT> &s, int rowBlock, int k0) {
  const int K = Depth<T>::value, LDA = ConvDxShared<T, NT>::LDA, LDB = ConvDxShared<T, NT>::LDB;
  const int tid = threadIdx.x, warp = tid / 32, g = tid % 32 / 4, t = tid % 4;
  const int tiles = (a.P + ROWS - 1) / ROWS, chunks = (a.Cout + K - 1) / K;
  for (int tile = rowBlock; tile < tiles; tile += a.RowBlocks) {
    const int row0 = tile * ROWS;
    float acc[NT][4];
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
      for (int q = 0; q < 4; q++) acc[n][q] = 0;
    for (int chunk = 0; chunk < chunks; chunk++) {
      const int c0 = chunk * K, deep = min((a.Cout - c0 + 15) / 16 * 16, K);
      __syncthreads();
      if (chunk == 0 && tid < ROWS) s.pixel[tid] = conv_pixel(a, row0 + tid);
      if (tile == rowBlock || chunks > 1) {
        dz_coef(a, s.coef, c0, deep);
        load_w<T, true>(a, k0, c0, deep, NT * 8, s.b, LDB);
      }
      __syncthreads();
      if (deep <= 16)
        load_dz<T, ROWS, 16>(a, s.coef, row0, c0, s.a, LDA);
      else if (deep <= 32)
        load_dz<T, ROWS, 32>(a, s.coef, row0, c0, s.a, LDA);
      else
        load_dz<T, ROWS, K>(a, s.coef, row0, c0, s.a, LDA);
      __syncthreads();
      for (int k = 0; k < deep; k += 16) multiply<NT, false>(acc, s.a + warp * 16 * LDA + k, LDA, s.b + k * LDB, LDB);
    }
    __syncthreads();  // the products take the place of the tiles
    const int ldo = ConvDxShared<T, NT>::LDO;
#pragma unroll
    for (int n = 0; n < NT; n++)
#pragma unroll
      for (int q = 0; q < 4; q++) s.out[(warp * 16 + g + q / 2 * 8) * ldo + n * 8 + 2 * t + q % 2] = acc[n][q];
    __syncthreads();
    if (a.Cpart % 4 == 0)
      dx_end_by<T, NT, 4>(a, s.pixel, s.out, ldo, row0, k0);
    else
      dx_end_by<T, NT, 1>(a, s.pixel, s.out, ldo, row0, k0);
  }
}

template <class T, int NT> __device__ __forceinline__ void conv_dx(const ConvArgs &a, ConvDxShared<T, NT> &s) {
  const int kTiles = (a.Cin + NT * 8 - 1) / (NT * 8);
  conv_dx_tiles<T, NT>(a, s, blockIdx.x / kTiles, blockIdx.x % kTiles * NT * 8);
}

#define CONV_DX(NAME, T, NT, BLOCKS)                                                              \
  extern "C" __global__ void __launch_bounds__(256, BLOCKS) NAME(const ConvArgs *tasks, Run run) { \
    SHARED ConvDxShared<T, NT> s;                                                                   \
    SHARED ConvArgs a;                                                                            \
    fetch(tasks[blockIdx.y], a);                                                                  \
    if ((int)blockIdx.x < a.Blocks) conv_dx<T, NT>(a, s);                                         \
  }
CONV_DX(conv_dx16_f32, float, 2, 3)
CONV_DX(conv_dx32_f32, float, 4, 2)
CONV_DX(conv_dx64_f32, float, 8, 1)
CONV_DX(conv_dx16_bf16, bf16, 2, 3)
CONV_DX(conv_dx32_bf16, bf16, 4, 3)
CONV_DX(conv_dx64_bf16, bf16, 8, 2)

// conv_dw_tile: the warps share the sixteens of channels k and, where there are
// fewer of those than warps, the rows; what these have is added up in order at the
// end.
template <class T, int NT> __device__ __forceinline__ void conv_dw_tile(const ConvArgs &a, ConvDwShared<T, NT> &s, int split, int k0, int c0) {
  const int R = Depth<T>::rows, LDA = ConvDwShared<T, NT>::LDA, LDB = ConvDwShared<T, NT>::LDB;
  const int tid = threadIdx.x, warp = tid / 32, g = tid % 32 / 4, t = tid % 4;
  const int wide = min((a.Cin - k0 + 15) / 16, 4), mTiles = wide == 3 ? 4 : wide, teams = min(8 / mTiles, R / 16);
  const int m = warp % mTiles, team = warp / mTiles;
  const bool works = team < teams && m < wide;
  const int tiles = (a.P + R - 1) / R;
  float acc[NT][4];
#pragma unroll
  for (int n = 0; n < NT; n++)
#pragma unroll
    for (int q = 0; q < 4; q++) acc[n][q] = 0;
  x_coef(a, s.xcoef, k0, mTiles * 16);
  dz_coef(a, s.dcoef, c0, NT * 8);
  for (int tile = split; tile < tiles; tile += a.RowBlocks) {
    const int row0 = tile * R;
    __syncthreads();
    if (tid < R) s.pixel[tid] = conv_pixel(a, row0 + tid);
    __syncthreads();
    if (mTiles == 1)
      load_x<T, R, 16>(a, s.pixel, s.xcoef, row0, k0, s.a, LDA);
    else if (mTiles == 2)
      load_x<T, R, 32>(a, s.pixel, s.xcoef, row0, k0, s.a, LDA);
    else
      load_x<T, R, 64>(a, s.pixel, s.xcoef, row0, k0, s.a, LDA);
    load_dz<T, R, NT * 8>(a, s.dcoef, row0, c0, s.b, LDB);
    __syncthreads();
    if (works) {
      for (int r = team * 16; r < R; r += teams * 16) multiply<NT, true>(acc, s.a + r * LDA + m * 16, LDA, s.b + r * LDB, LDB);
    }
  }
  float *sum = (float *)s.a;  // (mTiles*16, NT*8): what one team adds to the next
  const int ld = NT * 8;
  for (int k = 0; k < teams; k++) {
    __syncthreads();
    if (works && team == k) {
#pragma unroll
      for (int n = 0; n < NT; n++)
#pragma unroll
        for (int q = 0; q < 4; q++) {
          float *at = sum + (m * 16 + g + q / 2 * 8) * ld + n * 8 + 2 * t + q % 2;
          *at = k == 0 ? acc[n][q] : *at + acc[n][q];
        }
    }
  }
  __syncthreads();
  float *out = (float *)a.Partial + (size_t)split * a.Cin * a.Cout;
  for (int i = tid; i < wide * 16 * ld; i += THREADS) {
    const int k = k0 + i / ld, c = c0 + i % ld;
    if (k < a.Cin && c < a.Cout) out[(size_t)k * a.Cout + c] = sum[i];
  }
}

template <class T, int NT> __device__ __forceinline__ void conv_dw(const ConvArgs &a, ConvDwShared<T, NT> &s) {
  const int kTiles = (a.Cin + COLS - 1) / COLS, cTiles = (a.Cout + NT * 8 - 1) / (NT * 8);
  const int c0 = blockIdx.x % cTiles * NT * 8, k0 = blockIdx.x / cTiles % kTiles * COLS;
  conv_dw_tile<T, NT>(a, s, blockIdx.x / (cTiles * kTiles), k0, c0);
}

#define CONV_DW(NAME, T, NT, BLOCKS)                                                              \
  extern "C" __global__ void __launch_bounds__(256, BLOCKS) NAME(const ConvArgs *tasks, Run run) { \
    SHARED ConvDwShared<T, NT> s;                                                                 \
    SHARED ConvArgs a;                                                                            \
    fetch(tasks[blockIdx.y], a);                                                                  \
    if ((int)blockIdx.x < a.Blocks) conv_dw<T, NT>(a, s);                                         \
  }
CONV_DW(conv_dw16_f32, float, 2, 3)
CONV_DW(conv_dw32_f32, float, 4, 2)
CONV_DW(conv_dw64_f32, float, 8, 1)
CONV_DW(conv_dw16_bf16, bf16, 2, 3)
CONV_DW(conv_dw32_bf16, bf16, 4, 3)
CONV_DW(conv_dw64_bf16, bf16, 8, 2)
