// A fake libcuda.so.1: the driver functions that oneshot calls, with kernels that
// run in the emulator. build.sh makes kernels.inc, the text of all kernels, and
// table.inc, a table of their names.
//
// Options, from the environment at cuInit or by fakeOption:
//
//   EMU_ORDER            forward, reverse or shuffle: of threads, warps and blocks
//   FAKE_CUDA_LAZY       1: work in a stream happens when the host waits for it, so
//                        that a host that looks too early sees old values
//   FAKE_CUDA_MEMORY     bytes of the device (8 GiB)
//   FAKE_CUDA_DEVICES    how many there are (1)
//   FAKE_CUDA_CAPABILITY their compute capability (80)
//   FAKE_CUDA_SMS        multiprocessors (2)
//   FAKE_CUDA_FAIL       N:CODE: the N-th call returns CODE; see fakeFault
//   FAKE_CUDA_QUIET      1: no messages about kernels that went wrong
//
// A call that breaks the rules of the driver returns the driver's error. A kernel
// that goes wrong is a sticky error, with a message to standard error.
#include "device.h"
#include "kernels.inc"
#include "table.inc"
#include "sanitizer.h"
#undef threadIdx
#undef blockIdx
#undef gridDim
#undef blockDim

#define API extern "C" __attribute__((visibility("default")))

using namespace fake;

namespace {

struct Module { std::string image; };
std::set<Module *> modules;
thread_local uint64_t current;
int retained;
const char *failed = "";

// enter counts a call and says whether it fails.
int enter(const char *name) {
  calls++;
  if (!lost && calls == fail_at) {
    failed = name;
    const Name *n = find_name(fail_code);
    if (n && n->sticky) lost = fail_code;
    return fail_code;
  }
  return lost;
}

// Launch is a kernel with its arguments; in a graph, after those launches.
struct Launch {
  const EmuKernel *kernel;
  unsigned blocks, tasks;
  const void *table;
  Run run;
  std::vector<size_t> after;
};
struct Graph {
  std::vector<Launch> launches;
  bool executable = false;
};
std::set<Graph *> graphs;

// NodeParams is CUDA_KERNEL_NODE_PARAMS.
struct NodeParams {
  const EmuKernel *kernel;
  unsigned grid[3], block[3], shared;
  void **params, **extra;
};

bool launchable(const EmuKernel *k, const unsigned *grid, const unsigned *block, unsigned shared) {
  return k >= std::begin(emu_kernels) && k < std::end(emu_kernels) && grid[0] && grid[0] <= 0x7fffffff && grid[1] && grid[1] <= 65535 && grid[2] == 1 &&
         block[0] == emu::kThreads && block[1] == 1 && block[2] == 1 && !shared;
}

void start(const Launch &l) {
  std::string name = l.kernel->name;
  if ((uint64_t)l.table % 8 || !on_device((uint64_t)l.table, l.kernel->size * l.tasks)) {
    lose(ILLEGAL_ADDRESS, name + ": the table of " + std::to_string(l.tasks) + " tasks is not on the device");
    return;
  }
  std::string why = emu::launch(l.blocks, l.tasks, order, [&] { l.kernel->call(l.table, l.run); });
  if (!why.empty()) lose(emu::Faults::hit ? ILLEGAL_ADDRESS : LAUNCH_FAILED, name + ": " + why);
}

// run_graph does the launches of a graph in an order that its edges allow, and
// prefers the one added last, so that a missing edge shows.
void run_graph(const std::vector<Launch> &launches) {
  size_t n = launches.size();
  std::vector<size_t> missing(n);
  std::vector<std::vector<size_t>> next(n);
  std::set<size_t, std::greater<size_t>> ready;
  for (size_t i = 0; i < n; i++) {
    missing[i] = launches[i].after.size();
    for (size_t a : launches[i].after) next[a].push_back(i);
    if (!missing[i]) ready.insert(i);
  }
  while (!ready.empty() && !lost) {
    size_t i = *ready.begin();
    ready.erase(i);
    start(launches[i]);
    for (size_t k : next[i])
      if (!--missing[k]) ready.insert(k);
  }
}

#define ENTER                          \
  if (int code = enter(__func__)) return code; \
  if (!inited) return NOT_INITIALIZED;
#define ENTER_CONTEXT \
  ENTER               \
  if (!current) return INVALID_CONTEXT;
#define NEED(ok, code) \
  if (!(ok)) return code;
#define STREAM(s) NEED(streams.count(s), INVALID_HANDLE)
#define EVENT(e) NEED(events.count(e), INVALID_HANDLE)

template <class T> void delete_all(std::set<T *> &all) {
  for (T *x : all) delete x;
  all.clear();
}

// destroy_context frees all that exists, as the driver does.
void destroy_context() {
  run_all();
  for (auto &[p, a] : allocations) munmap(a.map, a.mapped);
  for (auto &[p, n] : pinned) free((void *)p);
  allocations.clear();
  pinned.clear();
  used = 0;
  delete_all(streams);
  delete_all(events);
  delete_all(graphs);
  delete_all(modules);
}

int wait(Stream *s, int64_t position) {
  run_until(s, position);
  if (!lost) check_guards();
  return lost;
}

}  // namespace

// fakeFault makes the call number at from now (1 is the next) return code; 0: none.
// It forgets a sticky error.
API void fakeFault(int64_t at, int code) {
  fail_at = at ? calls + at : 0;
  fail_code = code;
  lost = 0;
  message.clear();
  failed = "";
}
// fakeMessage says what went wrong with the last kernel that did.
API const char *fakeMessage() { return message.c_str(); }
// fakeFailed is the name of the call that fakeFault hit; "": none yet.
API const char *fakeFailed() { return failed; }
// fakeCalls is how many calls there have been.
API int64_t fakeCalls() { return calls; }
// fakeUsed is how many bytes, events, streams, graphs and pinned blocks there are.
API void fakeUsed(int64_t out[5]) {
  out[0] = (int64_t)used, out[1] = (int64_t)events.size(), out[2] = (int64_t)streams.size(), out[3] = (int64_t)graphs.size(), out[4] = (int64_t)pinned.size();
}
// fakeOption sets an option; 1: there is none of this name.
API int fakeOption(const char *name, const char *value) { return set_option(name, value) ? 0 : 1; }

// ---- devices and contexts

API int cuInit(unsigned flags) {
  if (!inited) read_environment();
  inited = true;
  ENTER NEED(!flags, INVALID_VALUE)
  return devices > 0 ? OK : NO_DEVICE;
}
API int cuDriverGetVersion(int *v) { ENTER *v = 13000; return OK; }
API int cuDeviceGetCount(int *n) { ENTER *n = devices; return OK; }
API int cuDeviceGet(int *d, int i) { ENTER NEED(i >= 0 && i < devices, INVALID_DEVICE) *d = i; return OK; }
API int cuDeviceGetName(char *b, int n, int) { ENTER snprintf(b, n, "emulated GPU"); return OK; }
API int cuDeviceGetAttribute(int *v, int attribute, int) {
  ENTER
  switch (attribute) {
    case 1: *v = 1024; break;                   // threads a block
    case 8: *v = 48 << 10; break;               // shared memory a block
    case 10: *v = 32; break;                    // warp
    case 16: *v = multiprocessors; break;
    case 75: *v = capability / 10; break;
    case 76: *v = capability % 10; break;
    default: *v = 0;
  }
  return OK;
}
API int cuDeviceTotalMem_v2(size_t *n, int) { ENTER *n = memory; return OK; }
API int cuDevicePrimaryCtxRetain(uint64_t *c, int d) { ENTER retained++; *c = 0xC0 + d; return OK; }
API int cuDevicePrimaryCtxRelease_v2(int) {
  ENTER NEED(retained > 0, INVALID_CONTEXT)
  if (--retained == 0) destroy_context();
  return lost;
}
API int cuCtxSetCurrent(uint64_t c) { ENTER current = c; return OK; }
API int cuCtxGetCurrent(uint64_t *c) { ENTER *c = current; return OK; }
API int cuCtxSynchronize() {
  ENTER_CONTEXT
  run_all();
  return lost ? lost : check_guards();
}

// ---- memory

API int cuMemGetInfo_v2(size_t *f, size_t *t) { ENTER_CONTEXT *f = unused(); *t = memory; return OK; }
API int cuMemAlloc_v2(uint64_t *p, size_t n) { ENTER_CONTEXT return allocate(p, n); }
API int cuMemFree_v2(uint64_t p) {
  ENTER_CONTEXT
  if (!p) return OK;
  auto it = allocations.find(p);
  NEED(it != allocations.end(), INVALID_VALUE)
  run_all();
  if (!lost) check_guards();
  used -= it->second.size;
  munmap(it->second.map, it->second.mapped);
  allocations.erase(it);
  return lost;
}
API int cuMemHostAlloc(void **p, size_t n, unsigned) {
  ENTER_CONTEXT NEED(n, INVALID_VALUE)
  *p = aligned_alloc(4096, round_up(n, 4096));
  if (!*p) return OUT_OF_MEMORY;
  memset(*p, 0xff, n);
  pinned[(uint64_t)*p] = n;
  return OK;
}
API int cuMemFreeHost(void *p) {
  ENTER_CONTEXT NEED(pinned.count((uint64_t)p), INVALID_VALUE)
  run_all();
  pinned.erase((uint64_t)p);
  free(p);
  return lost;
}
API int cuMemsetD8Async(uint64_t d, unsigned char v, size_t n, Stream *s) {
  ENTER_CONTEXT STREAM(s) NEED(on_device(d, n), INVALID_VALUE)
  return enqueue(s, [=] { memset((void *)d, v, n); });
}
API int cuMemsetD32Async(uint64_t d, unsigned v, size_t n, Stream *s) {
  ENTER_CONTEXT STREAM(s) NEED(on_device(d, 4 * n) && d % 4 == 0, INVALID_VALUE)
  return enqueue(s, [=] { std::fill_n((unsigned *)d, n, v); });
}
API int cuMemcpyHtoDAsync_v2(uint64_t d, const void *src, size_t n, Stream *s) {
  ENTER_CONTEXT STREAM(s) NEED(on_device(d, n) && (src || !n), INVALID_VALUE)
  if (is_pinned(src, n)) return enqueue(s, [=] { memcpy((void *)d, src, n); });
  // Other memory may change as soon as the call returns.
  if (!lazy) return enqueue(s, [=] { memcpy((void *)d, src, n); });
  std::string copy((const char *)src, n);
  return enqueue(s, [=] { memcpy((void *)d, copy.data(), n); });
}
API int cuMemcpyDtoHAsync_v2(void *d, uint64_t src, size_t n, Stream *s) {
  ENTER_CONTEXT STREAM(s) NEED(on_device(src, n) && (d || !n), INVALID_VALUE)
  if (is_pinned(d, n)) return enqueue(s, [=] { memcpy(d, (void *)src, n); });
  if (int code = enqueue(s, [=] { memcpy(d, (void *)src, n); })) return code;
  return wait(s, s->issued);  // other memory is there when the call returns
}
API int cuMemcpyDtoDAsync_v2(uint64_t d, uint64_t src, size_t n, Stream *s) {
  ENTER_CONTEXT STREAM(s) NEED(on_device(src, n) && on_device(d, n), INVALID_VALUE)
  return enqueue(s, [=] { memmove((void *)d, (void *)src, n); });
}

// ---- streams and events

API int cuStreamCreate(Stream **s, unsigned) { ENTER_CONTEXT streams.insert(*s = new Stream); return OK; }
API int cuStreamDestroy_v2(Stream *s) {
  ENTER_CONTEXT STREAM(s)
  run_until(s, s->issued);
  for (auto e : events)
    if (e->stream == s) e->stream = nullptr;
  streams.erase(s);
  delete s;
  return lost;
}
API int cuStreamSynchronize(Stream *s) { ENTER_CONTEXT STREAM(s) return wait(s, s->issued); }
API int cuStreamQuery(Stream *s) { ENTER_CONTEXT STREAM(s) return s->finished == s->issued ? OK : NOT_READY; }
API int cuStreamWaitEvent(Stream *s, Event *e, unsigned) {
  ENTER_CONTEXT STREAM(s) EVENT(e)
  if (!e->stream) return OK;
  Stream *of = e->stream;
  int64_t position = e->position;
  return enqueue(s, [=] {
    if (streams.count(of)) run_until(of, position);
  });
}
API int cuEventCreate(Event **e, unsigned flags) {
  ENTER_CONTEXT
  events.insert(*e = new Event);
  (*e)->timed = !(flags & 2);
  return OK;
}
API int cuEventDestroy_v2(Event *e) {
  ENTER_CONTEXT EVENT(e)
  if (e->stream) run_until(e->stream, e->position);
  events.erase(e);
  delete e;
  return lost;
}
API int cuEventRecord(Event *e, Stream *s) {
  ENTER_CONTEXT EVENT(e) STREAM(s)
  e->stream = s;
  e->position = s->issued + 1;
  return enqueue(s, [=] {
    if (events.count(e)) e->at = milliseconds();
  });
}
API int cuEventSynchronize(Event *e) { ENTER_CONTEXT EVENT(e) return e->stream ? wait(e->stream, e->position) : OK; }
API int cuEventQuery(Event *e) {
  ENTER_CONTEXT EVENT(e)
  if (!e->stream || e->stream->finished >= e->position) return OK;
  run_until(e->stream, e->stream->finished + 1);  // who asks again and again comes to an end
  return NOT_READY;
}
API int cuEventElapsedTime(float *ms, Event *a, Event *b) {
  ENTER_CONTEXT EVENT(a) EVENT(b)
  for (auto e : {a, b}) {
    NEED(e->stream && e->timed, INVALID_HANDLE)
    NEED(e->stream->finished >= e->position, NOT_READY)
  }
  *ms = (float)(b->at - a->at);
  return OK;
}

// ---- modules and launches

API int cuModuleLoadData(Module **m, const void *image) {
  ENTER_CONTEXT
  NEED(image && *(const char *)image, INVALID_IMAGE)
  modules.insert(*m = new Module{(const char *)image});
  return OK;
}
API int cuModuleLoadDataEx(Module **m, const void *image, unsigned, int *, void **) { return cuModuleLoadData(m, image); }
API int cuModuleUnload(Module *m) {
  ENTER_CONTEXT NEED(modules.erase(m), INVALID_HANDLE)
  run_all();
  delete m;
  return lost;
}
API int cuModuleGetFunction(const EmuKernel **f, Module *m, const char *name) {
  ENTER_CONTEXT NEED(modules.count(m), INVALID_HANDLE)
  NEED(m->image.find(name) != std::string::npos, NOT_FOUND)
  for (auto &k : emu_kernels)
    if (!strcmp(k.name, name)) return *f = &k, OK;
  return NOT_FOUND;
}
API int cuFuncSetAttribute(const EmuKernel *f, int, int) { ENTER_CONTEXT return f ? OK : INVALID_HANDLE; }
API int cuFuncGetAttribute(int *v, int attribute, const EmuKernel *f) {
  ENTER_CONTEXT NEED(f, INVALID_HANDLE)
  *v = attribute == 0 ? emu::kThreads : 0;
  return OK;
}
API int cuLaunchKernel(const EmuKernel *k, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, Stream *s,
                       void **params, void **extra) {
  ENTER_CONTEXT STREAM(s)
  unsigned grid[3] = {gx, gy, gz}, block[3] = {bx, by, bz};
  NEED(launchable(k, grid, block, shared) && params && !extra, INVALID_VALUE)
  Launch l{k, gx, gy, *(const void **)params[0], *(const Run *)params[1], {}};
  return enqueue(s, [=] { start(l); });
}

// ---- graphs

API int cuGraphCreate(Graph **g, unsigned flags) {
  ENTER_CONTEXT NEED(!flags, INVALID_VALUE)
  graphs.insert(*g = new Graph);
  return OK;
}
// A node is its number, from 1.
API int cuGraphAddKernelNode(size_t *n, Graph *g, const size_t *after, size_t count, const NodeParams *p) {
  ENTER_CONTEXT NEED(graphs.count(g) && !g->executable, INVALID_VALUE)
  NEED(launchable(p->kernel, p->grid, p->block, p->shared) && p->params && !p->extra, INVALID_VALUE)
  Launch l{p->kernel, p->grid[0], p->grid[1], *(const void **)p->params[0], *(const Run *)p->params[1], {}};
  for (size_t i = 0; i < count; i++) {
    NEED(after[i] >= 1 && after[i] <= g->launches.size(), INVALID_VALUE)
    l.after.push_back(after[i] - 1);
  }
  g->launches.push_back(l);
  *n = g->launches.size();
  return OK;
}
API int cuGraphInstantiateWithFlags(Graph **x, Graph *g, unsigned long long) {
  ENTER_CONTEXT NEED(graphs.count(g) && !g->executable, INVALID_VALUE)
  graphs.insert(*x = new Graph{g->launches, true});
  return OK;
}
API int cuGraphLaunch(Graph *x, Stream *s) {
  ENTER_CONTEXT STREAM(s) NEED(graphs.count(x) && x->executable, INVALID_VALUE)
  return enqueue(s, [launches = x->launches] { run_graph(launches); });
}
API int cuGraphDestroy(Graph *g) {
  ENTER_CONTEXT NEED(graphs.count(g) && !g->executable, INVALID_VALUE)
  graphs.erase(g);
  delete g;
  return OK;
}
API int cuGraphExecDestroy(Graph *x) {
  ENTER_CONTEXT NEED(graphs.count(x) && x->executable, INVALID_VALUE)
  graphs.erase(x);
  delete x;
  return OK;
}

// ---- errors: they fail in no case

API int cuGetErrorName(int code, const char **s) { auto n = find_name(code); *s = n ? n->name : nullptr; return n ? OK : INVALID_VALUE; }
API int cuGetErrorString(int code, const char **s) { auto n = find_name(code); *s = n ? n->text : nullptr; return n ? OK : INVALID_VALUE; }
