#!/usr/bin/env bash
# Images on the way to a batch: oneshot against torchvision and Pillow, in turn on one core.
#
#   bench/data.sh
#   ROUNDS=5 JOBS="photo shards" bench/data.sh
#   PHOTOS=photos.tar CORE=1 bench/data.sh        another tar of JPEG files, another core
#
# Jobs: photo decodes photographs, crops them at random to 224x224, flips and normalises them; shards
# does so with the same photographs stored with a shorter side of 256 pixels; cifar crops, flips and
# normalises images of 32x32 and cuts a square out; autoaugment also changes their colours and shapes.
# Each round runs every job in oneshot and, right after it, in torchvision. The measurements go to
# bin/bench-data.json, a line each, and the table of ratios to stdout. Rates count the processor's
# time, so that another program on the machine changes them little; the clock's are in the file.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${ROUNDS:-3}
JOBS=${JOBS:-photo shards cifar autoaugment}
PHOTOS=${PHOTOS:-../shared/data/clothing-small.tar}
CORE=${CORE:-0}
PYTHON=${PYTHON:-/usr/bin/python3}
OUT=${OUT:-bin/bench-data.json}
SECONDS_EACH=${SECONDS_EACH:-3}
read -ra jobs <<<"$JOBS"

[[ $ROUNDS =~ ^[1-9][0-9]*$ ]] || { echo "data: ROUNDS=$ROUNDS: want a number above 0" >&2; exit 2; }
for job in "${jobs[@]}"; do
  case $job in
    photo | shards | cifar | autoaugment) ;;
    *) echo "data: JOBS: unknown job $job; want some of: photo shards cifar autoaugment" >&2; exit 2 ;;
  esac
done
if ! "$PYTHON" -c 'import torchvision' 2>/dev/null; then
  echo "bench-data: skipped, $PYTHON has no torchvision (Debian: python3-torchvision)"
  exit 0
fi
[[ " $JOBS " != *" photo "* && " $JOBS " != *" shards "* ]] || [[ -r $PHOTOS ]] || {
  echo "bench-data: no $PHOTOS; PHOTOS=FILE names a tar of JPEG files, JOBS=\"cifar autoaugment\" needs none" >&2
  exit 1
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
go test -c -o "$tmp/pixels.test" ./data/pixels
go test -c -o "$tmp/data.test" ./data
[[ ! -r $PHOTOS ]] || "$PYTHON" bench/data_peer.py unpack "$PHOTOS" "$tmp"

# A job in oneshot: a JSON line for each decoder of JPEG files, or one.
ours() { # job
  local binary=data.test bench="^BenchmarkBatches\$/^$1\$"
  case $1 in
    photo | shards) binary=pixels.test bench='^BenchmarkPhotograph$' ;;
  esac
  ONESHOT_BENCH_IMAGES=$tmp/$1 taskset -c "$CORE" "$tmp/$binary" -test.run '^$' -test.cpu 1 \
    -test.bench "$bench" -test.benchtime "${SECONDS_EACH}s" |
    awk -v job="$1" '/^Benchmark/ {
      for (i = 3; i < NF; i += 2) v[$(i + 1)] = $i
      sub(/.*\//, "", $1)
      printf "{\"job\":\"%s\",\"with\":\"%s\",\"images_s\":%s,\"images_cpu_s\":%s}\n", job, $1, v["images/s"], v["images/cpu-s"]
    }'
}

# Adds fields to each JSON line.
keep() { sed "s/^{/{$1,/"; }

mkdir -p "$(dirname "$OUT")"
: >"$tmp/out.json"
for ((round = 1; round <= ROUNDS; round++)); do
  for job in "${jobs[@]}"; do
    echo "data: round $round of $ROUNDS: $job" >&2
    ours "$job" | keep '"who":"oneshot","round":'"$round" >>"$tmp/out.json"
    taskset -c "$CORE" "$PYTHON" bench/data_peer.py "$job" "$tmp" "$SECONDS_EACH" |
      keep '"who":"torchvision","round":'"$round" >>"$tmp/out.json"
  done
done
cp "$tmp/out.json" "$OUT"
"$PYTHON" bench/data_peer.py table "$OUT"
