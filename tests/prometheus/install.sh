#!/bin/sh
# Unpacks Debian's package `prometheus` (the server and promtool) into DIRECTORY (default: target/prometheus) for the tests.
# It must never install anything into the system, nor leave half a folder behind: what is unpacked is renamed when complete.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-$here/../../target/prometheus}

[ ! -x "$folder/usr/bin/promtool" ] || exit 0
for tool in apt-get dpkg; do
  command -v "$tool" > /dev/null || { echo "$tool is not installed" >&2; exit 3; }
done

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
# A fresh machine knows no packages yet.
if ! apt-get download -q prometheus > log 2>&1; then
  { apt-get update -q && apt-get download -q prometheus; } > log 2>&1 ||
    { echo "apt-get could not fetch prometheus: $(grep -m1 '^E:' log | cut -c1-200)" >&2; exit 4; }
fi
dpkg -x ./prometheus_*.deb unpacked
# Another run may have finished first; what it unpacked is the same, so either result is right.
mv -T unpacked "$folder" 2> /dev/null || [ -x "$folder/usr/bin/promtool" ]
