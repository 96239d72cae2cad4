// Batches from images that lie on the device, and the matrix of the stem.

// A thread makes one value. The table holds the normalised values of all bytes, so
// they are those of the processor, bit for bit.
extern "C" __global__ void __launch_bounds__(256) gather(const GatherArgs *tasks, Run run) {
  const GatherArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  const int side = a.Side, image = side * side * 3;
  const u8 *pixels = (const u8 *)a.Pixels;
  const float *table = (const float *)a.Table;
  const Recipe *recipes = (const Recipe *)a.Recipes;
  const u32 n = (u32)a.N * image;
  for (u32 j = blockIdx.x * THREADS + threadIdx.x; j < n; j += a.Blocks * THREADS) {
    int k = (int)(j / image), i = (int)(j % image), ch = i % 3, x = i / 3 % side, y = i / (3 * side);
    const Recipe r = recipes[k];
    if (i == 0) ((float *)a.Y)[k] = (float)((const int *)a.Labels)[r.Image];
    float v = 0;
    if (!(r.Y0 <= y && y < r.Y1 && r.X0 <= x && x < r.X1)) {
      int sx = (r.Flip ? side - 1 - x : x) + r.DX, sy = y + r.DY;
      int byte = 0;
      if (sx >= 0 && sx < side && sy >= 0 && sy < side) byte = pixels[(size_t)r.Image * image + (sy * side + sx) * 3 + ch];
      v = table[ch * 256 + byte];
    }
    ((float *)a.X)[j] = v;
  }
}

// A thread makes one row: the neighbourhood of one pixel.
template <class T> __device__ __forceinline__ void im2col_body(const Im2colArgs &a) {
  const float *x = (const float *)a.X;
  T *out = (T *)a.Out;
  const int groups = a.Ld / 8, row = 9 * a.C;
  const u32 n = (u32)a.N * a.H * a.Width * groups;
  for (u32 j = blockIdx.x * THREADS + threadIdx.x; j < n; j += a.Blocks * THREADS) {
    u32 p = j / groups;
    int k0 = (int)(j % groups) * 8, px = (int)(p % a.Width), py = (int)(p / a.Width % a.H);
    float v[8];
#pragma unroll
    for (int q = 0; q < 8; q++) {
      int k = k0 + q, tap = k / a.C, c = k - tap * a.C, y = py + tap / 3 - 1, xx = px + tap % 3 - 1;
      bool in = k < row && y >= 0 && y < a.H && xx >= 0 && xx < a.Width;
      v[q] = in ? x[(p + (tap / 3 - 1) * a.Width + (tap % 3 - 1)) * a.C + c] : 0.f;
    }
    store<8>(out + (size_t)j * 8, v);
  }
}

extern "C" __global__ void __launch_bounds__(256) im2col_f32(const Im2colArgs *tasks, Run run) {
  const Im2colArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) im2col_body<float>(a);
}
extern "C" __global__ void __launch_bounds__(256) im2col_bf16(const Im2colArgs *tasks, Run run) {
  const Im2colArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x < a.Blocks) im2col_body<bf16>(a);
}
