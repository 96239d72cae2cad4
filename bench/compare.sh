#!/usr/bin/env bash
# oneshot against PyTorch on the reference job, in turn on the same machine.
#
#   bench/compare.sh                              or: make bench-peer
#   ROUNDS=5 JOBS="step eval" bench/compare.sh
#   NET="--layers 4 --batch 32" bench/compare.sh  another network, in both
#
# A short round finds PyTorch's best setting for each job: memory layout, ATen's instruction set, with
# and without tcmalloc. Then each round runs every job in oneshot and, right after it, in PyTorch. The
# measurements go to bin/bench-peer.json, a line each, and the table of ratios to stdout.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${ROUNDS:-3}
JOBS=${JOBS:-step eval ops retrain}
THREADS=${THREADS:-2}
ARCHS=${ARCHS:-8}                  # of step and eval
RETRAIN_ARCHS=${RETRAIN_ARCHS:-1}  # a step of 20 cells takes seconds
REPS=${REPS:-1}
PYTHON=${PYTHON:-/usr/bin/python3}
ONESHOT=${ONESHOT:-bin/oneshot}
OUT=${OUT:-bin/bench-peer.json}
read -ra jobs <<<"$JOBS"
read -ra net <<<"${NET:-}"         # flags of both

[[ $ROUNDS =~ ^[1-9][0-9]*$ ]] || { echo "compare: ROUNDS=$ROUNDS: want a number above 0" >&2; exit 2; }
for job in "${jobs[@]}"; do
  case $job in
    step | eval | ops | retrain) ;;
    *) echo "compare: JOBS: unknown job $job; want some of: step eval ops retrain" >&2; exit 2 ;;
  esac
done
if ! "$PYTHON" -c 'import torch' 2>/dev/null; then
  echo "bench-peer: skipped, $PYTHON has no torch (Debian: python3-torch)"
  exit 0
fi
[[ -x $ONESHOT ]] || { echo "compare: no $ONESHOT: make build" >&2; exit 1; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
"$ONESHOT" bench archs --archs "$((ARCHS > RETRAIN_ARCHS ? ARCHS : RETRAIN_ARCHS))" --json >"$tmp/archs.json"

tcmalloc=
for f in /usr/lib/*/libtcmalloc_minimal.so.4 /usr/lib64/libtcmalloc_minimal.so.4; do
  [[ -e $f ]] && tcmalloc=$f
done
[[ -n $tcmalloc ]] || echo "compare: no libtcmalloc_minimal.so.4; PyTorch runs with libc's malloc only" >&2
isas=(auto avx2)
grep -q avx512f /proc/cpuinfo && isas+=(avx512)

# Runs PyTorch: instruction set, tcmalloc or libc, then the arguments of peer_torch.py.
peer() {
  local vars=()
  [[ $1 == auto ]] || vars+=("ATEN_CPU_CAPABILITY=$1")
  [[ $2 == libc ]] || vars+=("LD_PRELOAD=$tcmalloc")
  shift 2
  env "${vars[@]}" "$PYTHON" bench/peer_torch.py "$@" --threads "$THREADS" --archs-json "$tmp/archs.json"
}

# Adds a field to each JSON line and keeps it.
keep() { sed "s/^{/{$1,/"; }

# All jobs of one process: every layout, few architectures, and 20 cells with a small batch.
probe() { # instruction set, tcmalloc or libc
  local small=() job
  for job in "${jobs[@]}"; do
    [[ $job == retrain ]] || small+=("$job")
  done
  echo "compare: probing PyTorch: $1, $2" >&2
  ((${#small[@]} == 0)) || peer "$1" "$2" "${small[@]}" --archs 2 --reps 1 --layout both --seconds 0.1 "${net[@]}"
  [[ " $JOBS " != *" retrain "* ]] || peer "$1" "$2" retrain --archs 1 --reps 1 --layout both --batch 16 "${net[@]}"
}

for isa in "${isas[@]}"; do
  for malloc in ${tcmalloc:+tcmalloc} libc; do
    [[ $malloc == libc && -n $tcmalloc && $isa != auto ]] || probe "$isa" "$malloc" >>"$tmp/probe.json"
  done
done
"$PYTHON" bench/table.py best "$tmp/probe.json" >"$tmp/best"  # job, instruction set, malloc, layout

mkdir -p "$(dirname "$OUT")"
: >"$tmp/out.json"
keep '"who":"probe"' <"$tmp/probe.json" >>"$tmp/out.json"
for ((round = 1; round <= ROUNDS; round++)); do
  for job in "${jobs[@]}"; do
    echo "compare: round $round of $ROUNDS: $job" >&2
    flags=()
    if [[ $job != ops ]]; then
      n=$ARCHS
      [[ $job != retrain ]] || n=$RETRAIN_ARCHS
      flags=(--archs "$n" --reps "$REPS" "${net[@]}")
    fi
    "$ONESHOT" bench "$job" "${flags[@]}" --threads "$THREADS" --json |
      keep '"who":"oneshot","round":'"$round" >>"$tmp/out.json"
    read -r _ isa malloc layout < <(grep "^$job " "$tmp/best")
    peer "$isa" "$malloc" "$job" "${flags[@]}" --layout "$layout" |
      keep '"who":"torch","round":'"$round" >>"$tmp/out.json"
  done
done
{
  "$ONESHOT" version --json | keep '"who":"version"'
  cat "$tmp/out.json"
} >"$OUT"
"$PYTHON" bench/table.py compare "$OUT"
