#!/usr/bin/env bash
# What the published recipe reaches on part of CIFAR-10, beside PyTorch and with a teacher.
#
#   bench/accuracy.sh lanet      LaNet, 8 cells of 16 channels, in PyTorch and in oneshot: the same images, epochs
#                                and seeds
#   bench/accuracy.sh hour       the same network in oneshot for an hour
#   bench/accuracy.sh distill    a small LaNet without and with a teacher: TEACHER, or the first network of `lanet`
#
# CIFAR is a folder with CIFAR-10 in its binary version. The first 1,000 images of each class are trained on,
# all test images are looked at once, after the last epoch. WORK (default bin/accuracy) keeps the images, the
# runs and their logs; a command that is repeated goes on. EPOCHS of `lanet` is by default what PyTorch trains
# in MINUTES (30), found by a short run; SEEDS is 2 there and 3 of `distill`. What can go side by side does,
# a thread each: PyTorch's seeds, and the student with and without a teacher. Figures belong in
# bench/recipes.md, with machine and date.
set -euo pipefail
cd "$(dirname "$0")/.."

CIFAR=${CIFAR:?name the folder with data_batch_1.bin}
WORK=${WORK:-bin/accuracy}
MINUTES=${MINUTES:-30}
SEEDS=${SEEDS:-}
THREADS=${THREADS:-2}
PYTHON=${PYTHON:-/usr/bin/python3}
ONESHOT=${ONESHOT:-bin/oneshot}
EPOCHS=${EPOCHS:-}
[[ -x $ONESHOT ]] || { echo "accuracy: no $ONESHOT: make build" >&2; exit 1; }
mkdir -p "$WORK"
images=$WORK/cifar-10-batches-bin

if [[ ! -f $images/test_batch.bin ]]; then
  "$PYTHON" - "$CIFAR" "$images" <<'PY'
"""The first 1,000 images of each class, in five files in the order of the originals."""
import os, shutil, sys
source, out = sys.argv[1:]
records = []
for i in range(1, 6):
    with open(f"{source}/data_batch_{i}.bin", "rb") as f:
        b = f.read()
    records += [b[k:k + 3073] for k in range(0, len(b), 3073)]
taken, seen = [], [0] * 10
for r in records:
    if seen[r[0]] < 1000:
        seen[r[0]] += 1
        taken.append(r)
os.makedirs(out, exist_ok=True)
for i in range(5):
    with open(f"{out}/data_batch_{i + 1}.bin", "wb") as f:
        f.write(b"".join(taken[2000 * i:2000 * (i + 1)]))
shutil.copy(f"{source}/batches.meta.txt", out)
shutil.copy(f"{source}/test_batch.bin", out)
PY
fi

fail_if_any() { # waits for each of the processes named; a failed one ends the script
  for pid in "$@"; do wait "$pid"; done
}

retrain() { # folder, then flags
  "$ONESHOT" retrain --preset lanet-s --arch lanet --dataset auto --data-dir "$images" --threads "$THREADS" \
    --set data.train_size=10000 --set data.test_size=10000 --set data.search_size=1000 --set retrain.layers=8 \
    --resume --out "$@"
}

case ${1:-} in
  lanet)
    if [[ -z $EPOCHS ]]; then
      speed=$("$PYTHON" bench/lanet_peer.py "$images" "$WORK/speed" --speed 40 --threads "$THREADS" |
        "$PYTHON" -c 'import json, sys; print(json.loads(sys.stdin.readlines()[-1])["images_s"])')
      EPOCHS=$("$PYTHON" -c "import sys; print(max(1, int($MINUTES * 60 * $speed / 10000)))")
      echo "PyTorch trains $speed images/s: $EPOCHS epochs in $MINUTES minutes"
    fi
    retrain "$WORK/lanet" --seed 1 --seeds "${SEEDS:=2}" --set retrain.channels=16 --epochs "$EPOCHS"
    peers=()
    for ((seed = 1; seed <= SEEDS; seed++)); do
      "$PYTHON" bench/lanet_peer.py "$images" "$WORK/torch-$seed" --epochs "$EPOCHS" --seed "$seed" --threads 1 | tail -n 1 &
      peers+=($!)
    done
    fail_if_any "${peers[@]}"
    ;;
  hour)
    retrain "$WORK/hour" --seed 1 --seeds 1 --set retrain.channels=16 --epochs "${EPOCHS:?the epochs of an hour, as the forecast of --dry-run says}"
    "$ONESHOT" eval --weights "$WORK/hour/export/model.safetensors" --data-dir "$images" --dataset auto
    ;;
  distill)
    teacher=${TEACHER:-$WORK/lanet/export/model.safetensors}
    [[ -f $teacher ]] || { echo "accuracy: no $teacher: bench/accuracy.sh lanet" >&2; exit 1; }
    student=(--seed 1 --seeds "${SEEDS:-3}" --set retrain.channels=8 --epochs "${EPOCHS:?the epochs of eight minutes}" --set retrain.ema=0.999)
    THREADS=1 retrain "$WORK/alone" "${student[@]}" >"$WORK/alone.log" &
    alone=$!
    THREADS=1 retrain "$WORK/taught" "${student[@]}" --teacher "$teacher" --distill-ratio 0.9 --distill-temperature 2
    fail_if_any "$alone"
    cat "$WORK/alone.log"
    ;;
  *)
    sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 2
    ;;
esac
