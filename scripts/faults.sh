#!/usr/bin/env bash
# The fault tests at full length, and the table of what they injected.
#
#   scripts/faults.sh [PACKAGE...]    default: every package that has fault tests
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
packages=("$@")
((${#packages[@]})) || mapfile -t packages < <(grep -rlE --include='*_test.go' '^func TestFault[A-Z]' . | xargs -n 1 dirname | sort -u)
# One package after the other: tests that kill processes at a chosen moment need the processors.
ONESHOT_FAULTS=${ONESHOT_FAULTS:-all} go test -count=1 -p 1 -timeout 60m -v -run '^TestFault[A-Z]' "${packages[@]}" >"$log" 2>&1
status=$?
((status == 0)) || grep -E '^(---|\s+---) FAIL|^FAIL|panic:|_test.go:[0-9]+:' "$log" | grep -v 'FAULT' | head -n 60
awk -F '\t' 'BEGIN { form = "%-72s %10s %9s  %s\n"; printf form, "fault", "injections", "survived", "twins caught" }
  /FAULT\t/ { printf form, $2, $3, $4, $5; injected += $3; survived += $4; rows++ }
  END { printf form, rows " kinds", injected, survived, ""; exit rows == 0 || injected != survived }' "$log" || status=1
exit "$status"
