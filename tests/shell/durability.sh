#!/usr/bin/env bash
# What the broker acknowledged survives SIGKILL at every durable system call and at random moments, a failing disk, and a full disk.
#
#   durability.sh          a slice, for every day
#   durability.sh --long   every call, and 200 random moments (about half an hour)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
binary=${EDGE_BINARY:-$(find "$root/out" -path '*/linux-*/edge-firmware' -type f 2>/dev/null | head -n 1)}
durable=$here/support/durable.py

[[ -x $binary ]] || { echo 'not ok - there is no out/*/edge-firmware; run ./build.sh'; exit 1; }
small=$(mktemp -d)
trap 'umount "$small" 2>/dev/null || true; rmdir "$small" 2>/dev/null || true' EXIT

if [[ ${1:-} == --long ]]; then
  "$durable" "$binary" sweep 1 1 5000
  "$durable" "$binary" fault 1 1 320
  "$durable" "$binary" kill 200
else
  "$durable" "$binary" sweep 1 29 12
  "$durable" "$binary" fault 1 37 6
  "$durable" "$binary" kill 10
fi

if mount -t tmpfs -o size=10m,mode=0700 tmpfs "$small" 2>/dev/null; then
  "$durable" "$binary" full "$small"
else
  echo 'skip - a full disk: no tmpfs can be mounted here'
fi
