#!/usr/bin/env bash
# Runs every fuzz target of the module for a while: fuzz.sh [TIME], e.g. fuzz.sh 30s.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
count=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Making an interesting input smaller may take all of the time otherwise.
while read -r pkg dir files; do
  [[ -n ${files:-} ]] || continue
  for name in $(cd "$dir" && grep -ohE '^func Fuzz[A-Za-z0-9_]*' $files | cut -d' ' -f2 | sort -u); do
    echo "fuzz $pkg $name $time"
    if ! go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" -fuzzminimizetime 10x "$pkg" </dev/null >"$log" 2>&1; then
      cat "$log"
      # At the end of its time go test sometimes fails with nothing but this line and no
      # input; the target is tried once more then.
      if grep -q 'Failing input written' "$log" || ! grep -q '^ *context deadline exceeded$' "$log"; then
        exit 1
      fi
      echo "fuzz $pkg $name once more: it found nothing, but did not end"
      go test -run '^$' -fuzz "^$name\$" -fuzztime "$time" "$pkg" </dev/null
    else
      cat "$log"
    fi
    count=$((count + 1))
  done
done < <(go list -f '{{.ImportPath}} {{.Dir}}{{range .TestGoFiles}} {{.}}{{end}}{{range .XTestGoFiles}} {{.}}{{end}}' ./...)
((count > 0)) || { echo "fuzz: no target found"; exit 1; }
echo "fuzz: $count targets ok"
