#!/usr/bin/env bash
# Builds the program and its Debian and RPM packages into a folder: packages.sh FOLDER NFPM ARCH...
# The same commit gives the same bytes: what is in them has the time of the commit. The manual pages and
# completions are written by the program itself, built for this machine.
set -euo pipefail
folder=$(realpath -m "$1") nfpm=$2
shift 2
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH TZ=UTC CGO_ENABLED=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder" "$work/man"
umask 022

# The host's program writes what is the same for all.
go build -trimpath -o "$work/host" ./cmd/oneshot
go run -trimpath -tags man ./cmd/oneshot man "$work/man"
gzip -9n "$work"/man/*.1
for shell in bash zsh fish; do "$work/host" completion $shell >"$work/completion.$shell"; done
"$work/host" init --schema >"$work/oneshot.schema.json"
VERSION=$("$work/host" version --json | sed 's/.*"version":"\([^"]*\)".*/\1/')
export VERSION ROOT=$work
for ARCH in "$@"; do
  export ARCH
  GOARCH=$ARCH go build -trimpath -ldflags '-s -w' -o "$work/oneshot" ./cmd/oneshot
  find "$work" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  for form in deb rpm; do
    go run "$nfpm" package --config packaging/nfpm.yaml --packager $form --target "$folder/" | tail -1
  done
done
