#!/usr/bin/env bash
# The driver through gorgonia.org/cu (build tag gorgonia_cu), compiled against the headers of a CUDA 11 or 12
# toolkit and tested on the fake driver. Skipped where there are no headers or no g++.
#
#   CUDA_INCLUDE=DIR scripts/gorgonia-cu.sh
set -euo pipefail
cd "$(dirname "$0")/.."

include=${CUDA_INCLUDE:-}
for dir in /usr/include /usr/local/cuda/include; do
  [[ -n $include || ! -f $dir/cuda.h ]] || include=$dir
done
if [[ -z $include || ! -f $include/cuda.h ]] || ! command -v g++ >/dev/null; then
  echo "gorgonia-cu: skipped, needs g++ and cuda.h (Debian: nvidia-cuda-dev, component non-free; or CUDA_INCLUDE=DIR)"
  exit 0
fi
lib=$(mktemp -d)
trap 'rm -rf "$lib"' EXIT
# The very file that the tests open to inject faults: so both are one library.
fake=$(go test -count=1 -v -run 'TestLibraryPath$' ./ops/cuda/emu | awk '/ library / { print $NF }')
ln -s "$fake" "$lib/libcuda.so.1"
ln -s "$fake" "$lib/libcuda.so"
# Package cu names more of the driver than the fake one has; what is never called may be missing.
export CGO_ENABLED=1 CGO_CFLAGS="-I$include -Wno-deprecated-declarations" CGO_LDFLAGS="-L$lib -Wl,--unresolved-symbols=ignore-in-object-files" LD_LIBRARY_PATH=$lib
go vet -tags gorgonia_cu ./ops/cuda/driver
go test -count=1 -tags gorgonia_cu ./ops/cuda/driver
echo "gorgonia-cu: ok, CUDA $(awk '/#define CUDA_VERSION/ { printf "%d.%d", $3 / 1000, $3 % 1000 / 10 }' "$include/cuda.h")"
