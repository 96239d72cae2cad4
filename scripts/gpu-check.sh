#!/usr/bin/env bash
# Everything that only a GPU can say, in less than ten minutes; see gpu-bundle.sh.
#
#   gpu-check.sh [STEP...]              all steps, or some of: device tests tiny bench peer kernels cifar
#   gpu-check.sh --fake LIB [STEP...]   on the fake driver LIB: smaller, and without PyTorch
#
# Logs go to $OUT (default gpu-check-out), the table to its end. The exit status is not 0 if a step failed.
set -uo pipefail
cd "$(dirname "$0")"
fake=
if [[ ${1:-} == --fake ]]; then
  fake=$(realpath -- "$2")
  export CUDA_DRIVER_LIBRARY=$fake
  shift 2
fi
steps=("$@")
((${#steps[@]})) || steps=(device tests tiny bench peer kernels cifar)
OUT=${OUT:-gpu-check-out}
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
one=$PWD/oneshot
PYTHON=${PYTHON:-python3}
failed=()

# try NAME SECONDS COMMAND...: logs a command and remembers whether it failed.
try() {
  local name=$1 limit=$2 start=$SECONDS
  shift 2
  if timeout "$limit" "$@" >"$OUT/$name.log" 2>&1; then
    echo "$name: ok, $((SECONDS - start)) s"
  else
    echo "$name: FAILED with $? after $((SECONDS - start)) s; the end of $OUT/$name.log:"
    tail -n 15 "$OUT/$name.log"
    failed+=("$name")
  fi
}

# Spaces whose steps and kernels are measured beside those of cells.
spaces=(nasbench-macro nasbench-201)

small() { [[ -n $fake ]]; }
within() { (cd "$1" && shift && "$@"); }
export -f within

for step in "${steps[@]}"; do
  case $step in
    device)
      small || try smi 20 nvidia-smi
      try doctor 120 "$one" doctor --device cuda
      grep -h '^cuda' "$OUT/doctor.log"
      ;;
    tests) # conformance of every kernel, PyTorch goldens, whole-network parity, training, scoring
      if small; then
        echo "tests: on the fake driver they are part of make test"
        continue
      fi
      export ONESHOT_CUDA_TEST=real
      try driver 60 ./driver.test -test.short
      try conformance 120 bash -c 'within ops ./ops.test -test.run CUDA -test.v'
      try network 120 bash -c 'within supernet ./supernet.test -test.run CUDA -test.v'
      ;;
    tiny)
      rm -rf "$OUT/tiny"
      if small; then
        try tiny 300 "$one" run --preset tiny --device cuda --out "$OUT/tiny" --json --set train.steps=2 --set train.warmup_steps=0 --set train.batch=8 \
          --set search.samples=2 --set search.init=2 --set search.top=1 --set score.recal_images=16 --set score.recal_batch=8 \
          --set score.images=20 --set retrain.steps=2 --set retrain.warmup_steps=0 --set retrain.batch=8 --set data.train_size=200 --set data.search_size=20 --set data.test_size=20
      else
        try tiny 120 "$one" run --preset tiny --device cuda --out "$OUT/tiny" --json
      fi
      ;;
    bench)
      sizes=(--archs 32 --reps 5)
      small && sizes=(--archs 1 --reps 1 --batch 2)
      score=(--archs 8)
      small && continue # thousands of images in an emulator
      try step 120 "$one" bench step --device cuda --batch 96 "${sizes[@]}" --json
      try score 120 "$one" bench score --device cuda "${score[@]}" --json
      for space in "${spaces[@]}"; do
        try "step-$space" 60 "$one" bench step --device cuda --space "$space" --batch 96 "${sizes[@]}" --json
        try "score-$space" 60 "$one" bench score --device cuda --space "$space" "${score[@]}" --json
      done
      try retrain 120 "$one" bench retrain --device cuda --batch 96 --archs 1 --reps 5 --json
      ;;
    peer)
      if small || ! "$PYTHON" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
        echo "peer: skipped, no PyTorch with a GPU"
        continue
      fi
      "$one" bench archs --archs 32 --json >"$OUT/archs.json"
      try peer 240 "$PYTHON" bench/peer_torch_gpu.py ceilings step score retrain --archs-json "$OUT/archs.json" --archs 8 --reps 3 ${COMPILE:+--compile $COMPILE}
      ;;
    kernels)
      sizes=(--archs 8 --batch 96)
      small && sizes=(--archs 1 --batch 2)
      try kernels 120 "$one" bench kernels --device cuda "${sizes[@]}"
      for space in "${spaces[@]}"; do
        try "kernels-$space" 60 "$one" bench kernels --device cuda --space "$space" "${sizes[@]}"
      done
      ;;
    cifar)
      if [[ ! -d cifar-10-batches-bin ]]; then
        echo "cifar: skipped, no cifar-10-batches-bin beside gpu-check.sh"
        continue
      fi
      rm -rf "$OUT/cifar"
      try cifar 240 "$one" run --preset cifar10-small --device cuda --data-dir cifar-10-batches-bin --out "$OUT/cifar" --json
      ;;
    *)
      echo "gpu-check: unknown step $step" >&2
      exit 2
      ;;
  esac
done

echo
"$PYTHON" bench/gpu_table.py "$OUT" 2>/dev/null || echo "(no table: $PYTHON is missing)"
if ((${#failed[@]})); then
  echo "failed: ${failed[*]}"
  exit 1
fi
