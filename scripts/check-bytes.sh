#!/usr/bin/env bash
# Whole runs compute the bytes that they computed before: the presets micro and tiny, with every
# instruction set of this processor for which cmd/oneshot/bytes_test.go has digests.
set -euo pipefail
cd "$(dirname "$0")/.."
ONESHOT_BYTES=all go test -count=1 -v -run '^TestBytesOfARun$' ./cmd/oneshot
