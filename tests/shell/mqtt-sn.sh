#!/usr/bin/env bash
# A sensor made of the MQTT-SN messages of Debian's python3-scapy against the built node, over IPv4 and over link-local IPv6 addresses, with mosquitto's
# clients on the other side. In a network namespace of its own.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
if [[ ${1:-} != inside ]]; then exec unshare --net --pid --fork --kill-child --mount-proc "${BASH_SOURCE[0]}" inside; fi
# shellcheck source=tests/shell/support/tap.sh
. "$here/support/tap.sh"
binary=${EDGE_BINARY:-$(find "$root/out" -path '*/linux-*/edge-firmware' -type f 2>/dev/null | head -n 1)}
[[ -x $binary ]] || { echo 'not ok - there is no out/*/edge-firmware; run ./build.sh'; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ip link set lo up
ip link add radio0 type veth peer name radio1
for end in 0 1; do
  ip link set "radio$end" addrgenmode none up
  ip -6 address add "fe80::$((end + 1))/64" dev "radio$end" nodad
done

cat >"$work/config.json" <<END
{ "Node": { "Name": "sensors" }, "DataDirectory": "$work/data", "Engine": { "Socket": "/nonexistent" },
  "Mqtt": { "Listen": ["127.0.0.1:1883"], "AllowAnonymous": true,
    "SensorNet": { "Listen": ["127.0.0.1:1884", "[fe80::1%radio0]:1884"], "PredefinedTopics": ["7=pre/defined"], "GatewayId": 5 } } }
END
"$binary" run --config "$work/config.json" >"$work/log" 2>&1 </dev/null &
listens() { [[ $(grep -c 'for MQTT-SN' "$work/log") == 2 ]]; }
within 20 listens || { not_ok 'the node listens' "$(tail -n 20 "$work/log")"; tap_exit; }

for gateway in 127.0.0.1 fe80::1%radio1; do
  timeout 120 /usr/bin/python3 "$here/support/interop_sensornet.py" "$gateway" 1884 1883 || tap_failed=1
done

kill -TERM %1
status=0
wait %1 || status=$?
check 'the node ends when it is asked to' test "$status" = 0
tap_exit
