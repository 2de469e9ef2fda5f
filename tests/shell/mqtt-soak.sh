#!/usr/bin/env bash
# A steady load does not make the broker grow: twenty seconds of what bench/mqtt/soak.sh does for ten minutes.
set -euo pipefail

exec "$(dirname "${BASH_SOURCE[0]}")/../../bench/mqtt/soak.sh" --slice
