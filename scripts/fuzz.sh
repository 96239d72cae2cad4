#!/usr/bin/env bash
# Runs every fuzz target of the module for a while, as many side by side as there are processors, each with one
# worker: fuzz.sh [TIME], e.g. fuzz.sh 30s.
set -euo pipefail
cd "$(dirname "$0")/.."
export FUZZTIME=${1:-10s}

fuzz_one() { # package, target
  local log status=0
  log=$(mktemp)
  # Making an interesting input smaller may take all of the time otherwise.
  local command=(go test -run '^$' -fuzz "^$2\$" -fuzztime "$FUZZTIME" -fuzzminimizetime 10x -parallel 1 "$1")
  if ! "${command[@]}" </dev/null >"$log" 2>&1; then
    # At the end of its time go test sometimes fails with nothing but this line and no
    # input; the target is tried once more then.
    if grep -q 'Failing input written' "$log" || ! grep -q '^ *context deadline exceeded$' "$log"; then
      status=1
    else
      echo "fuzz $1 $2 once more: it found nothing, but did not end" >>"$log"
      "${command[@]}" </dev/null >>"$log" 2>&1 || status=1
    fi
  fi
  echo "fuzz $1 $2 $FUZZTIME"$'\n'"$(cat "$log")"
  rm -f "$log"
  return "$status"
}
export -f fuzz_one

targets=$(mktemp)
trap 'rm -f "$targets"' EXIT
while read -r pkg dir files; do
  [[ -n ${files:-} ]] || continue
  for name in $(cd "$dir" && grep -ohE '^func Fuzz[A-Za-z0-9_]*' $files | cut -d' ' -f2 | sort -u); do
    echo "$pkg $name"
  done
done < <(go list -f '{{.ImportPath}} {{.Dir}}{{range .TestGoFiles}} {{.}}{{end}}{{range .XTestGoFiles}} {{.}}{{end}}' ./...) >"$targets"
count=$(wc -l <"$targets")
((count > 0)) || { echo "fuzz: no target found"; exit 1; }
xargs -P "$(nproc)" -L 1 bash -c 'fuzz_one "$@" || exit 255' fuzz <"$targets" || { echo "fuzz: failed"; exit 1; }
echo "fuzz: $count targets ok"
