#!/usr/bin/env bash
# Installs onnxruntime-node with npm into bin/, unless it is there, and prints its node_modules.
set -euo pipefail
cd "$(dirname "$0")/.."
runtime=onnxruntime-node@1.30.0
modules=$PWD/bin/onnxruntime/node_modules
if ! grep -qs "\"version\": \"${runtime##*@}\"" "$modules/onnxruntime-node/package.json"; then
  mkdir -p bin/onnxruntime
  # Without its install script, which fetches libraries for GPUs.
  ONNXRUNTIME_NODE_INSTALL=skip npm install --prefix bin/onnxruntime --ignore-scripts --no-audit --no-fund --silent "$runtime" >&2
fi
echo "$modules"
