#!/usr/bin/env bash
# The pages that oneshot makes, in a headless Chromium through puppeteer-core (installed with npm into bin/): the live
# page of a run and the list of runs while it goes on and afterwards, and report.html as a file. What is checked is said
# at the head of scripts/test-pages.cjs; pages with a planted fault of each kind must be refused.
#
#   test-pages.sh [--preset NAME] [--run FOLDER] [PICTURES] [-- FLAGS OF RUN...]
#
# The run is of preset NAME (tiny), with more flags behind --, or a finished one that is given. Pictures, light, dark, narrow and as printed, are
# kept in the folder PICTURES.
set -euo pipefail
cd "$(dirname "$0")/.."
driver=puppeteer-core@24.43.1
preset=tiny given="" pictures="" flags=()
while (($#)); do
  case $1 in
    --preset) preset=$2; shift 2 ;;
    --run) given=$2; shift 2 ;;
    --) shift; flags=("$@"); break ;;
    -*) echo "usage: test-pages.sh [--preset NAME] [--run FOLDER] [PICTURES] [-- FLAGS OF RUN...]" >&2; exit 2 ;;
    *) pictures=$1; shift ;;
  esac
done
browser=""
for name in chromium chromium-browser google-chrome; do
  browser=${browser:-$(command -v "$name" || true)}
done
for need in "${browser:+found}:no chromium, chromium-browser or google-chrome" "$(command -v npm || true):no npm" "$(command -v node || true):no node"; do
  [[ ${need%%:*} ]] || { echo "test-pages: skipped, there is ${need#*:}"; exit 0; }
done
modules=$PWD/bin/puppeteer/node_modules
if ! grep -qs "\"version\": \"${driver##*@}\"" "$modules/puppeteer-core/package.json"; then
  mkdir -p bin/puppeteer
  npm install --prefix bin/puppeteer --ignore-scripts --no-audit --no-fund --silent "$driver"
fi
work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap finish EXIT
go build -trimpath -o "$work/oneshot" ./cmd/oneshot
mkdir "$work/runs"
if [[ $given ]]; then
  cp -r "$given" "$work/runs/run"
else
  "$work/oneshot" run --preset "$preset" --out "$work/runs/run" --quiet "${flags[@]}" >"$work/run.txt" 2>&1 &
  pids+=($!)
fi
"$work/oneshot" serve "$work/runs" --json >"$work/serve.json" &
pids+=($!)
for _ in {1..100}; do [[ -s $work/serve.json ]] && break; sleep 0.1; done
NODE_PATH=$modules timeout 1800 node scripts/test-pages.cjs "$browser" "$work" "${pictures:-$work/pictures}"
