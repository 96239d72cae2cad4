#!/usr/bin/env bash
# Exported networks in the programs that read them: onnxruntime (installed with npm into bin/), ONNX's checker and
# PyTorch (Debian: python3-onnx, python3-torch). Prints the differences of the logits.
set -euo pipefail
cd "$(dirname "$0")/.."
runtime=onnxruntime-node@1.30.0
modules=$PWD/bin/onnxruntime/node_modules
if command -v npm >/dev/null; then
  if ! grep -qs "\"version\": \"${runtime##*@}\"" "$modules/onnxruntime-node/package.json"; then
    mkdir -p bin/onnxruntime
    # Without its install script, which fetches libraries for GPUs.
    ONNXRUNTIME_NODE_INSTALL=skip npm install --prefix bin/onnxruntime --ignore-scripts --no-audit --no-fund --silent "$runtime"
  fi
  export ONNXRUNTIME_MODULES=$modules
else
  echo "test-export: onnxruntime skipped, there is no npm"
fi
go test -count=1 -v -run 'InPyTorch|InRuntime|FullCheck' ./supernet/portable | grep -v '^=== RUN'
