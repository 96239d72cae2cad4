#!/usr/bin/env bash
# examples/browser.html as README's tutorial sets it up: onnxruntime-web runs an exported network in a headless
# Chromium on an image that is chosen there, and gives the chances that `oneshot predict` gives. A network exported
# without --pixels must be refused by the page.
set -euo pipefail
cd "$(dirname "$0")/.."
driver=puppeteer-core@24.43.1
browser=""
for name in chromium chromium-browser google-chrome; do
  browser=${browser:-$(command -v "$name" || true)}
done
for need in "${browser:+found}:Chromium" "$(command -v npm || true):npm" "$(command -v node || true):node" "$(command -v python3 || true):python3"; do
  [[ ${need%%:*} ]] || { echo "test-browser: skipped, there is no ${need#*:}"; exit 0; }
done
modules=$PWD/bin/puppeteer/node_modules
if ! grep -qs "\"version\": \"${driver##*@}\"" "$modules/puppeteer-core/package.json"; then
  mkdir -p bin/puppeteer
  npm install --prefix bin/puppeteer --ignore-scripts --no-audit --no-fund --silent "$driver"
fi
work=$(mktemp -d)
server=""
trap '[[ -z $server ]] || kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
go build -trimpath -o "$work/oneshot" ./cmd/oneshot
python3 - "$work/picture.png" <<'END'
import struct, sys, zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

rows = b"".join(b"\0" + bytes(v for x in range(32) for v in (8 * x, 8 * y, 255 * ((x // 8 + y // 8) % 2))) for y in range(32))
head = struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
END
here=$PWD
cd "$work"
./oneshot run --preset micro --set train.steps=60 --set retrain.steps=200 --out mine --quiet >/dev/null
./oneshot predict --weights mine/export/model.safetensors --top 10 --json picture.png >predicted.json
mkdir page
cp "$here/examples/browser.html" page
npm install --prefix page --no-audit --no-fund --silent onnxruntime-web@1.30.0
./oneshot export --out mine --format onnx --quiet >/dev/null
cp mine/export/model.onnx page/plain.onnx
./oneshot export --out mine --format onnx --pixels --quiet >/dev/null
cp mine/export/model.onnx page
sed 's/model\.onnx/plain.onnx/' page/browser.html >page/plain.html
python3 -u -m http.server --bind 127.0.0.1 --directory page 0 >http.txt 2>/dev/null &
server=$!
for _ in {1..100}; do [[ -s http.txt ]] && break; sleep 0.1; done
address=$(sed -n 's|.*(\(http://[^)]*\)).*|\1|p' http.txt)
NODE_PATH=$modules timeout 120 node "$here/scripts/test-browser.cjs" "$browser" "$address" "$work"
