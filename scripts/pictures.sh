#!/usr/bin/env bash
# Makes the pictures of README again, docs/pictures/*.png: the live page of a run of preset tiny while it trains, and
# parts of its report. It needs Chromium and takes some minutes.
#
#   pictures.sh [live|report RUN]    only that one, or only those of the report of a finished run
#
# $ONESHOT names a program to use instead of one built here.
set -euo pipefail
cd "$(dirname "$0")/.."
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) ||
  { echo "pictures: skipped, there is no Chromium"; exit 0; }
work=$(mktemp -d)
started=()
trap 'for p in "${started[@]}"; do kill "$p" 2>/dev/null || true; done; rm -rf "$work"' EXIT
oneshot=${ONESHOT:-$work/oneshot}
[[ ${ONESHOT:-} ]] || go build -trimpath -o "$oneshot" ./cmd/oneshot
mkdir -p docs/pictures

# shoot NAME HEIGHT ADDRESS writes a picture of a page.
shoot() {
  timeout 60 "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/browser" \
    --window-size=1000,"$2" --timeout=6000 --screenshot="$work/$1.png" "$3" >/dev/null 2>&1
  local bytes
  bytes=$(stat -c %s "$work/$1.png")
  ((bytes < 150000)) || { echo "pictures: $1.png has $bytes bytes" >&2; exit 1; }
  mv "$work/$1.png" docs/pictures/
}

live() {
  "$oneshot" run --preset tiny --out "$work/tiny" --set search.baselines=random,evolution --quiet >"$work/run.txt" 2>&1 &
  local run=$!
  started+=("$run")
  until [[ -s $work/tiny/metrics.jsonl && $(wc -l <"$work/tiny/metrics.jsonl") -gt 1200 ]]; do
    kill -0 "$run" || { cat "$work/run.txt"; exit 1; }
    sleep 1
  done
  "$oneshot" serve "$work/tiny" >"$work/serve.txt" 2>/dev/null &
  started+=($!)
  until [[ -s $work/serve.txt ]]; do sleep 0.2; done
  shoot live 960 "$(sed -n 's/^open *//p' "$work/serve.txt")"
  wait "$run"
}

# part NAME HEIGHT HEADING... is a picture of the parts of the report with these headings.
part() {
  local name=$1 height=$2 ids="" head=", body > h1, body > p" heading id
  [[ $name != report ]] || head=""
  shift 2
  for heading in "$@"; do
    id=$(grep -B1 "^<h2>$heading" "$page" | sed -n 's/.*<section id="\([^"]*\)".*/\1/p')
    [[ $id ]] || { echo "pictures: the report has no part \"$heading\"" >&2; exit 1; }
    ids+=":not(#$id)"
  done
  { cat "$page" && echo "<style>section$ids, nav$head { display: none }</style>"; } >"$work/$name.html"
  shoot "$name" "$height" "file://$work/$name.html"
}

report() {
  "$oneshot" report "$1" --quiet >/dev/null
  page=$1/report.html
  part report 520 "How good it is"
  part network 660 "The network"
  part search 690 "The search"
}

case ${1:-} in
  live) live ;;
  report) report "$2" ;;
  *)
    live
    report "$work/tiny"
    ;;
esac
