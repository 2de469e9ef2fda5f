#!/usr/bin/env bash
# The same packets to the built node and to mosquitto: every client must see the same. See support/differential.py for what may differ.
#
#   mqtt-differential.sh                      a slice, for every day
#   mqtt-differential.sh --count 10000        a campaign
#   mqtt-differential.sh --seed N --count 1 --show
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support/built.sh
. "$here/support/built.sh"
exec "$here/support/differential.py" "$binary" "$@"
