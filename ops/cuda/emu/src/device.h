// What the fake driver keeps: options, memory, streams and events.
#pragma once
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "emu.h"

namespace fake {

enum Code {
  OK = 0, INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_IMAGE = 200,
  INVALID_CONTEXT = 201, INVALID_HANDLE = 400, NOT_FOUND = 500, NOT_READY = 600, ILLEGAL_ADDRESS = 700, LAUNCH_FAILED = 719,
};

struct Name { int code; bool sticky; const char *name, *text; };
inline const Name names[] = {
    {0, false, "CUDA_SUCCESS", "no error"},
    {1, false, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {2, false, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {3, false, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {4, true, "CUDA_ERROR_DEINITIALIZED", "driver shutting down"},
    {46, true, "CUDA_ERROR_DEVICE_UNAVAILABLE", "device is busy or unavailable"},
    {100, false, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {101, false, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {200, false, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {201, false, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {209, false, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution on the device"},
    {214, true, "CUDA_ERROR_ECC_UNCORRECTABLE", "uncorrectable ECC error encountered"},
    {218, false, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {222, false, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "the provided PTX was compiled with an unsupported toolchain."},
    {400, false, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {500, false, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {600, false, "CUDA_ERROR_NOT_READY", "device not ready"},
    {700, true, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {701, false, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES", "too many resources requested for launch"},
    {702, true, "CUDA_ERROR_LAUNCH_TIMEOUT", "the launch timed out and was terminated"},
    {716, true, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {719, true, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {802, false, "CUDA_ERROR_SYSTEM_NOT_READY", "system not yet initialized"},
    {803, false, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver / cuda driver combination"},
    {999, true, "CUDA_ERROR_UNKNOWN", "unknown error"},
};
inline const Name *find_name(int code) {
  for (auto &n : names)
    if (n.code == code) return &n;
  return nullptr;
}

// ---- options and faults

inline bool inited, lazy, quiet;
inline emu::Order order;
inline size_t memory = (size_t)8 << 30;
inline int devices = 1, capability = 80, multiprocessors = 2;
inline int64_t calls, fail_at;
inline int fail_code;
inline int lost;  // the sticky error; every call returns it
inline std::string message;  // about the last kernel that went wrong

inline bool set_option(const std::string &name, const std::string &value) {
  if (name == "EMU_ORDER")
    order = value == "reverse" ? emu::REVERSE : value == "shuffle" ? emu::SHUFFLE : emu::FORWARD;
  else if (name == "FAKE_CUDA_MEMORY")
    memory = strtoull(value.c_str(), nullptr, 10);
  else if (name == "FAKE_CUDA_LAZY")
    lazy = value == "1";
  else if (name == "FAKE_CUDA_QUIET")
    quiet = value == "1";
  else if (name == "FAKE_CUDA_DEVICES")
    devices = atoi(value.c_str());
  else if (name == "FAKE_CUDA_CAPABILITY")
    capability = atoi(value.c_str());
  else if (name == "FAKE_CUDA_SMS")
    multiprocessors = atoi(value.c_str());
  else if (name == "FAKE_CUDA_FAIL") {
    long long at = 0;
    if (sscanf(value.c_str(), "%lld:%d", &at, &fail_code) == 2) fail_at = at;
  } else
    return false;
  return true;
}

inline void read_environment() {
  for (const char *o : {"EMU_ORDER", "FAKE_CUDA_MEMORY", "FAKE_CUDA_LAZY", "FAKE_CUDA_QUIET", "FAKE_CUDA_DEVICES", "FAKE_CUDA_CAPABILITY",
                        "FAKE_CUDA_SMS", "FAKE_CUDA_FAIL"})
    if (const char *v = getenv(o)) set_option(o, v);
}

// lose makes code the answer to every call from now on.
inline int lose(int code, const std::string &why) {
  message = why;
  if (!quiet) fprintf(stderr, "fake cuda: %s\n", why.c_str());
  return lost = code;
}

// ---- memory

// An allocation ends at a page that cannot be touched, but for the bytes up to a
// multiple of kAlign; it begins behind such a page and some bytes. Those bytes hold
// kGuard and are looked at when the host waits.
constexpr size_t kAlign = 256;
constexpr unsigned char kGuard = 0xa5;
struct Allocation {
  size_t size;
  char *map;
  size_t mapped;
};
inline std::map<uint64_t, Allocation> allocations;
inline std::map<uint64_t, size_t> pinned;
inline size_t used;

inline size_t unused() { return memory > used ? memory - used : 0; }
inline size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

inline int allocate(uint64_t *p, size_t n) {
  if (n == 0) return INVALID_VALUE;
  if (n > unused()) return OUT_OF_MEMORY;
  size_t body = round_up(round_up(n, kAlign), emu::kPage), all = body + 2 * emu::kPage;
  char *map = (char *)mmap(nullptr, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) return OUT_OF_MEMORY;
  mprotect(map, emu::kPage, PROT_NONE);
  mprotect(map + emu::kPage + body, emu::kPage, PROT_NONE);
  char *at = map + emu::kPage + body - round_up(n, kAlign);
  memset(map + emu::kPage, kGuard, at - map - emu::kPage);
  memset(at, 0xff, n);
  memset(at + n, kGuard, round_up(n, kAlign) - n);
  *p = (uint64_t)at;
  allocations[*p] = {n, map, all};
  used += n;
  return OK;
}

// intact looks for writes beside an allocation, and repairs what they did.
inline bool intact(uint64_t p, const Allocation &a) {
  auto *at = (unsigned char *)p, *first = (unsigned char *)a.map + emu::kPage, *end = (unsigned char *)a.map + a.mapped - emu::kPage;
  if (at - first > (ptrdiff_t)kAlign) first = at - kAlign;
  bool ok = true;
  auto check = [&](unsigned char *from, unsigned char *to) {
    for (; from < to; from++)
      if (*from != kGuard) ok = false, *from = kGuard;
  };
  check(first, at);
  check(at + a.size, end);
  return ok;
}

inline int check_guards() {
  for (auto &[p, a] : allocations)
    if (!intact(p, a)) lose(ILLEGAL_ADDRESS, "something was written beside an allocation of " + std::to_string(a.size) + " bytes");
  return lost;
}

// within says whether n bytes at p lie in one allocation.
template <class Map, class Size> bool within(const Map &m, uint64_t p, size_t n, Size size) {
  auto it = m.upper_bound(p);
  if (it == m.begin()) return false;
  --it;
  return p <= it->first + size(it->second) && n <= it->first + size(it->second) - p;
}
inline bool on_device(uint64_t p, size_t n) {
  return within(allocations, p, n, [](const Allocation &a) { return a.size; });
}
inline bool is_pinned(const void *p, size_t n) {
  return within(pinned, (uint64_t)p, n, [](size_t s) { return s; });
}

// ---- streams

// Work of a stream happens at once or, if lazy, when the host waits for it.
using Work = std::function<void()>;
struct Stream {
  std::deque<Work> work;
  int64_t issued = 0, finished = 0;
};
struct Event {
  Stream *stream = nullptr;  // where it was recorded; null: never
  int64_t position = 0;
  double at = 0;
  bool timed = true;
};
inline std::set<Stream *> streams;
inline std::set<Event *> events;

// run_until does the work of a stream up to a position.
inline void run_until(Stream *s, int64_t position) {
  while (s->finished < position && !s->work.empty()) {
    Work w = std::move(s->work.front());
    s->work.pop_front();
    if (!lost) w();
    s->finished++;
  }
}
inline void run_all() {
  for (auto s : streams) run_until(s, s->issued);
}

inline int enqueue(Stream *s, Work w) {
  s->issued++;
  s->work.push_back(std::move(w));
  if (!lazy) run_until(s, s->issued);
  return lost;
}

inline double milliseconds() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace fake
