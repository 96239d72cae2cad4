#!/usr/bin/env bash
# bin/gpu-bundle.tar.gz: programs without cgo, kernels, test data and scripts for gpu-check.sh on a machine with a
# GPU, PyTorch and no Go. The same tree gives the same bytes.
#
#   CIFAR10_DIR=DIR scripts/gpu-bundle.sh    with the binary files of CIFAR-10 (not part of the bytes' promise)
set -euo pipefail
cd "$(dirname "$0")/.."
export CGO_ENABLED=0 GOFLAGS=-trimpath
out=bin/gpu-bundle
rm -rf "$out"
mkdir -p "$out"/{ops/testdata,supernet/testdata,kernels,bench}

build=(-buildvcs=false -ldflags "-s -w -buildid=")
go build "${build[@]}" -o "$out/oneshot" ./cmd/oneshot
go test -c "${build[@]}" -o "$out/ops/ops.test" ./ops
go test -c "${build[@]}" -o "$out/supernet/supernet.test" ./supernet
go test -c "${build[@]}" -o "$out/driver.test" ./ops/cuda/driver
cp ops/testdata/*.safetensors "$out/ops/testdata/"
cp supernet/testdata/*.json supernet/testdata/*.safetensors "$out/supernet/testdata/"
cp ops/cuda/kernels/*.{cu,ptx,cubin} "$out/kernels/"
cp bench/peer_torch.py bench/peer_torch_gpu.py bench/gpu_table.py "$out/bench/"
cp scripts/gpu-check.sh "$out/"
if [[ -n ${CIFAR10_DIR:-} ]]; then
  mkdir "$out/cifar-10-batches-bin"
  cp "$CIFAR10_DIR"/*.bin "$CIFAR10_DIR"/batches.meta.txt "$out/cifar-10-batches-bin/"
fi
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C bin -cf - gpu-bundle | gzip -9n >bin/gpu-bundle.tar.gz
echo "$(sha256sum bin/gpu-bundle.tar.gz | cut -d' ' -f1)  bin/gpu-bundle.tar.gz ($(($(stat -c %s bin/gpu-bundle.tar.gz) / 1000000)) MB)"
