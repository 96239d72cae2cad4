#!/usr/bin/env bash
# Exported networks in the programs that read them: onnxruntime (installed with npm into bin/), ONNX's checker and
# PyTorch (Debian: python3-onnx, python3-torch), for every published network and random ones. Prints the differences of the logits.
# Event files for TensorBoard, read by Python's protobuf (python3-protobuf).
set -euo pipefail
cd "$(dirname "$0")/.."
if command -v npm >/dev/null; then
  ONNXRUNTIME_MODULES=$(scripts/onnxruntime.sh)
  export ONNXRUNTIME_MODULES
else
  echo "test-export: onnxruntime skipped, there is no npm"
fi
output=$(mktemp)
trap 'rm -f "$output"' EXIT
ONESHOT_PARITY=all go test -count=1 -v -run 'InPyTorch|InRuntime|FullCheck|ReadByAnother' ./supernet/portable ./internal/report/curves | grep -v '^=== RUN' | tee "$output"

# passed wants a test to have run where its program is: one that is skipped, or has another name now, compares nothing.
passed() {
  if [ "$(grep -c -- "^--- PASS: Test[A-Za-z]*$1 " "$output")" -eq 0 ]; then
    echo "test-export: no test $1 has passed, and what it needs is there" >&2
    exit 1
  fi
}
if [ -n "${ONNXRUNTIME_MODULES:-}" ]; then passed InRuntime; fi
if /usr/bin/python3 -c 'import torch' 2>/dev/null; then passed InPyTorch; fi
if /usr/bin/python3 -c 'import onnx' 2>/dev/null; then passed FullCheck; fi
if /usr/bin/python3 -c 'import google.protobuf' 2>/dev/null; then passed ReadByAnother; fi
