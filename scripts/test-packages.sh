#!/usr/bin/env bash
# Packages as a user meets them: test-packages.sh NFPM. Two builds have the same bytes; what is unpacked from
# them runs a whole job, and has completions, manual pages, schema and licence. Where there is nothing to unpack
# a form with, that is said.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=$(go env GOARCH)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "test-packages: $*" >&2; exit 1; }

scripts/packages.sh "$work/a" "$1" "$arch"
scripts/packages.sh "$work/b" "$1" "$arch" >/dev/null
for f in "$work"/a/*; do
  cmp "$f" "$work/b/${f##*/}" || fail "${f##*/} has other bytes when it is built again"
done

# Looks at what was unpacked into $1, in which zsh's completions are in $2 and the licence is $3.
check() {
  local root=$1 bin=$1/usr/bin/oneshot share=$1/usr/share f link links
  (
    cd "$work"
    "$bin" run --preset micro --out "$root/run" --quiet >/dev/null
    "$bin" export --out "$root/run" --format onnx,pytorch --quiet >/dev/null
    "$bin" report "$root/run" --quiet >/dev/null
    [[ -s $root/run/report.html && -s $root/run/export/model.onnx && -s $root/run/export/model.py ]]
  ) || fail "the program of ${root##*/} does not do a whole job"
  for f in "$share/bash-completion/completions/oneshot" "$share/$2/_oneshot" "$share/fish/vendor_completions.d/oneshot.fish" \
    "$share/man/man1/oneshot.1.gz" "$share/man/man1/oneshot-run.1.gz" "$share/oneshot/oneshot.schema.json" "$share/doc/oneshot/README.md" \
    "$share/doc/oneshot/docs/guide/images.md" "$share/doc/oneshot/docs/pictures/report.png" "$share/$3"; do
    [[ -s $f ]] || fail "${root##*/} lacks $f"
  done
  links=0
  for f in "$share"/doc/oneshot/README.md "$share"/doc/oneshot/docs/guide/*.md; do
    while read -r link; do
      [[ -e ${f%/*}/$link ]] || fail "${root##*/}: $link, to which ${f##*/} leads, is not there"
      links=$((links + 1))
    done < <(grep -oE '\]\([^):#]+\)' "$f" | sed 's/^](//; s/)$//')
  done
  ((links > 20)) || fail "only $links links found"
  bash -n "$share/bash-completion/completions/oneshot"
  if command -v zsh >/dev/null; then zsh -n "$share/$2/_oneshot"; fi
  if command -v fish >/dev/null; then fish -n "$share/fish/vendor_completions.d/oneshot.fish"; fi
  "$bin" init --schema | cmp - "$share/oneshot/oneshot.schema.json" || fail "the schema of ${root##*/} is not the program's"
  gzip -dc "$share/man/man1/oneshot-run.1.gz" | grep -q '^\.SH OPTIONS' || fail "the manual page of run has no options"
}

checked=0
if command -v dpkg-deb >/dev/null; then
  deb=$(echo "$work"/a/*.deb)
  [[ $(dpkg-deb -f "$deb" Package Architecture Recommends) == "Package: oneshot"*"Architecture: $arch"*"Recommends: libturbojpeg0" ]] ||
    fail "what the Debian package says of itself: $(dpkg-deb -f "$deb")"
  mkdir "$work/deb"
  dpkg-deb -x "$deb" "$work/deb"
  check "$work/deb" zsh/vendor-completions doc/oneshot/copyright
  checked=$((checked + 1))
else
  echo "test-packages: the Debian package is not unpacked, there is no dpkg-deb"
fi
mkdir "$work/rpm"
if command -v rpm2cpio >/dev/null && command -v cpio >/dev/null; then
  # rpm2cpio fails over the size of the payload that nfpm writes, which rpm itself does not mind.
  (set +o pipefail && cd "$work/rpm" && rpm2cpio "$work"/a/*.rpm | cpio -id --no-absolute-filenames --quiet 2>&1 | sed '/Removing leading/d')
elif command -v bsdtar >/dev/null; then
  bsdtar -xf "$work"/a/*.rpm -C "$work/rpm"
fi
if [[ -d $work/rpm/usr ]]; then
  check "$work/rpm" zsh/site-functions licenses/oneshot/LICENSE
  checked=$((checked + 1))
else
  echo "test-packages: the RPM package is not unpacked, there is no rpm2cpio with cpio, and no bsdtar"
fi
echo "test-packages: $checked packages run, $(stat -c '%n %s' "$work"/a/* | sed 's|.*/||' | paste -sd, | sed 's/,/, /') bytes"
