#!/usr/bin/env bash
# Evaluation and predict against onnxruntime-node on the reference network, in turn on the same machine.
#
#   bench/export.sh
#   ROUNDS=15 THREADS=2 bench/export.sh
#
# The network is the first of `oneshot bench archs` with 8 cells of 16 channels, after two steps of training: weights
# do not matter here. Each round measures onnxruntime-node (float32, every optimisation, batch 250) on images that are in memory,
# `oneshot eval` of the exported file, and `oneshot predict` on a folder of small PNG files, which it reads and decodes meanwhile.
# Then both classify with one thread, and what counts is the processor's time, which other programs on the machine change
# little. A line each goes to bin/bench-export.json, the medians and those of the rounds' ratios to stdout.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${ROUNDS:-9}
THREADS=${THREADS:-2}
IMAGES=${IMAGES:-2500}
SECONDS_EACH=${SECONDS_EACH:-2}
PYTHON=${PYTHON:-/usr/bin/python3}
ONESHOT=${ONESHOT:-bin/oneshot}
OUT=${OUT:-bin/bench-export.json}
[[ $ROUNDS =~ ^[1-9][0-9]*$ ]] || { echo "export: ROUNDS=$ROUNDS: want a number above 0" >&2; exit 2; }
[[ -x $ONESHOT ]] || { echo "export: no $ONESHOT: make build" >&2; exit 1; }
command -v npm >/dev/null || { echo "bench-export: skipped, there is no npm"; exit 0; }
"$PYTHON" -c 'import PIL' 2>/dev/null || { echo "bench-export: skipped, $PYTHON has no PIL (Debian: python3-pil)"; exit 0; }
modules=$(scripts/onnxruntime.sh)

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
arch=$("$ONESHOT" bench archs --archs 1 --json | "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["archs"][0]["text"])')
"$ONESHOT" retrain --preset micro --arch "$arch" --set retrain.layers=8 --set retrain.channels=16 --set retrain.stem_multiplier=3 \
  --set retrain.steps=2 --set data.test_size="$IMAGES" --out "$tmp/r" --quiet >/dev/null
"$ONESHOT" export --out "$tmp/r" --format onnx --quiet >/dev/null
"$PYTHON" - "$tmp/pictures" "$IMAGES" <<'PY'
import os, random, sys
from PIL import Image
folder, n = sys.argv[1], int(sys.argv[2])
os.makedirs(folder)
draw = random.Random(1)
for i in range(n):
    Image.frombytes("RGB", (4, 4), draw.randbytes(48)).resize((32, 32), Image.BICUBIC).save(f"{folder}/{i:05d}.png")
PY

weights=$tmp/r/export/model.safetensors
rate() { sed -n 's|.*[^0-9]\([0-9][0-9]*\) images/s.*|\1|p' | tail -n 1; } # of the line that ends the progress
peer() { node bench/export_peer.mjs "$modules" "$tmp/r/export/model.onnx" 32 250 "$1" "$SECONDS_EACH"; }
TIMEFORMAT='%U %S'
used() { { time "$ONESHOT" eval --weights "$weights" --threads 1 --device cpu --quiet --set data.test_size="$1" >/dev/null; } 2>&1 | tail -n 1 | awk '{ print $1 + $2 }'; }
mkdir -p "$(dirname "$OUT")"
: >"$OUT"
for ((round = 1; round <= ROUNDS; round++)); do
  echo "export: round $round of $ROUNDS" >&2
  read -r peer _ < <(peer "$THREADS")
  eval=$("$ONESHOT" eval --weights "$weights" --threads "$THREADS" --device cpu 2>&1 >/dev/null | rate)
  predict=$("$ONESHOT" predict --weights "$weights" --threads "$THREADS" --device cpu "$tmp/pictures" 2>&1 >/dev/null | rate)
  read -r _ peer_cpu < <(peer 1)
  few=$((IMAGES / 5)) # what opening the images and the file takes is in both
  eval_cpu=$(awk "BEGIN { printf \"%.1f\", ($IMAGES - $few) / ($(used "$IMAGES") - $(used "$few")) }")
  echo "{\"round\":$round,\"onnxruntime\":$peer,\"eval\":$eval,\"predict\":$predict,\"onnxruntime_cpu\":$peer_cpu,\"eval_cpu\":$eval_cpu}" >>"$OUT"
done
"$PYTHON" - "$OUT" <<'PY'
import json, statistics, sys
rounds = [json.loads(line) for line in open(sys.argv[1])]
print(f"onnxruntime-node {statistics.median(r['onnxruntime'] for r in rounds):,.0f} images/s, {len(rounds)} rounds")
for who, other, of in (("eval", "onnxruntime", "a second"), ("predict", "onnxruntime", "a second"), ("eval_cpu", "onnxruntime_cpu", "a second of one processor")):
    ratios = sorted(r[who] / r[other] for r in rounds)
    print(f"{who:16} {statistics.median(r[who] for r in rounds):,.0f} images {of}, {statistics.median(ratios):.2f} times as fast ({ratios[0]:.2f}..{ratios[-1]:.2f})")
PY
