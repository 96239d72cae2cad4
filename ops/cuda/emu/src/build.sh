#!/bin/sh
# Builds the fake driver: build.sh KERNELS_DIR OUT [g++ arguments]
# Kernels are the functions extern "C" __global__ void NAME(const ARGS *tasks, Run run)
# in the folder's files, of which others build on those named below. Without arguments g++ optimises a little, for
# this processor: more takes longer to build than it saves.
set -eu
kernels=$1 out=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
done=' '
for f in args common norm conv depthwise separable pool head optim input $(cd "$kernels" && ls | sed -n 's/\.cu$//p'); do
  case "$done" in *" $f "*) continue ;; esac
  done="$done$f "
  [ -f "$kernels/$f.cu" ] || continue
  echo "#line 1 \"$f.cu\""
  cat "$kernels/$f.cu"
done >"$tmp/kernels.inc"
{
  echo 'struct EmuKernel { const char *name; size_t size; void (*call)(const void *, Run); };'
  echo 'static const EmuKernel emu_kernels[] = {'
  { echo '#include "emu.h"'; cat "$tmp/kernels.inc"; } | g++ -std=c++20 -DCUDA_EMU -I"$here" -E -P -x c++ - | tr '\n' ' ' |
    grep -oE 'extern "C" +void +[A-Za-z0-9_]+\( *const [A-Za-z0-9]+ \*' |
    sed -E 's/.* ([A-Za-z0-9_]+)\( *const ([A-Za-z0-9]+) \*/  {"\1", sizeof(\2), [](const void *t, Run r) { \1((const \2 *)t, r); }},/'
  echo '};'
} >"$tmp/table.inc"
if [ $# = 0 ]; then
  set -- -O1
  if grep -q ' fma .* avx2 ' /proc/cpuinfo; then set -- -O1 -mavx2 -mfma; fi
fi
for f in fakecuda fakenvrtc; do
  g++ -std=c++20 -ffp-contract=off -fno-strict-aliasing -fstack-clash-protection -fPIC -DCUDA_EMU -Wno-unknown-pragmas -Wno-ignored-attributes -fvisibility=hidden \
    -I"$tmp" -I"$here" "$@" -c "$here/$f.cpp" -o "$tmp/$f.o"
done
g++ -shared -pthread -Wl,-soname,libcuda.so.1 "$tmp/fakecuda.o" "$tmp/fakenvrtc.o" -o "$out"  # $@ would link a sanitizer's library
