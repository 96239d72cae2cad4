// A fake libcuda.so.1 and libnvrtc: the driver functions that oneshot calls, with
// kernels that run in the emulator. build.sh makes kernels.inc, the text of all
// kernels and a table of their names.
//
//   FAKE_CUDA_MEMORY   bytes of the device (8 GiB)
//   FAKE_CUDA_LAZY     1: work in a stream happens at the next synchronisation, so
//                      that a host that looks too early sees old values
//   FAKE_CUDA_FAIL     N:CODE: the N-th call returns CODE; with a sticky code, so do
//                      all after it
#include "emu.h"

#include "kernels.inc"
#undef threadIdx
#undef blockIdx
#undef gridDim

#include <chrono>
#include <functional>
#include <map>
#include <vector>

#define API extern "C" __attribute__((visibility("default")))

namespace {

enum {
  OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201, INVALID_HANDLE = 400, NOT_FOUND = 500, ILLEGAL_ADDRESS = 700, LAUNCH_FAILED = 719,
};

const std::map<int, const char *> names = {
    {0, "CUDA_SUCCESS"}, {1, "CUDA_ERROR_INVALID_VALUE"}, {2, "CUDA_ERROR_OUT_OF_MEMORY"}, {3, "CUDA_ERROR_NOT_INITIALIZED"},
    {100, "CUDA_ERROR_NO_DEVICE"}, {101, "CUDA_ERROR_INVALID_DEVICE"}, {200, "CUDA_ERROR_INVALID_IMAGE"},
    {201, "CUDA_ERROR_INVALID_CONTEXT"}, {214, "CUDA_ERROR_ECC_UNCORRECTABLE"}, {400, "CUDA_ERROR_INVALID_HANDLE"},
    {500, "CUDA_ERROR_NOT_FOUND"}, {700, "CUDA_ERROR_ILLEGAL_ADDRESS"}, {719, "CUDA_ERROR_LAUNCH_FAILED"}, {999, "CUDA_ERROR_UNKNOWN"}};

bool sticky(int code) { return code == ILLEGAL_ADDRESS || code == LAUNCH_FAILED || code == 214 || code == 999; }

struct Stream { std::vector<std::function<void()>> work; };
std::vector<Stream *> streams;
struct Event { double at = 0; };
struct Module { std::string image; };

constexpr size_t kGuard = 256;
constexpr unsigned char kGuardByte = 0xa5;
struct Allocation { size_t size; };

long long calls, fail_at;
int fail_code, lost;
bool lazy, inited;
size_t memory = (size_t)8 << 30, used;
thread_local uint64_t context;
std::map<uint64_t, Allocation> allocations;
std::map<void *, size_t> pinned;

// enter counts a call and says whether it fails.
int enter() {
  calls++;
  if (lost) return lost;
  if (fail_at && calls == fail_at) {
    if (sticky(fail_code)) lost = fail_code;
    return fail_code;
  }
  return OK;
}

#define ENTER \
  if (int code = enter()) return code;
#define NEED_CONTEXT \
  if (!context) return INVALID_CONTEXT;

void flush(Stream *s) {
  auto work = std::move(s->work);
  s->work.clear();
  for (auto &f : work) f();
}

int enqueue(void *s, std::function<void()> f) {
  if (!s) return INVALID_HANDLE;
  if (lazy)
    ((Stream *)s)->work.push_back(std::move(f));
  else
    f();
  return lost;
}

// within says whether n bytes at p lie in one allocation of the device.
bool within(uint64_t p, size_t n) {
  auto it = allocations.upper_bound(p);
  if (it == allocations.begin()) return false;
  --it;
  return p + n <= it->first + it->second.size;
}

// guards_intact looks for writes beyond an allocation.
bool guards_intact() {
  for (auto &[p, a] : allocations)
    for (size_t i = 0; i < kGuard; i++)
      if (((unsigned char *)p)[-1 - (ptrdiff_t)i] != kGuardByte || ((unsigned char *)p)[a.size + i] != kGuardByte) {
        fprintf(stderr, "fake cuda: a kernel wrote beyond an allocation of %zu bytes\n", a.size);
        return false;
      }
  return true;
}

}  // namespace

API long long fakeCalls() { return calls; }
API void fakeFault(long long at, int code) {
  fail_at = at ? calls + at : 0;
  fail_code = code;
  lost = 0;
}

API int cuInit(unsigned) {
  if (!inited) {
    if (const char *m = getenv("FAKE_CUDA_MEMORY")) memory = strtoull(m, nullptr, 10);
    if (const char *l = getenv("FAKE_CUDA_LAZY")) lazy = *l == '1';
    if (const char *f = getenv("FAKE_CUDA_FAIL")) sscanf(f, "%lld:%d", &fail_at, &fail_code);
  }
  inited = true;
  ENTER
  return OK;
}
API int cuDriverGetVersion(int *v) { ENTER *v = 13000; return OK; }
API int cuDeviceGetCount(int *n) { ENTER if (!inited) return NOT_INITIALIZED; *n = 1; return OK; }
API int cuDeviceGet(int *d, int i) { ENTER if (i) return INVALID_DEVICE; *d = 0; return OK; }
API int cuDeviceGetName(char *b, int n, int) { ENTER snprintf(b, n, "emulated GPU"); return OK; }
API int cuDeviceGetAttribute(int *v, int a, int) { ENTER *v = a == 75 ? 8 : a == 76 ? 0 : a == 16 ? 2 : 0; return OK; }
API int cuDeviceTotalMem_v2(size_t *n, int) { ENTER *n = memory; return OK; }
API int cuDevicePrimaryCtxRetain(uint64_t *c, int) { ENTER if (!inited) return NOT_INITIALIZED; *c = 0xC0; return OK; }
API int cuDevicePrimaryCtxRelease_v2(int) { ENTER return OK; }
API int cuCtxSetCurrent(uint64_t c) { ENTER context = c; return OK; }
API int cuMemGetInfo_v2(size_t *f, size_t *t) { ENTER NEED_CONTEXT *f = memory - used; *t = memory; return OK; }
API int cuMemAlloc_v2(uint64_t *p, size_t n) {
  ENTER NEED_CONTEXT
  if (!n) return INVALID_VALUE;
  if (used + n > memory) return OUT_OF_MEMORY;
  char *q = (char *)aligned_alloc(256, (n + 2 * kGuard + 255) / 256 * 256);
  memset(q, kGuardByte, n + 2 * kGuard);
  memset(q + kGuard, 0xff, n);
  *p = (uint64_t)(q + kGuard);
  allocations[*p] = {n};
  used += n;
  return OK;
}
API int cuMemFree_v2(uint64_t p) {
  ENTER NEED_CONTEXT
  auto it = allocations.find(p);
  if (it == allocations.end()) return INVALID_VALUE;
  if (!guards_intact()) return lost = ILLEGAL_ADDRESS;
  used -= it->second.size;
  free((char *)p - kGuard);
  allocations.erase(it);
  return OK;
}
API int cuMemHostAlloc(void **p, size_t n, unsigned) { ENTER NEED_CONTEXT *p = aligned_alloc(4096, (n + 4095) / 4096 * 4096); pinned[*p] = n; return OK; }
API int cuMemFreeHost(void *p) { ENTER if (!pinned.erase(p)) return INVALID_VALUE; free(p); return OK; }
API int cuStreamCreate(void **s, unsigned) { ENTER NEED_CONTEXT streams.push_back(new Stream); *s = streams.back(); return OK; }
API int cuStreamSynchronize(void *s) {
  ENTER NEED_CONTEXT
  flush((Stream *)s);
  if (!lost && !guards_intact()) lost = ILLEGAL_ADDRESS;
  return lost;
}
API int cuMemsetD8Async(uint64_t d, unsigned char v, size_t n, void *s) {
  ENTER NEED_CONTEXT
  if (!within(d, n)) return INVALID_VALUE;
  return enqueue(s, [=] { memset((void *)d, v, n); });
}
API int cuMemcpyHtoDAsync_v2(uint64_t d, const void *src, size_t n, void *s) {
  ENTER NEED_CONTEXT
  if (!within(d, n)) return INVALID_VALUE;
  bool is_pinned = false;
  for (auto &[p, size] : pinned) is_pinned |= src >= p && (char *)src + n <= (char *)p + size;
  if (lazy && !is_pinned) {  // pageable memory is staged before the call returns
    std::string copy((const char *)src, n);
    return enqueue(s, [=] { memcpy((void *)d, copy.data(), n); });
  }
  return enqueue(s, [=] { memcpy((void *)d, src, n); });
}
API int cuMemcpyDtoHAsync_v2(void *d, uint64_t src, size_t n, void *s) {
  ENTER NEED_CONTEXT
  if (!within(src, n)) return INVALID_VALUE;
  return enqueue(s, [=] { memcpy(d, (void *)src, n); });
}
API int cuMemcpyDtoDAsync_v2(uint64_t d, uint64_t src, size_t n, void *s) {
  ENTER NEED_CONTEXT
  if (!within(src, n) || !within(d, n)) return INVALID_VALUE;
  return enqueue(s, [=] { memmove((void *)d, (void *)src, n); });
}
API int cuEventCreate(void **e, unsigned) { ENTER NEED_CONTEXT *e = new Event; return OK; }
API int cuEventDestroy_v2(void *e) { ENTER delete (Event *)e; return OK; }
API int cuEventRecord(void *e, void *s) {
  ENTER NEED_CONTEXT
  return enqueue(s, [=] { ((Event *)e)->at = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); });
}
API int cuEventSynchronize(void *) {
  ENTER NEED_CONTEXT
  for (auto s : streams) flush(s);
  return lost;
}
API int cuEventElapsedTime(float *ms, void *a, void *b) { ENTER *ms = (float)(((Event *)b)->at - ((Event *)a)->at); return OK; }
API int cuModuleLoadData(void **m, const void *image) {
  ENTER NEED_CONTEXT
  const char *t = (const char *)image;
  if (!t || !*t) return INVALID_IMAGE;
  *m = new Module{t};
  return OK;
}
API int cuModuleGetFunction(void **f, void *m, const char *name) {
  ENTER NEED_CONTEXT
  for (auto &k : emu_kernels)
    if (!strcmp(k.name, name) && ((Module *)m)->image.find(name) != std::string::npos) {
      *f = (void *)&k;
      return OK;
    }
  return NOT_FOUND;
}
static int start(const EmuKernel *k, unsigned gx, unsigned gy, const void *tasks, Run run) {
  if (lost) return lost;
  std::string err = emu::launch(gx, gy, [=] { k->call(tasks, run); });
  if (!err.empty()) {
    fprintf(stderr, "fake cuda: %s: %s\n", k->name, err.c_str());
    lost = LAUNCH_FAILED;
  }
  return lost;
}
API int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned, void *s, void **params, void **extra) {
  ENTER NEED_CONTEXT
  if (!f || extra || !gx || !gy || gz != 1 || bx != emu::kThreads || by != 1 || bz != 1 || gy > 65535) return INVALID_VALUE;
  auto *k = (const EmuKernel *)f;
  const void *tasks = *(const void **)params[0];
  Run run = *(const Run *)params[1];
  if (!within((uint64_t)tasks, k->size * gy)) return INVALID_VALUE;
  return enqueue(s, [=] { start(k, gx, gy, tasks, run); });
}

// A graph runs its nodes in an order that its edges allow, the last added first, so
// that a missing edge shows.
struct GraphNode { const EmuKernel *k; unsigned gx, gy; const void *tasks; Run run; std::vector<size_t> after; };
struct Graph { std::vector<GraphNode> nodes; };
struct NodeParams { void *f; unsigned gx, gy, gz, bx, by, bz, shared; void **params; void **extra; };
API int cuGraphCreate(void **g, unsigned) { ENTER NEED_CONTEXT *g = new Graph; return OK; }
API int cuGraphAddKernelNode(size_t *n, void *g, const size_t *after, size_t count, const NodeParams *p) {
  ENTER NEED_CONTEXT
  auto *k = (const EmuKernel *)p->f;
  if (!k || p->extra || !p->gx || !p->gy || p->gz != 1 || p->bx != emu::kThreads || p->by != 1 || p->bz != 1) return INVALID_VALUE;
  GraphNode node{k, p->gx, p->gy, *(const void **)p->params[0], *(const Run *)p->params[1], {}};
  for (size_t i = 0; i < count; i++) {
    if (after[i] == 0 || after[i] > ((Graph *)g)->nodes.size()) return INVALID_VALUE;
    node.after.push_back(after[i] - 1);
  }
  ((Graph *)g)->nodes.push_back(node);
  *n = ((Graph *)g)->nodes.size();
  return OK;
}
API int cuGraphInstantiateWithFlags(void **x, void *g, unsigned long long) { ENTER NEED_CONTEXT *x = new Graph(*(Graph *)g); return OK; }
API int cuGraphLaunch(void *x, void *s) {
  ENTER NEED_CONTEXT
  Graph graph = *(Graph *)x;
  return enqueue(s, [=] {
    std::vector<char> done(graph.nodes.size());
    for (size_t left = done.size(); left > 0;) {
      bool any = false;
      for (size_t i = done.size(); i-- > 0;) {
        auto &n = graph.nodes[i];
        bool ready = !done[i];
        for (size_t a : n.after) ready = ready && done[a];
        if (!ready) continue;
        start(n.k, n.gx, n.gy, n.tasks, n.run);
        done[i] = 1;
        any = true;
        left--;
        break;
      }
      if (!any) return;
    }
  });
}
API int cuGraphDestroy(void *g) { ENTER delete (Graph *)g; return OK; }
API int cuGraphExecDestroy(void *x) { ENTER delete (Graph *)x; return OK; }
API int cuGetErrorName(int code, const char **s) {
  auto it = names.find(code);
  *s = it == names.end() ? "CUDA_ERROR_UNKNOWN" : it->second;
  return OK;
}
