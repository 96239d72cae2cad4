#!/usr/bin/env bash
# How the time of a step and of scoring grows with batch, channels, cells and image size, one at a
# time from the reference job.
#
#   bench/growth.sh                    or: make bench-growth
#   NET="--layers 4" bench/growth.sh   from another network
set -euo pipefail
cd "$(dirname "$0")/.."

THREADS=${THREADS:-2}
ARCHS=${ARCHS:-2}
REPS=${REPS:-2}
ONESHOT=${ONESHOT:-bin/oneshot}
read -ra net <<<"${NET:-}"
[[ -x $ONESHOT ]] || { echo "growth: no $ONESHOT: make build" >&2; exit 1; }

field() { # name, JSON line
  sed -n 's/.*"'"$1"'":\([-0-9.e+]*\).*/\1/p' <<<"$2"
}

row() { # job, what varies, flags
  local job=$1 what=$2 json
  shift 2
  json=$("$ONESHOT" bench "$job" "${net[@]}" "$@" --archs "$ARCHS" --reps "$REPS" --threads "$THREADS" --json)
  printf '%-6s %-14s %9.2f %9.1f %9.1f %8.1f %8.2f %7d\n' "$job" "$what" \
    "$(field ms_per_step_median "$json")" "$(field images_per_s_median "$json")" \
    "$(field gflops "$json")" "$(field floor_ms "$json")" "$(field floor_share "$json")" "$(field peak_rss_mb "$json")"
}

printf '%-6s %-14s %9s %9s %9s %8s %8s %7s\n' job what ms images/s GFLOP/s 'floor ms' share MB
for n in 16 32 64 128; do row step "batch $n" --batch "$n"; done
for n in 8 16 32; do row step "channels $n" --channels "$n"; done
for n in 4 8 16; do row step "layers $n" --layers "$n"; done
for n in 16 32 64; do row step "image $n" --image "$n"; done
for n in 16 64 250; do row eval "batch $n" --batch "$n"; done
for n in 8 32; do row eval "channels $n" --channels "$n"; done
for n in 4 16; do row eval "layers $n" --layers "$n"; done
