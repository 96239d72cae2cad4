#!/usr/bin/env bash
# The generated files are what their generators write: generate in a copy and compare.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -cf - --exclude=./.git --exclude=./bin --exclude=./runs . | tar -xf - -C "$copy"
mapfile -t generated < <(cd "$copy" && grep -rlE '^// Code generated .* DO NOT EDIT\.$' --include='*.go' --include='*.s' . | sort)
((${#generated[@]} > 0)) || { echo "check-generate: no generated file found"; exit 1; }
# Without the committed ones a generator that writes nothing cannot pass.
(cd "$copy" && rm -f -- "${generated[@]}" && go generate ./...)
bad=0
for f in "${generated[@]}"; do
  diff -u "$f" "$copy/$f" || bad=1
done
((bad == 0)) || { echo "check-generate: stale; run make generate"; exit 1; }
echo "check-generate: ${#generated[@]} files are fresh"
