#!/usr/bin/env bash
# What an open page of `oneshot serve` costs a training of the same machine, as processor time: the training of preset
# tiny without a page and with one, in turn, and the server beside it.
#
#   serve.sh [STEPS [ROUNDS]]     450 steps, 3 rounds
#
# The page is curl, which loads it and then reads its events to the end of the training: what a browser itself computes
# is not counted. Processor time is that of the process, user and system; wall time is told too, but is that of a quiet
# machine only on a quiet machine.
set -euo pipefail
cd "$(dirname "$0")/.."
steps=${1:-450} rounds=${2:-3}
for need in curl awk; do command -v "$need" >/dev/null || { echo "serve.sh: there is no $need" >&2; exit 1; }; done
work=$(mktemp -d)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
go build -trimpath -o "$work/oneshot" ./cmd/oneshot
ticks=$(getconf CLK_TCK)

# used is the processor time of a process that is there, in seconds.
used() { awk -v ticks="$ticks" '{ sub(/^.*\) /, ""); print ($12 + $13) / ticks }' "/proc/$1/stat"; }

# train trains in a folder; "user system wall" in seconds are left in $work/time.
TIMEFORMAT='%U %S %R'
train() {
  { time "$work/oneshot" train --preset tiny --set train.steps="$steps" --out "$1" --quiet >"$work/said.txt" 2>&1; } 2>"$work/time" || { cat "$work/said.txt" >&2; return 1; }
}

median() { sort -n | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

printf '%-6s %-8s %12s %10s %12s %8s\n' round page training_s wall_s server_s bytes
for ((round = 1; round <= rounds; round++)); do
  train "$work/alone$round"
  read -r user system wall <"$work/time"
  alone=$(awk "BEGIN { print $user + $system }")
  echo "$alone" >>"$work/alone"
  printf '%-6s %-8s %12s %10s\n' "$round" no "$alone" "$wall"

  run=$work/shown$round
  mkdir "$run"
  echo '{}' >"$run/metrics.jsonl" # a sign by which the server knows it as a run before it begins
  rm -f "$work/serve.json"
  "$work/oneshot" serve "$run" --json >"$work/serve.json" 2>"$work/serve.txt" &
  server=$!
  pids+=("$server")
  for _ in {1..100}; do [[ -s $work/serve.json ]] && break; sleep 0.1; done
  rm "$run/metrics.jsonl"
  address=$(sed -n 's/.*"address": *"\([^"]*\)".*/\1/p' "$work/serve.json" | head -n 1)
  rm -f "$work/cookies"
  home=$(curl -sS -L -c "$work/cookies" -b "$work/cookies" -o /dev/null -w '%{url_effective}' "$address")
  curl -sS -N -b "$work/cookies" -o "$work/events" "${home}events" &
  page=$!
  pids+=("$page")
  before=$(used "$server")
  train "$run"
  read -r user system wall <"$work/time"
  shown=$(awk "BEGIN { print $user + $system }")
  spent=$(awk "BEGIN { print $(used "$server") - $before }")
  got=$(grep -c '"step":' "$work/events" || true)
  bytes=$(stat -c %s "$work/events")
  kill "$page" "$server"
  wait "$page" "$server" 2>/dev/null || true
  ((got >= steps / 2)) || { echo "serve.sh: the page has only $got of $steps lines" >&2; exit 1; }
  echo "$shown" >>"$work/shown"
  echo "$spent" >>"$work/spent"
  printf '%-6s %-8s %12s %10s %12s %8s\n' "$round" yes "$shown" "$wall" "$spent" "$bytes"
done
a=$(median <"$work/alone") b=$(median <"$work/shown") s=$(median <"$work/spent")
awk "BEGIN { printf \"medians: training %.2f s without a page, %.2f s with one; server %.2f s, %.2f %% of the training\\n\", $a, $b, $s, 100 * $s / $b }"
