#!/usr/bin/env bash
# Every planted error in the assembly is caught: puts one error at a time into a copy of a kernel, which the
# build reads through -overlay, so the tree stays as it is, and fails if the tests pass all the same.
# mutants.sh [REGEXP] plants only the errors whose names match.
set -euo pipefail
cd "$(dirname "$0")/.."
only=${1:-}
dir=ops/cpu
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
names=() files=() funcs=() edits=() tests=()

# mutant NAME FILE FUNCTION EDIT TESTS: sed's EDIT of FUNCTION in FILE_amd64.s fails one of TESTS, as in go test -run.
mutant() {
  [[ $1 =~ $only ]] || return 0
  names+=("$1") files+=("$2") funcs+=("$3") edits+=("$4") tests+=("$5")
}

gemm='TestStripGemm$/avx512'
mutant 'gemm_avx512: rows of c as far apart as those of b' gemm_avx512 gemm32AVX512 's/ldc+80(FP)/ldb+64(FP)/' "$gemm"
mutant 'gemm_avx512: odd step of k dropped' gemm_avx512 gemm64AVX512 '/^pairEnd_6:/,/^step_6:/ s/JZ  *stepEnd_6/JMP stepEnd_6/' "$gemm"
mutant 'gemm_avx512: rows left over dropped' gemm_avx512 gemm48AVX512 '/^tile_1:/,/^less_1:/ s/JLT  *less_1/JMP less_1/' "$gemm"
mutant 'gemm_avx512: masked load made whole' gemm_avx512 gemm16AVX512 '/^step_4:/,/^stepEnd_4:/ s/VMOVUPS.Z  *(DI), K1,/VMOVUPS (DI),/' 'TestStripReadsNoFurther$'
mutant 'gemm16: wrong column of a' gemm_avx512 gemm16x16AVX512 's/60(R11), Z31, Z4/56(R11), Z31, Z4/' "$gemm"
mutant 'gemm16: half of the way to the next group' gemm_avx512 gemm16x16AVX512 's/(BX)(R15\*8), BX/(BX)(R15*4), BX/' "$gemm"
mutant 'gemm_at_avx512: one row not added' gemm_at_avx512 gemmAT16AVX512 '/^restEnd_16:/,/^less_16:/ { /VADDPS .* Z7, Z7$/d }' "$gemm"
mutant 'gemm_at_avx512: mask made whole' gemm_at_avx512 gemmAT48AVX512 's/VPMOVD2M .*/KXNORW K1, K1, K1/' "$gemm"
taps='TestStripGemmTaps$/avx512'
mutant 'gemm_avx512: some rows of a stay at their first piece' gemm_avx512 gemm32AVX512 '/^stepEnd_12:/,/^less_12:/ { /ADDQ  *R8, R14$/d }' "$taps"
mutant 'gemm_avx512: first piece only' gemm_avx512 gemm64AVX512 's/MOVQ  *taps+8(FP), R8/MOVQ $1, R8/' "$taps"

gemm='TestGemm(AT)?RowsAVX2$/avx2'
mutant 'gemm_avx2: rest of k dropped' gemm_avx2 gemm16AVX2 '/^odd6:/,/^next6:/ s/JNZ  *next6/JMP next6/' "$gemm"
mutant 'gemm_avx2: masked store made whole' gemm_avx2 gemm8AVX2 's/VMASKMOVPS  *Y3, Y15, (DI)/VMOVUPS Y3, (DI)/' "$gemm"
mutant 'gemm_avx2: pieces side by side' gemm_avx2 gemm16AVX2 's/MOVQ  *skip+24(FP), R14/XORQ R14, R14/' 'TestStripGemmTaps$/avx2'
mutant 'gemm_at_avx2: one row not added' gemm_at_avx2 gemmAT16AVX2 '/^row_6:/,/^less_6:/ { /VADDPS  *Y12, Y7, Y12/d }' "$gemm"

strip='TestStrip$/avx512'
mutant 'norm_relu_avx512: mask keeps 0' norm_relu_avx512 stripMaskAVX512 '/^pixel_0:/,/^done_0:/ s/VCMPPS  *\$0x06/VCMPPS $0x05/' "$strip"
mutant 'norm_relu_avx512: gradients as far apart as what they are of' norm_relu_avx512 stripBNGradAVX512 's/MOVQ  *dpx+24(FP), R10/MOVQ spx+48(FP), R10/' "$strip"
mutant 'norm_relu_avx512: mask drops NaN' norm_relu_avx512 stripMaskSumAVX512 's/VCMPPS  *\$0x06/VCMPPS $0x0e/' "$strip"
mutant 'norm_relu_avx512: operands of VMAXPS swapped' norm_relu_avx512 stripAffineAVX512 's/VMAXPS  *\(Z[0-9]*\), \(Z[0-9]*\),/VMAXPS \2, \1,/' "$strip"
mutant 'norm_relu_avx512: masked store made whole' norm_relu_avx512 stripMaskSumAVX512 's/K1, 64(SI)/64(SI)/' "$strip"
mutant 'norm_relu_avx512: masked load made whole' norm_relu_avx512 stripMaskSumAVX512 's/VMOVUPS.Z  *(DI), K1,/VMOVUPS (DI),/' 'TestStripReadsNoFurther$'
mutant 'norm_relu_avx512: one chain dropped' norm_relu_avx512 stripSumAVX512 '/^done_0:/,/VADDPS/ { /VADDPS/d }' "$strip"
mutant 'norm_relu_avx512: s1 overwritten' norm_relu_avx512 stripGradSumAVX512 '/^done_1:/,/VMOVUPS  *Z29/ s/VADDPS  *Z29, \(Z[0-9]*\), Z29/VMOVAPS \1, Z29/' "$strip"

strip='TestStrip$/avx2'
mutant 'norm_relu_avx2: mask keeps 0' norm_relu_avx2 stripMaskAddAVX2 '/^pixel_0:/,/^done_0:/ s/VCMPPS  *\$0x06/VCMPPS $0x05/' "$strip"
mutant 'norm_relu_avx2: operands of VMAXPS swapped' norm_relu_avx2 stripAffineAVX2 's/VMAXPS  *\(Y[0-9]*\), \(Y[0-9]*\),/VMAXPS \2, \1,/' "$strip"
mutant 'norm_relu_avx2: gradients as far apart as what they are of' norm_relu_avx2 stripBNGradAVX2 's/MOVQ  *dpx+24(FP), R10/MOVQ spx+48(FP), R10/' "$strip"
mutant 'norm_relu_avx2: masked store made whole' norm_relu_avx2 stripBNGradAVX2 's/VMASKMOVPS  *Y12, Y15, (SI)/VMOVUPS Y12, (SI)/' "$strip"
mutant 'norm_relu_avx2: one chain dropped' norm_relu_avx2 stripGradSumAVX2 '/^done_4:/,/VADDPS/ { /VADDPS/d }' "$strip"
mutant 'norm_relu_avx2: s1 overwritten' norm_relu_avx2 stripMaskSumAVX2 '/^rest_1:/,/VMOVUPS  *Y13/ s/VADDPS  *Y13, \(Y[0-9]*\), Y13/VMOVAPS \1, Y13/' "$strip"

window='TestWindowDW$'
mutant 'depthwise_avx512: two taps swapped' depthwise_avx512 dwRows3s1AVX512 '/^nextChannels4:/,/^rows4:/ { s/Z19$/Z99/; s/Z20$/Z19/; s/Z99$/Z20/ }' "$window"
mutant 'depthwise_avx512: next pixel of y too near' depthwise_avx512 dwRows5s1AVX512 '/^pixels8:/,/^rowEnd8:/ s/IMULQ  *ypx+40(FP), DI/IMULQ R11, DI/' "$window"
mutant 'depthwise_avx512: last row dropped' depthwise_avx512 dwRows5s1AVX512 '/^rowEnd8:/,/JLE/ s/SUBQ  *\$0x02/SUBQ $0x03/' "$window"
mutant 'depthwise_avx512: next pixel too near' depthwise_avx512 dwRows3s2AVX512 '/^pixels4:/,/^rowEnd4:/ s/(R12)(R11\*2), R12/(R12)(R11*1), R12/' "$window"
mutant 'depthwise_avx512: block of channels skipped' depthwise_avx512 dwRows7s1AVX512 '/^channelsEnd4:/,/JMP/ s/ADDQ  *\$0x40/ADDQ $0x80/' "$window"

window='TestWindowDWGrad$'
mutant 'depthwise_grad_avx512: last pixels dropped' depthwise_grad_avx512 dwGradRows5AVX512 '/^tail0:/,/^pixel0:/ s/JZ  *rowEnd0/JMP rowEnd0/' "$window"
mutant 'depthwise_grad_avx512: 7x7, group to the wrong tap' depthwise_grad_avx512 dwGradRows7AVX512 '/^rowEnd1:/,/^rows2:/ { /ADDQ  *R15, DI/d }' "$window"
mutant 'depthwise_grad_avx512: last block added twice' depthwise_grad_avx512 dwGradRows3AVX512 '/SHLXQ/d' "$window"
mutant 'depthwise_grad_avx512: masked load made whole' depthwise_grad_avx512 dwGradRows3AVX512 '/^pixel0:/,/^rowEnd0:/ s/VMOVUPS.Z  *(R8), K2,/VMOVUPS (R8),/' 'TestWindowReadsNoFurther$'

pool='TestWindowMaxPool$'
mutant 'maxpool_avx512: tap off by one' maxpool_avx512 maxPoolRowWideAVX512 '/^pixels:/,/^store:/ s/Z20, K2, Z1/Z21, K2, Z1/' "$pool"
mutant 'maxpool_avx512: last of the equal' maxpool_avx512 maxPoolRowMaskAVX512 's/VCMPPS  *\$0x06/VCMPPS $0x05/' "$pool"
mutant 'maxpool_avx512: NaN becomes infinity' maxpool_avx512 maxPoolRowWideAVX512 '/JNZ  *infinite/d' "$pool"
pool='TestWindowMaxPoolValues$'
mutant 'maxpool_values_avx512: last of the equal' maxpool_values_avx512 maxPoolValuesWideAVX512 's/VMAXPS  *Z0, Z8, Z0/VMAXPS Z8, Z0, Z0/' "$pool"
mutant 'maxpool_values_avx512: NaN is lost' maxpool_values_avx512 maxPoolValuesMaskAVX512 '/JNZ  *none/d' "$pool"
mutant 'maxpool_values_avx512: one tap not looked at' maxpool_values_avx512 maxPoolValuesWideAVX512 's/KORTESTW  *K2, K6/KORTESTW K2, K2/' "$pool"
pool='TestWindowMaxPoolGrad$'
mutant 'maxpool_grad: rest of the row dropped' maxpool_grad maxPoolGradRowsAVX512 's/JZ  *next/JMP next/' "$pool"
mutant 'maxpool_grad: taps of the next row missed' maxpool_grad maxPoolGradRowsAVX2 '/ADDQ  *R11, DX/d' "$pool"

mutant 'depthwise_avx2: weight of the next tap' depthwise_avx2 dwBlocksAVX2 '/^tap8:/,/^run2_8:/ s/ 8(DI)(R9\*8)/ 16(DI)(R9*8)/' 'TestDWRowAVX2$'
mutant 'depthwise_avx2: masked store made whole' depthwise_avx2 dwMaskAVX2 's/VMASKMOVPS  *Y2, Y8, (R10)/VMOVUPS Y2, (R10)/' 'TestDWRowAVX2$'
mutant 'depthwise_grad_avx2: third run taken for granted' depthwise_grad_avx2 dwGradBlocksAVX2 '/JNE  *run2x3/d' 'TestDWGradRowAVX2$'
mutant 'maxpool_avx2: last of the equal' maxpool_avx2 maxBlocksAVX2 '/^q3:/,/^q2:/ s/\$0x1e/$0x1d/' 'TestMaxRowAVX2$'
mutant 'maxpool_avx2: wrong half of the taps' maxpool_avx2 maxBlocksAVX2 '/^more4:/,/^q3:/ s/VEXTRACTI128  *\$0x01, Y6/VEXTRACTI128 $0x00, Y6/' 'TestMaxRowAVX2$'
mutant 'add_avx2: rest dropped' add_avx2 addAVX2 's/JZ  *done/JMP done/' 'TestAddRowAVX2$'

if [[ $(go env GOARCH) != amd64 ]] || ! grep -qw avx2 /proc/cpuinfo; then
  echo "mutants: needs an amd64 processor with AVX2"
  exit 1
fi
avx512=1
for flag in avx512f avx512bw avx512dq avx512vl; do grep -qw "$flag" /proc/cpuinfo || avx512=0; done

((${#names[@]} > 0)) || { echo "mutants: none"; exit 1; }
go test -short -count=1 -timeout 120s -run "$(printf '%s\n' "${tests[@]}" | sort -u | paste -sd '|')" "./$dir"
caught=0 skipped=0 bad=0
for i in "${!names[@]}"; do
  if ((!avx512)) && [[ ${funcs[i]} == *AVX512 ]]; then
    skipped=$((skipped + 1))
    continue
  fi
  s=${files[i]}_amd64.s
  sed "/^TEXT .*[^A-Za-z0-9]${funcs[i]}(SB)/,/^TEXT/ { ${edits[i]}
}" "$dir/$s" >"$copy/$s"
  if cmp -s "$dir/$s" "$copy/$s"; then
    echo "mutants: ${names[i]}: the edit changes nothing in $s"
    exit 1
  fi
  printf '{"Replace": {"%s": "%s"}}\n' "$PWD/$dir/$s" "$copy/$s" >"$copy/overlay.json"
  # Built first, so that an error that does not assemble does not count as caught.
  go test -overlay "$copy/overlay.json" -c -o "$copy/test" "./$dir"
  status=0
  (cd "$dir" && "$copy/test" -test.short -test.timeout 120s -test.run "${tests[i]}") >"$copy/log" 2>&1 || status=$?
  if ((status == 0)); then
    echo "mutants: ${names[i]}: SURVIVED ${tests[i]}"
    bad=$((bad + 1))
    continue
  fi
  by=$(sed -n 's/^ *--- FAIL: \([^ ]*\).*/\1/p' "$copy/log" | tail -n 1)
  echo "mutants: ${names[i]}: ${by:-exit status $status: $(grep -m 1 -E '^(panic|fatal|unexpected|SIG)' "$copy/log" || true)}"
  caught=$((caught + 1))
done
((bad == 0)) || { echo "mutants: $bad survived"; exit 1; }
((caught > 0)) || { echo "mutants: none planted"; exit 1; }
echo "mutants: $caught errors caught, $skipped skipped for want of AVX-512"
