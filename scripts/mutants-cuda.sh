#!/usr/bin/env bash
# Every planted error in the GPU's kernels is caught on the emulator: puts one error at a time into a copy of a
# kernel, which the build reads through -overlay, and fails if the tests pass in both orders of threads.
# mutants-cuda.sh [REGEXP] plants only the errors whose names match.
set -euo pipefail
cd "$(dirname "$0")/.."
only=${1:-}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
caught=0 planted=0 missed=()

conv='CUDA(Conformance|Golden)' # of ./ops

# mutant NAME FILE AWK [TEST PACKAGE]: AWK's program edits kernels/FILE.cu; one of the tests must fail.
mutant() {
  [[ $1 =~ $only ]] || return 0
  local file=$PWD/ops/cuda/kernels/$2.cu run=${4:-$conv} package=${5:-./ops} order
  awk "$3" "$file" >"$copy/$2.cu"
  if cmp -s "$file" "$copy/$2.cu"; then
    echo "mutants-cuda: $1: the edit changes nothing"
    exit 1
  fi
  echo "{\"Replace\":{\"$file\":\"$copy/$2.cu\"}}" >"$copy/overlay.json"
  planted=$((planted + 1))
  for order in forward reverse; do
    if ! EMU_ORDER=$order FAKE_CUDA_QUIET=1 go test -count=1 -failfast -overlay "$copy/overlay.json" -run "$run" "$package" >"$copy/log" 2>&1; then
      if grep -q 'build the emulator\|build failed' "$copy/log"; then
        echo "mutants-cuda: $1 does not compile:"
        cat "$copy/log"
        exit 1
      fi
      caught=$((caught + 1))
      return 0
    fi
  done
  missed+=("$1")
}

# drop N: without the N-th barrier of a file.
drop() { echo "/__syncthreads\\(\\);/ && ++n == $1 { sub(/__syncthreads\\(\\);/, \"\") } { print }"; }

mutant 'conv: no barrier between loading a tile and multiplying it' conv "$(drop 4)"
mutant 'conv dx: no barrier before the products take the place of the rows' conv "$(drop 9)"
mutant 'conv dw: no barrier between the teams' conv "$(drop 14)"
mutant 'conv: rows of a part as far apart as those of the product' conv '{ sub(/\(size_t\)\(u32\)pixel\[i\] \* \(u32\)a.Cpart/, "(size_t)(u32)pixel[i] * (u32)a.Cin") } { print }'
mutant 'conv: second half of the columns from the first' conv '{ sub(/fb\[2\], fb\[3\]/, "fb[0], fb[1]") } { print }'
mutant 'conv: odd pixels of a reduction' conv '{ sub(/a.Stride \+ a.Off\) \* a.Width/, "a.Stride) * a.Width") } { print }'
mutant 'separable: no barrier between the convolutions' separable "$(drop 2)"
mutant 'separable: padding channels as they come' separable '{ sub(/if \(deep > a.Cin\)/, "if (false)") } { print }'
mutant 'depthwise: last pixel of a row not written' depthwise '{ sub(/ox \+ r < a.OW\) store/, "ox + r < a.OW - 1) store") } { print }'
mutant 'depthwise: window not turned round' depthwise '{ sub(/K \* K - 1 - \(ky \* K \+ kx\)/, "ky * K + kx") } { print }'
mutant 'depthwise dw: last lane not added' depthwise '{ sub(/l < lanes; l\+\+\) s \+= sh/, "l < lanes - 1; l++) s += sh") } { print }'
mutant 'depthwise dw: blocks that share the channels have the same' depthwise '{ sub(/g0 = share.turn \* most/, "g0 = 0") } { print }' 'CUDAConformance$/depthwise'
mutant 'act: sums about 0' act '{ sub(/to_float\(rounded\) - about\[k\]/, "to_float(rounded)") } { print }' 'CUDAConformance$/(depthwise|relu)'
mutant 'act dx: mask of the value without its coefficients' act '{ sub(/co\(a.Scale, a.Shift, 0, c\)/, "co(0, 0, 0, c)") } { print }' 'CUDAConformance$/relu'
mutant 'avg pool dx: without the first window' pool '{ sub(/oy >= 0 && oy/, "oy > 0 \\&\\& oy") } { print }' 'CUDAConformance$/avg_pool'
mutant 'nodes: every term has the mask of the first' head '{ sub(/\(const float \*\)a.Masks\[t\]\)/, "(const float *)a.Masks[0])") } { print }' 'CUDAConformance$/node_sum'
mutant 'windows: padding one column to the left' windows '{ sub(/a.StrideW - \(a.S - 1\) \/ 2/, "a.StrideW - a.S / 2 - 1") } { print }'
mutant 'windows dx: stride forgotten' windows '{ sub(/kx = ex % a.StrideW/, "kx = 0") } { print }'
mutant 'pool: pixels outside the image count' pool '{ sub(/in\[t\] = y >= 0 &&/, "in[t] =") } { print }'
mutant 'pool: the last of the equal' pool '{ sub(/u > best\[k\]/, "u >= best[k]") } { print }'
mutant 'norm: last row of the sums left out' norm '{ sub(/a \+= r \+ k < hi \?/, "a += r + k < hi - 1 ?") } { print }'
mutant 'norm: no barrier before the slices are added' norm "$(drop 1)"
mutant 'norm: biased running variance' norm '{ sub(/variance \*= \(double\)P/, "variance *= (double)(P - 1)") } { print }'
mutant 'standard: biased deviation' standard '{ sub(/square \/ \(a.Cin - 1\)/, "square / a.Cin") } { print }'
mutant 'standard: the last of the threads of a column not added' standard '{ sub(/k < SLICES; k\+\+\) \{/, "k < SLICES - 1; k++) {") } { print }'
mutant 'standard: no barrier before the threads are added' standard "$(drop 2)"
mutant 'standard dw: as if the deviation were constant' standard '{ sub(/slope = sd != 0 \?/, "slope = false ?") } { print }'
mutant 'standard dw: one of the partial sums left out' standard '{ sub(/q < a.Splits; q\+\+/, "q < a.Splits - (a.Splits > 1); q++") } { print }'
mutant 'conv: weights in fours wherever they lie' conv '{ sub(/ && a.W % 16 == 0/, "") } { print }'
mutant 'depthwise: weights in fours wherever they lie' depthwise '{ sub(/ && a.W % 16 == 0/, "") } { print }'
mutant 'ticket: not 0 again' common '{ sub(/if \(shared_flag\) \*ticket = 0;/, "") } { print }' CUDAScores ./supernet
mutant 'head: smoothing forgotten in the gradient' head '{ sub(/- off - \(k == label/, "- (k == label") } { print }'
mutant 'head: the temperature forgotten in the gradient' head '{ sub(/\(x\[k\] - top\) \* inverse - lse/, "(x[k] - top) - lse") } { print }'
mutant 'optim: weight decay forgotten' optim '{ sub(/ \+ a.WD \* w\[i\]/, "") } { print }' CUDATrainsLike ./supernet
mutant 'optim: gradients not clipped' optim '{ sub(/if \(clip < 1\)/, "if (false)") } { print }' CUDATrainsLike ./supernet
mutant 'optim: Nesterov turned round' optim '{ sub(/a.Nesterov \? d \+ a.Mu \* m : m/, "a.Nesterov ? m : d + a.Mu * m") } { print }' CUDAOptimizers
mutant 'optim: no correction of the first average' optim '{ sub(/rest1 = -expm1f\(n \* a.Log1\)/, "rest1 = 1") } { print }' CUDAOptimizers
mutant 'optim: steps not counted' optim '{ sub(/    t\[i\] = n;/, "") } { print }' CUDAOptimizers
mutant 'input: not mirrored' input '{ sub(/r.Flip \? side - 1 - x : x/, "x") } { print }' CUDATrainsLike ./supernet

if ((${#missed[@]})); then
  printf 'mutants-cuda: not caught: %s\n' "${missed[@]}"
  exit 1
fi
if ((planted == 0)); then
  echo "mutants-cuda: nothing matches $only"
  exit 1
fi
echo "mutants-cuda: all $caught planted errors caught"
