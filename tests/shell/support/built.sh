# shellcheck shell=bash
# What ./build.sh made, for a test of it: $root, $binary (EDGE_BINARY names another), and the lines of tap.sh.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
# shellcheck source=tests/shell/support/tap.sh
. "$root/tests/shell/support/tap.sh"
binary=${EDGE_BINARY:-$(find "$root/out" -path '*/linux-*/edge-firmware' -type f 2>/dev/null | head -n 1)}
[[ -x $binary ]] || { not_ok 'there is no out/*/edge-firmware; run ./build.sh'; exit 1; }
