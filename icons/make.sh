#!/usr/bin/env bash
# Renders every icon from codesync.svg. Needs rsvg-convert, ImageMagick and Python 3.
set -euo pipefail
cd "$(dirname "$0")"
size() { rsvg-convert --width "$1" --height "$1" codesync.svg --output "$2"; }
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
for pixels in 16 24 32 48 64 128 256 512 1024; do size "$pixels" "$work/$pixels.png"; done
cp "$work/32.png" 32x32.png
cp "$work/64.png" 64x64.png
cp "$work/128.png" 128x128.png
cp "$work/256.png" 128x128@2x.png
cp "$work/512.png" icon.png
convert "$work/16.png" "$work/24.png" "$work/32.png" "$work/48.png" "$work/64.png" "$work/256.png" icon.ico
python3 - "$work" icon.icns <<'PY'
import pathlib, struct, sys
work, target = pathlib.Path(sys.argv[1]), sys.argv[2]
kinds = [(b"icp4", 16), (b"icp5", 32), (b"icp6", 64), (b"ic07", 128), (b"ic08", 256), (b"ic09", 512), (b"ic10", 1024)]
body = b""
for kind, pixels in kinds:
    data = (work / f"{pixels}.png").read_bytes()
    body += kind + struct.pack(">I", len(data) + 8) + data
pathlib.Path(target).write_bytes(b"icns" + struct.pack(">I", len(body) + 8) + body)
PY
