#!/usr/bin/env bash
# The broker against mosquitto on this machine, in ratios with wide margins: a broker that became slow fails, a busy machine does not.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
binary=${EDGE_BINARY:-$(find "$root/out" -path '*/linux-*/edge-firmware' -type f 2>/dev/null | head -n 1)}

[[ -x $binary ]] || { echo 'not ok - there is no out/*/edge-firmware; run ./build.sh'; exit 1; }
exec "$root/bench/mqtt/run.sh" --guard --binary "$binary"
