// What g++ -fsanitize=undefined calls: a kernel that does something undefined, an
// index outside a shared array say, fails its launch. No sanitizer's library is
// needed.
#pragma once
#include "fibers.h"

namespace emu {
struct Source { const char *file; uint32_t line, column; };
[[noreturn]] inline void undefined(const void *data, const char *what) {
  auto *s = (const Source *)data;  // the data of every kind begins with it
  fail(std::string(s->file ? s->file : "?") + ":" + std::to_string(s->line) + ": " + what);
}
}  // namespace emu

#define EMU_UNDEFINED(kind, what) \
  extern "C" __attribute__((visibility("hidden"))) void __ubsan_handle_##kind(void *data, ...) { emu::undefined(data, what); }
EMU_UNDEFINED(out_of_bounds, "index outside an array")
EMU_UNDEFINED(type_mismatch_v1, "access to a null or misaligned address, or to a smaller object")
EMU_UNDEFINED(alignment_assumption, "misaligned address")
EMU_UNDEFINED(pointer_overflow, "pointer overflow")
EMU_UNDEFINED(add_overflow, "overflow of an addition")
EMU_UNDEFINED(sub_overflow, "overflow of a subtraction")
EMU_UNDEFINED(mul_overflow, "overflow of a multiplication")
EMU_UNDEFINED(negate_overflow, "overflow of a negation")
EMU_UNDEFINED(divrem_overflow, "overflow of a division or division by zero")
EMU_UNDEFINED(shift_out_of_bounds, "shift by too much")
EMU_UNDEFINED(float_cast_overflow, "a float too large for its integer")
EMU_UNDEFINED(load_invalid_value, "a value its type does not have")
EMU_UNDEFINED(vla_bound_not_positive, "array of no elements")
EMU_UNDEFINED(builtin_unreachable, "code that cannot be reached")
EMU_UNDEFINED(missing_return, "no return value")
EMU_UNDEFINED(invalid_builtin, "bad argument")
EMU_UNDEFINED(nonnull_arg, "a null argument")
EMU_UNDEFINED(nonnull_return_v1, "a null result")
#undef EMU_UNDEFINED
