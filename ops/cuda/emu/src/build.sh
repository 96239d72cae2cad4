#!/bin/sh
# Builds the fake driver: build.sh KERNELS_DIR OUT [g++ arguments]
set -eu
kernels=$1 out=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
{
  for f in args common norm conv depthwise pool head optim input; do
    echo "#line 1 \"$f.cu\""
    cat "$kernels/$f.cu"
  done
  echo 'struct EmuKernel { const char *name; size_t size; void (*call)(const void *, Run); };'
  echo 'static const EmuKernel emu_kernels[] = {'
  cat "$kernels"/*.cu | tr '\n' ' ' | grep -oE 'extern "C" __global__ void( __launch_bounds__\([^)]*\))? +[a-z0-9_]+\(const [A-Za-z0-9]+ \*' |
    sed -E 's/.* ([a-z0-9_]+)\(const ([A-Za-z0-9]+) \*/  {"\1", sizeof(\2), [](const void *t, Run r) { \1((const \2 *)t, r); }},/'
  echo '};'
} >"$tmp/kernels.inc"
g++ -std=c++20 -O2 -fPIC -shared -DCUDA_EMU -Wno-unknown-pragmas -Wno-ignored-attributes -fvisibility=hidden -Wl,-soname,libcuda.so.1 -I"$tmp" -I"$here" "$@" "$here/fakecuda.cpp" -o "$out"
