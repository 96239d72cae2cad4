// Weight standardisation (StandardArgs).

const int SCOLS = 8, SLICES = THREADS / SCOLS;  // columns of a block, and threads of a column

struct StandardShared {
  double a[THREADS], b[THREADS];
};

// standard_sums adds up a and b over the threads of a column, in a fixed order; all of
// these get the sums. Every thread of the block calls it.
__device__ __forceinline__ void standard_sums(double &a, double &b, StandardShared &s) {
  const int column = threadIdx.x % SCOLS;
  __syncthreads();
  s.a[threadIdx.x] = a;
  s.b[threadIdx.x] = b;
  __syncthreads();
  a = b = 0;
  for (int k = 0; k < SLICES; k++) {
    a += s.a[k * SCOLS + column];
    b += s.b[k * SCOLS + column];
  }
}

// A thread has every SLICES-th input of one output. Sums are in double: those of equal
// weights are then exact, and there are few of them.
extern "C" __global__ void __launch_bounds__(256) standard_fwd(const StandardArgs *tasks, Run run) {
  SHARED StandardShared s;
  const StandardArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  const float *w = (const float *)a.W;
  const int slice = threadIdx.x / SCOLS;
  for (int c0 = blockIdx.x * SCOLS; c0 < a.Cout; c0 += a.Blocks * SCOLS) {
    const int c = c0 + threadIdx.x % SCOLS, rows = c < a.Cout ? a.Cin : 0;
    double sum = 0, square = 0, none = 0;
    for (int k = slice; k < rows; k += SLICES) sum += w[(size_t)k * a.Cout + c];
    standard_sums(sum, none, s);
    const double mean = sum / a.Cin;
    for (int k = slice; k < rows; k += SLICES) {
      const double d = w[(size_t)k * a.Cout + c] - mean;
      square += d * d;
    }
    standard_sums(square, none, s);
    const double sd = a.Cin > 1 ? sqrt(square / (a.Cin - 1)) : 0, inv = 1 / (sd + 1e-5);
    for (int k = slice; k < rows; k += SLICES) ((float *)a.U)[(size_t)k * a.Cout + c] = (float)((w[(size_t)k * a.Cout + c] - mean) * inv);
    if (slice == 0 && c < a.Cout) ((float *)a.SD)[c] = (float)sd;
  }
}

extern "C" __global__ void __launch_bounds__(256) standard_bwd(const StandardArgs *tasks, Run run) {
  SHARED StandardShared s;
  const StandardArgs a = tasks[blockIdx.y];
  if ((int)blockIdx.x >= a.Blocks) return;
  const float *u = (const float *)a.U;
  const int slice = threadIdx.x / SCOLS;
  const size_t n = (size_t)a.Cin * a.Cout;
  for (int c0 = blockIdx.x * SCOLS; c0 < a.Cout; c0 += a.Blocks * SCOLS) {
    const int c = c0 + threadIdx.x % SCOLS, rows = c < a.Cout ? a.Cin : 0;
    double sum = 0, along = 0;
    for (int k = slice; k < rows; k += SLICES) {
      const size_t i = (size_t)k * a.Cout + c;
      const float *p = (const float *)a.Partial + i;
      float g = 0;
#pragma unroll 8
      for (int q = 0; q < a.Splits; q++) g += p[q * n];
      ((float *)a.DW)[i] = g;
      sum += g;
      along += (double)g * u[i];
    }
    standard_sums(sum, along, s);
    const double sd = c < a.Cout ? ((const float *)a.SD)[c] : 0, inv = 1 / (sd + 1e-5), mean = sum / a.Cin;
    const double slope = sd != 0 ? along / sd * (sd + 1e-5) / (a.Cin - 1) : 0;
    for (int k = slice; k < rows; k += SLICES) {
      const size_t i = (size_t)k * a.Cout + c;
      float *dw = (float *)a.DW + i;
      *dw = (float)((*dw - mean - u[i] * slope) * inv);
    }
  }
}
