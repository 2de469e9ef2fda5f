#!/usr/bin/env bash
# What the broker acknowledged survives SIGKILL at every durable system call and at random moments, a failing disk, and a full disk.
#
#   durability.sh          a slice, for every day
#   durability.sh --long   every call, and 200 random moments (about half an hour)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support/built.sh
. "$here/support/built.sh"
durable=$here/support/durable.py
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
  skip 'a full disk' 'no tmpfs can be mounted here'
fi
