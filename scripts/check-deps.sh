#!/usr/bin/env bash
# Who may import whom (ARCHITECTURE.md), proved from go list.
#
#   check-deps.sh [DIR]        check the module in DIR (default: this repository)
#   check-deps.sh --selftest   check that the broken module in testdata/brokendeps is refused
#
# Tests may import more than their package does, so only non-test imports count.
set -euo pipefail
shopt -s inherit_errexit
export CGO_ENABLED=1 GOWORK=off  # cgo on, or files that import "C" would not be seen

here=$(cd "$(dirname "$0")" && pwd)

# Prints the packages of ours that package $1 may import, as a regular expression; fails where the
# package has no rule, so that a new package gets one.
ours_allowed() {
  local low='internal/(atomicfile|ranges|rng|setting)' # the small rooms that everyone may use
  case $1 in
    oneshot/cmd/*) echo '.*' ;;
    oneshot/supernet/net) echo "ops|$low" ;;
    oneshot/supernet/space) echo 'supernet/net|internal/setting' ;;
    oneshot/supernet/space/*) echo 'ops|supernet/net|supernet/space|internal/setting' ;;
    oneshot/supernet/portable) echo 'ops|supernet/net|weights' ;;
    oneshot/supernet) echo "ops|ops/cpu|ops/cuda|ops/graph|supernet/(net|space|space/.*|engine|engine/host|engine/gpu)|data|weights|$low" ;;
    oneshot/supernet/engine) echo "ops|data|$low" ;; # neither the networks nor the hardware
    oneshot/supernet/engine/host) echo "supernet/engine|ops|ops/cpu|data|$low" ;;
    oneshot/supernet/engine/gpu) echo "supernet/engine|ops|ops/cuda|data|$low" ;;
    oneshot/lanas) echo 'internal/(rng|setting)' ;;
    oneshot/lanas/landscape) echo 'lanas|internal/(atomicfile|rng)' ;;
    oneshot/ops) echo "ops/cpu|ops/cuda|$low" ;;
    oneshot/ops/graph) echo "ops|ops/cpu|$low" ;;
    oneshot/ops/opstest) echo 'ops|ops/cpu|ops/cuda|weights' ;;
    oneshot/ops/cuda) echo "ops/cuda/driver|$low" ;;
    oneshot/ops/cuda/driver) echo 'nothing' ;;
    oneshot/ops/cuda/emu) echo 'ops/cuda|ops/cuda/driver' ;; # for tests
    oneshot/ops/cuda/genargs | oneshot/ops/cuda/genptx) echo 'ops/cuda' ;;
    oneshot/internal/fault) echo 'data|data/source|data/source/index|internal/(atomicfile|ui)|ops/cuda|supernet|supernet/space|weights' ;; # whose errors it knows
    oneshot/internal/config) echo 'data|lanas|supernet|supernet/(net|space)|internal/(atomicfile|fault|setting)' ;;
    oneshot/internal/rank) echo 'internal/rng' ;;
    oneshot/internal/rank/truths) echo 'lanas/landscape|internal/atomicfile' ;;
    oneshot/internal/rundir) echo 'internal/(atomicfile|fault|rank|rng)' ;;
    oneshot/internal/report/diagram) echo 'ops|supernet/net' ;;
    oneshot/internal/report/curves) echo 'nothing' ;;
    oneshot/internal/report) echo 'lanas|internal/(rank|rundir|ui)' ;;
    oneshot/internal/device) echo 'ops/cuda|ops/cuda/driver|supernet|internal/(atomicfile|config|device/selftest|fault|ui)' ;;
    oneshot/internal/device/selftest) echo 'data|ops/cuda|supernet|supernet/(net|space)|internal/rng' ;;
    oneshot/internal/plan) echo 'data|data/decode|lanas|supernet|supernet/(net|space)|internal/(atomicfile|config|fault|machine|rundir|setting)' ;;
    oneshot/internal/serve/choices) echo 'nothing' ;;
    oneshot/internal/serve) echo 'lanas|supernet/space|internal/(config|fault|pipeline|plan|report|rundir|serve/choices|ui)' ;;
    oneshot/internal/search) echo 'lanas|supernet|supernet/space|internal/(config|fault|plan|report|rundir|ui)' ;;
    oneshot/internal/pipeline) echo 'data|data/decode|data/source|lanas|ops/cuda|supernet|supernet/(net|portable|space)|weights|internal/(atomicfile|config|device|fault|machine|plan|rank|rank/truths|report|report/(curves|diagram)|rng|rundir|search|ui)' ;;
    oneshot/internal/measure/peak) echo 'ops/cpu' ;;
    oneshot/internal/measure/kernels) echo 'ops|ops/cpu' ;;
    oneshot/internal/measure/floor) echo 'ops|supernet/(net|space)' ;;
    oneshot/internal/measure) echo 'data|lanas|lanas/landscape|ops|ops/cpu|ops/cuda|supernet|supernet/(net|space|space/cell)|internal/(atomicfile|config|device|fault|machine|measure/(floor|kernels|peak)|report|rng|setting|ui)' ;;
    oneshot/internal/atomicfile/faultfs) echo 'internal/atomicfile' ;;
    oneshot/internal/*) echo 'nothing' ;; # rng, ranges, setting, machine, ui
    oneshot/data) echo "data/(source|source/.*|decode|pixels)|$low" ;;
    oneshot/data/pixels) echo "data/decode|$low" ;;
    oneshot/data/audit | oneshot/data/prepare) echo "data|data/(source|decode|pixels)|$low" ;;
    oneshot/data/source/*) echo "data/source|data/source/(index|folder|tars)|$low" ;;
    oneshot/ops/cpu | oneshot/data/* | oneshot/weights) echo "$low" ;;
    *) return 1 ;;
  esac
}

# Three strings a rule: imports from outside, packages that may import them (regular expressions on
# whole paths), and the reason.
outside=(
  'gorgonia.org/(gorgonia|tensor)(/.*)?|github.com/chewxy/hm'
  'oneshot/ops/graph' 'gorgonia lives in ops/graph'
  'gorgonia.org/cu(/.*)?'
  'oneshot/ops/cuda/driver' 'the CUDA driver lives in ops/cuda/driver'
  'github.com/ebitengine/purego(/.*)?'
  'oneshot/ops/cuda/(driver|emu)|oneshot/data/decode' 'libraries of C are opened by ops/cuda/driver and data/decode'
  'github.com/advancedclimatesystems/.*|google.golang.org/protobuf/.*'
  'oneshot/(supernet/portable|internal/report/curves)' 'ONNX and event files are written by one package each'
  'github.com/parquet-go/.*'
  'oneshot/data/source/parquet' 'only data/source/parquet reads parquet'
  'golang.org/x/image/.*|image/.*'
  'oneshot/data/(decode|prepare)|oneshot/internal/report' 'only data/decode reads image files, only data/prepare writes them, and pages hold pictures'
  'github.com/spf13/.*|golang.org/x/term|flag'
  'oneshot/cmd/.*|oneshot/ops/cuda/genptx' 'only the command reads flags and the terminal'
  'github.com/schollz/progressbar/.*'
  'oneshot/internal/ui' 'only internal/ui shows progress'
  'go.yaml.in/.*'
  'oneshot/internal/config|oneshot/supernet/space/blocks' 'YAML is read by internal/config, and a space of blocks by its own package'
  'gonum.org/v1/gonum(/.*)?'
  'oneshot/(lanas/landscape|internal/report)' 'only the statistics of races and pages use gonum'
  'math/rand'
  'nobody' 'it has a global source; take a *rand.Rand of math/rand/v2'
  'C'
  'nobody' 'the default build has no cgo'
)

# Two strings a rule: a package, and what it must not reach even through others.
ui='(gorgonia\.org|github\.com/spf13|github\.com/schollz)/.*'
described='gorgonia\.org/(gorgonia|tensor)(/.*)?|(github\.com/(spf13|schollz)|golang\.org/x/term).*'  # ops/cuda may reach gorgonia.org/cu
never=(
  oneshot/supernet/space "$described"
  oneshot/supernet/net "$described"
  oneshot/lanas "$ui"
  oneshot/lanas/landscape "$ui"
  oneshot/data "$ui"
  oneshot/weights "$ui"
  oneshot/ops 'gorgonia\.org/(gorgonia|tensor)(/.*)?'
  oneshot/ops/cpu "$ui"
)

check_import() { # package import
  local pkg=$1 imp=$2 allowed i
  if [[ $imp == oneshot/* ]]; then
    allowed=$(ours_allowed "$pkg") || return 0  # findings reports a package without a rule
    if [[ ! ${imp#oneshot/} =~ ^($allowed)$ ]]; then
      echo "$pkg imports $imp; of ours it may import: $allowed"
    fi
    return
  fi
  for ((i = 0; i < ${#outside[@]}; i += 3)); do
    if [[ $imp =~ ^(${outside[i]})$ && ! $pkg =~ ^(${outside[i + 1]})$ ]]; then
      echo "$pkg imports $imp: ${outside[i + 2]}"
    fi
  done
}

# Prints one line per broken rule under the given build settings.
findings() { # go list arguments
  local packages pkg imports imp reached i
  packages=$(go list "$@" -f '{{.ImportPath}}{{range .Imports}} {{.}}{{end}}' ./...)
  while read -r pkg imports; do
    ours_allowed "$pkg" >/dev/null || echo "$pkg: no rule for this package; add one to scripts/check-deps.sh"
    for imp in $imports; do
      check_import "$pkg" "$imp"
    done
  done <<<"$packages"
  for ((i = 0; i < ${#never[@]}; i += 2)); do
    pkg=${never[i]}
    grep -qE "^$pkg( |$)" <<<"$packages" || continue
    reached=$(go list "$@" -deps -f '{{.ImportPath}}' "$pkg" | grep -vE '^(vendor|oneshot)/' |
      grep -E -m 1 "^(${never[i + 1]})$" || true)
    [[ -z $reached ]] || echo "$pkg reaches $reached"
  done
}

check() { # DIR
  cd "$1"
  {
    findings; findings -tags noasm; GOARCH=arm64 findings
    # The one build with cgo: the driver through gorgonia.org/cu.
    findings -tags gorgonia_cu | grep -v '^oneshot/ops/cuda/driver imports C:' || true
  } | sort -u
}

if [[ ${1:-} == --selftest ]]; then
  twin=$here/testdata/brokendeps
  found=$(check "$twin")
  missing=0
  while IFS= read -r want; do
    grep -qF -- "$want" <<<"$found" || { echo "check-deps: selftest: not found: $want"; missing=1; }
  done <"$twin/want.txt"
  have=$(grep -c . <<<"$found" || true) planted=$(grep -c . "$twin/want.txt" || true)
  if ((missing || have != planted)); then
    echo "check-deps: selftest: planted $planted, found $have:"
    echo "$found"
    exit 1
  fi
  echo "check-deps: selftest: all $planted planted faults found"
  exit 0
fi

found=$(check "${1:-$here/..}")
if [[ -n $found ]]; then
  echo "$found"
  echo "check-deps: $(grep -c . <<<"$found") broken import rules"
  exit 1
fi
echo "check-deps: ok"
