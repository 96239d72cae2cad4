#!/usr/bin/env bash
# oneshot against PyTorch: a training step with a whole recipe, and networks for large images, in turn on
# the same machine.
#
#   bench/recipe.sh                                   or: make bench-recipe
#   ROUNDS=5 JOBS="recipe" BATCH=32 bench/recipe.sh
#   CELLS=5 CHANNELS=8 bench/recipe.sh                other networks, in both
#
# Jobs: recipe is a step of LaNet, 20 cells of 36 channels, with AutoAugment, CutMix, averaged weights,
# auxiliary head and drop-path, the preparation of its batch included; imagenet-step and imagenet-eval are a
# training step and a forward pass of DARTS-V2's form for ImageNet, 14 cells of 48 channels, 224x224, batch 32.
# A step in each memory layout finds PyTorch's better one. Then each round runs every job in oneshot and,
# right after it, in PyTorch, each in a process of its own. The measurements go to bin/bench-recipe.json, a
# line each, and the table of ratios to stdout.
set -euo pipefail
cd "$(dirname "$0")/.."

ROUNDS=${ROUNDS:-3}
JOBS=${JOBS:-recipe imagenet-step imagenet-eval}
THREADS=${THREADS:-2}
REPS=${REPS:-2}
BATCH=${BATCH:-96}  # of recipe
PYTHON=${PYTHON:-/usr/bin/python3}
ONESHOT=${ONESHOT:-bin/oneshot}
OUT=${OUT:-bin/bench-recipe.json}
read -ra jobs <<<"$JOBS"

[[ $ROUNDS =~ ^[1-9][0-9]*$ ]] || { echo "recipe: ROUNDS=$ROUNDS: want a number above 0" >&2; exit 2; }
for job in "${jobs[@]}"; do
  case $job in
    recipe | imagenet-step | imagenet-eval) ;;
    *) echo "recipe: JOBS: unknown job $job; want some of: recipe imagenet-step imagenet-eval" >&2; exit 2 ;;
  esac
done
if ! "$PYTHON" -c 'import torch, scipy, PIL' 2>/dev/null; then
  echo "bench-recipe: skipped, $PYTHON lacks torch, scipy or Pillow (Debian: python3-torch python3-scipy python3-pil)"
  exit 0
fi
[[ -x $ONESHOT ]] || { echo "recipe: no $ONESHOT: make build" >&2; exit 1; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Cells, channels and batch of a job.
size() { # job
  if [[ $1 == recipe ]]; then
    echo "${CELLS:-20} ${CHANNELS:-36} $BATCH"
  else
    echo "${CELLS:-14} ${CHANNELS:-48} 32"
  fi
}

# LaNet's recipe of the published training, whatever a preset's batch is.
ours() { # job
  local cells channels batch
  read -r cells channels batch < <(size "$1")
  local flags=(--layers "$cells" --channels "$channels" --batch "$batch" --reps "$REPS" --threads "$THREADS" --json)
  case $1 in
    recipe) "$ONESHOT" bench retrain --preset lanet-l --arch lanet --recipe "${flags[@]}" ;;
    imagenet-step) "$ONESHOT" bench retrain --arch darts-v2 --imagenet --image 224 --classes 1000 --aux "${flags[@]}" ;;
    imagenet-eval) "$ONESHOT" bench infer --arch darts-v2 --imagenet --image 224 --classes 1000 "${flags[@]}" ;;
  esac | sed 's/"bench":"[a-z]*"/"bench":"'"$1"'"/'
}

peer() { # job, then flags of recipe_peer.py
  local cells channels batch
  read -r cells channels batch < <(size "$1")
  "$PYTHON" bench/recipe_peer.py "$1" --cells "$cells" --channels "$channels" --batch "$batch" --threads "$THREADS" "${@:2}"
}

# Adds fields to each JSON line.
keep() { sed "s/^{/{$1,/"; }

: >"$tmp/probe.json"
for job in "${jobs[@]}"; do
  for layout in channels_last contiguous; do
    echo "recipe: probing PyTorch: $job, $layout" >&2
    peer "$job" --layout "$layout" --warm-up 1 --reps 1 >>"$tmp/probe.json"
  done
done
"$PYTHON" bench/table.py best "$tmp/probe.json" >"$tmp/best"  # job, instruction set, malloc, layout

mkdir -p "$(dirname "$OUT")"
keep '"who":"probe"' <"$tmp/probe.json" >"$tmp/out.json"
for ((round = 1; round <= ROUNDS; round++)); do
  for job in "${jobs[@]}"; do
    echo "recipe: round $round of $ROUNDS: $job" >&2
    ours "$job" | keep '"who":"oneshot","round":'"$round" >>"$tmp/out.json"
    read -r _ _ _ layout < <(grep "^$job " "$tmp/best")
    peer "$job" --layout "$layout" --reps "$REPS" | keep '"who":"torch","round":'"$round" >>"$tmp/out.json"
  done
done
{
  "$ONESHOT" version --json | keep '"who":"version"'
  cat "$tmp/out.json"
} >"$OUT"
"$PYTHON" bench/table.py compare "$OUT"
