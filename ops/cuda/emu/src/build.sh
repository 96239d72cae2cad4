#!/bin/sh
# Builds the fake driver: build.sh KERNELS_DIR OUT [g++ arguments]
# KERNELS_DIR holds the kernels and table.inc, the table of their names.
set -eu
kernels=$1 out=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
{
  for f in args common norm conv depthwise separable pool head optim input; do
    echo "#line 1 \"$f.cu\""
    cat "$kernels/$f.cu"
  done
  cat "$kernels/table.inc"
} >"$tmp/kernels.inc"
g++ -std=c++20 -O2 -fPIC -shared -DCUDA_EMU -Wno-unknown-pragmas -Wno-ignored-attributes -fvisibility=hidden -Wl,-soname,libcuda.so.1 -I"$tmp" -I"$here" "$@" "$here/fakecuda.cpp" -o "$out"
