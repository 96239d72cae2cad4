// The threads of a block as fibers of one thread of the processor.
//
// Threads run one after the other, each until it stops: at a barrier, at a
// collective operation of its warp, or at its end. Whoever stops switches to the
// next thread itself; a thread that never stops before its end leaves its stack to
// the next one, so that a block without barriers is 256 calls in a row.
//
// A warp runs until all of its lanes are at a barrier or done, then the next warp
// does. So when a warp's turn begins, each of its lanes can run, and at its end all
// must have stopped for the same reason at the same place of the source. Anything
// else is an error of the kernel and ends the launch.
#pragma once
#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <string>
#include <sys/mman.h>

#if !defined(__x86_64__) && !defined(EMU_UCONTEXT)
#define EMU_UCONTEXT
#endif
#include <ucontext.h>

struct emu_dim { unsigned x, y, z; };

// All SHARED variables lie in one section, so that it can be poisoned as a whole.
#define SHARED static __attribute__((section("emu_shared"), aligned(16)))
extern "C" {
extern char __start_emu_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_emu_shared[] __attribute__((weak, visibility("hidden")));
}

namespace emu {

constexpr int kThreads = 256, kWarp = 32;
constexpr size_t kStack = 512 << 10;   // virtual; most of it is never touched
constexpr size_t kStagger = 17 << 6;   // stacks begin this much apart, or they would share a few sets of the caches
constexpr size_t kPage = 64 << 10;    // at least a page of any machine

enum Stop { BARRIER, COLLECTIVE, DONE };
enum Order { FORWARD, REVERSE, SHUFFLE };

struct Fiber {
#ifdef EMU_UCONTEXT
  ucontext_t context;
#else
  void *sp;  // first, for change
#endif
  Fiber *next;  // in the list of those that are free
  char *stack, *top;
};

struct Thread {
  emu_dim id;
  Fiber *fiber;  // null before its start and after its end
};

// Place is where in the source a thread stopped.
struct Place {
  const char *file;
  int line;
  bool operator==(const Place &o) const { return line == o.line && (file == o.file || !strcmp(file, o.file)); }
  std::string text() const { return std::string(file) + ":" + std::to_string(line); }
};

struct Block {
  Thread *now;
  emu_dim index, grid;
  int at;        // of order: the running thread
  int count[3];  // threads that stopped: of the block at barriers or their end, of the warp at a collective
  Place place[2];  // of the first of them
  unsigned turn;  // half of the slots for the present collective
  uint64_t slot[2][kWarp][8];  // what the lanes tell each other
  Thread *order[kThreads];
  Thread thread[kThreads];
  Fiber fiber[kThreads], scheduler;
  Fiber *free;
  void (*body)(void *);
  void *arg;
  bool stopped;  // somebody did before the end
  std::string error;
};

inline Block block;  // one kernel runs at a time

#ifdef EMU_UCONTEXT
inline void change(Fiber *from, Fiber *to) { swapcontext(&from->context, &to->context); }
#else
// There is no call, so that the processor foresees where yield returns to: all
// threads come from the same place. 128 bytes below the stack are the caller's.
inline __attribute__((always_inline)) void change(Fiber *from, Fiber *to) {
  asm volatile(
      "addq $-128, %%rsp; pushq %%rbp; pushq %%rbx; leaq 1f(%%rip), %%rax; pushq %%rax; movq %%rsp, (%0);"
      "movq (%1), %%rsp; popq %%rax; jmp *%%rax; 1: popq %%rbx; popq %%rbp; subq $-128, %%rsp"
      : "+D"(from), "+S"(to)
      :
      : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
        "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
#endif

// fail ends the launch. The fibers stay as they are; launch makes new ones.
[[noreturn]] inline void fail(std::string why) {
  block.error = std::move(why);
  static Fiber abandoned;
  change(&abandoned, &block.scheduler);
  __builtin_unreachable();
}

// stop ends the running thread's turn and returns the thread that is next; null
// after the last thread of the block has ended.
inline Thread *stop(Stop why) {
  Block &b = block;
  b.count[why]++;
  if (++b.at % kWarp) return b.order[b.at];
  if (int n = b.count[COLLECTIVE]) {
    if (n < kWarp) fail(std::to_string(n) + " of 32 lanes are at the collective operation in " + b.place[COLLECTIVE].text());
    b.count[COLLECTIVE] = 0;
    b.turn ^= 1;
    b.at -= kWarp;
    return b.order[b.at];
  }
  if (b.at < kThreads) return b.order[b.at];
  b.at = 0;
  if (b.count[DONE] == kThreads) return nullptr;
  if (b.count[DONE]) fail(std::to_string(b.count[DONE]) + " threads have ended while others wait at the barrier in " + b.place[BARRIER].text());
  b.count[BARRIER] = 0;
  return b.order[0];
}

// enter goes on with a thread; from is the fiber that is left.
inline void enter(Fiber *from, Thread *t) {
  Block &b = block;
  if (!t) return change(from, &b.scheduler);
  b.now = t;
  if (!t->fiber) {
    t->fiber = b.free;
    b.free = b.free->next;
  }
  if (t->fiber != from) change(from, t->fiber);
}

// yield is where a thread waits for others.
inline __attribute__((noinline)) void yield(Stop why, Place here) {
  Block &b = block;
  b.stopped = true;
  if (b.count[why] == 0)
    b.place[why] = here;
  else if (!(here == b.place[why]))
    fail("threads wait in " + b.place[why].text() + " and in " + here.text() + " for each other");
  Fiber *self = b.now->fiber;
  enter(self, stop(why));
}

// run is what a fiber does: threads from their start to their end. A free fiber
// waits in the last line.
inline void run() {
  Block &b = block;
  for (;;) {
    b.body(b.arg);
    Fiber *self = b.now->fiber;
    b.now->fiber = nullptr;
    Thread *t = stop(DONE);
    if (t && !t->fiber) {
      t->fiber = self;
      b.now = t;
      continue;
    }
    self->next = b.free;
    b.free = self;
    enter(self, t);
  }
}

// prepare makes every fiber free, at the beginning of run.
inline void prepare() {
  Block &b = block;
  static char *stacks = [] {
    // A page before each stack faults when it is too short; -fstack-clash-protection
    // makes sure that none is skipped.
    void *p = mmap(nullptr, kThreads * kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) abort();
    for (int i = 0; i < kThreads; i++) mprotect((char *)p + i * kStack, kPage, PROT_NONE);
    return (char *)p;
  }();
  b.free = nullptr;
  for (int i = kThreads - 1; i >= 0; i--) {
    Fiber &f = b.fiber[i];
    f.stack = stacks + i * kStack;
    f.top = f.stack + kStack - i * kStagger;
    f.next = b.free;
    b.free = &f;
    b.thread[i].id = {(unsigned)i, 0, 0};
    b.thread[i].fiber = nullptr;
#ifdef EMU_UCONTEXT
    getcontext(&f.context);
    f.context.uc_stack.ss_sp = f.stack + kPage;
    f.context.uc_stack.ss_size = f.top - f.stack - kPage;
    f.context.uc_link = nullptr;
    makecontext(&f.context, run, 0);
#else
    void **s = (void **)f.top;
    *--s = nullptr;
    *--s = (void *)run;
    f.sp = s;
#endif
  }
  memset(b.count, 0, sizeof b.count);
  b.at = 0;
  b.error.clear();
}

// arrange sets the order of warps and of the lanes within each.
inline void arrange(Order o) {
  unsigned random = 1;
  auto pick = [&](int n) { return random = random * 1664525u + 1013904223u, (int)((uint64_t)random * n >> 32); };
  int warp[kThreads / kWarp], lane[kWarp];
  auto permute = [&](int *p, int n) {
    for (int i = 0; i < n; i++) p[i] = o == REVERSE ? n - 1 - i : i;
    for (int i = n - 1; o == SHUFFLE && i > 0; i--) std::swap(p[i], p[pick(i + 1)]);
  };
  permute(warp, kThreads / kWarp);
  for (int w = 0; w < kThreads / kWarp; w++) {
    permute(lane, kWarp);
    for (int l = 0; l < kWarp; l++) block.order[w * kWarp + l] = &block.thread[warp[w] * kWarp + lane[l]];
  }
}

// A kernel that reads or writes where nothing is fails its launch, like on a GPU,
// and does not take the process along. Other threads' faults are their own.
struct Faults {
  static constexpr int kSignals[3] = {SIGSEGV, SIGBUS, SIGFPE};
  static inline struct sigaction before[3];
  static inline pthread_t owner;
  static inline uintptr_t address;
  static inline bool division, hit;  // hit: this ended the launch

  static void landed() {
    hit = true;
    char text[80];
    snprintf(text, sizeof text, division ? "division by zero" : "access to the address %#zx, where nothing is", (size_t)address);
    fail(text);
  }
  static void caught(int sig, siginfo_t *info, void *context) {
    if (!pthread_equal(owner, pthread_self())) {
      for (int i = 0; i < 3; i++)
        if (kSignals[i] == sig && before[i].sa_sigaction) before[i].sa_sigaction(sig, info, context);
      return;
    }
    address = (uintptr_t)info->si_addr;
    division = sig == SIGFPE;
#if defined(__x86_64__) && defined(__linux__)
    auto &r = ((ucontext_t *)context)->uc_mcontext.gregs;
    r[REG_RSP] = (r[REG_RSP] & ~(greg_t)15) - 1024 - 8;  // below the red zone, aligned like behind a call
    if ((uintptr_t)block.now->fiber->stack + kPage + 4096 > (uintptr_t)r[REG_RSP]) r[REG_RSP] = (greg_t)(block.now->fiber->top - 8);
    r[REG_RIP] = (greg_t)landed;
#else
    signal(sig, SIG_DFL);
#endif
  }
  Faults() {
    owner = pthread_self();
    hit = false;
    struct sigaction a = {};
    a.sa_sigaction = caught;
    a.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&a.sa_mask);
    for (int i = 0; i < 3; i++) sigaction(kSignals[i], &a, &before[i]);
  }
  ~Faults() {
    for (int i = 0; i < 3; i++) sigaction(kSignals[i], &before[i], nullptr);
  }
};

// launch runs a grid of x blocks for each of y tasks; the error is empty when all
// went well. Shared memory is 0xff when a block begins, except that a block with
// no barrier leaves it as it is for the next.
template <class Body> inline std::string launch(unsigned x, unsigned y, Order order, Body body) {
  Block &b = block;
  if (!b.fiber[0].stack) prepare();
  arrange(order);
  b.grid = {x, y, 1};
  b.body = [](void *p) { (*(Body *)p)(); };
  b.arg = &body;
  b.stopped = true;
  Faults faults;
  size_t n = (size_t)x * y, step = 1;
  for (step = n / 3 * 2 + 1; order == SHUFFLE && std::__gcd(step, n) != 1;) step++;
  for (size_t k = 0; k < n; k++) {
    size_t i = order == FORWARD ? k : order == REVERSE ? n - 1 - k : (k * step + 1) % n;
    b.index = {(unsigned)(i % x), (unsigned)(i / x), 0};
    if (b.stopped) memset(__start_emu_shared, 0xff, __stop_emu_shared - __start_emu_shared);
    b.stopped = false;
    b.at = 0;
    b.count[DONE] = 0;
    enter(&b.scheduler, b.order[0]);
    if (!b.error.empty()) {
      std::string text = "block " + std::to_string(i % x) + " of task " + std::to_string(i / x) + ", thread " + std::to_string(b.now->id.x) + ": " + b.error;
      prepare();
      return text;
    }
  }
  return "";
}

}  // namespace emu
