#!/usr/bin/env bash
# Measures how long a stream between two nodes stands still when the link under it fails, beside Debian's keepalived, and writes bench/results/overlay.md
# with a plot. As root, after ./build.sh: it installs what is missing. About twenty minutes.
#
#   bench/overlay/run.sh [ROUNDS]     default 10 of each kind
#
# Everything lives in a PID and a network namespace of its own and ends with the script, however it ends.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=${1:-10}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
[[ $(id -u) == 0 ]] || { echo 'overlay bench: needs root, for namespaces and packet filters' >&2; exit 1; }

missing=()
while read -r command package; do
  command -v "$command" >/dev/null || missing+=("$package")
done <<<$'keepalived keepalived\nmosquitto_pub mosquitto-clients\nping iputils-ping\niptables iptables\npython3 python3\nip iproute2\nunshare util-linux'
if ((${#missing[@]})); then
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
binary=$(find "$root/out" -path '*/linux-*/edge-firmware' -type f | head -n 1)
[[ -x $binary ]] || { echo 'overlay bench: there is no out/*/edge-firmware; run ./build.sh' >&2; exit 1; }
exec unshare --pid --net --fork --kill-child --mount-proc python3 "$here/main.py" "$binary" "$root/bench/results" "$rounds"
