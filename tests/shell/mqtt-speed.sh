#!/usr/bin/env bash
# The broker against mosquitto on this machine, in ratios with wide margins: a broker that became slow fails, a busy machine does not.
set -euo pipefail

# shellcheck source=support/built.sh
. "$(dirname "${BASH_SOURCE[0]}")/support/built.sh"
exec "$root/bench/mqtt/run.sh" --guard --binary "$binary"
