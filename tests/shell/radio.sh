#!/usr/bin/env bash
# Two nodes with IEEE 802.15.4 radios and 6LoWPAN between them, in the lab VM (tests/Lab/vm): Debian's kernel has simulated radios that hear each other
# (mac802154_hwsim), the rest is what a board with a radio runs. What radios carry is limited to 250 kbit/s, as theirs is.
#
#   radio.sh          in short
#   radio.sh --long   also what probes cost, for half a minute each while nothing is wrong and while nobody answers
# shellcheck disable=SC2317 # functions run through check
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support/built.sh
. "$here/support/built.sh"
# shellcheck source=support/namespaces.sh
. "$here/support/namespaces.sh"
if [[ ${1:-} != inside ]]; then
  if ! why=$(timeout 150 "$root/tests/Lab/vm/prepare.sh" wpan-tools jq 2>&1); then
    skip 'two nodes with radios' "${why:-the VM could not be had in 150 s}"
    exit 0
  fi
  EDGE_BINARY=$binary exec "$root/tests/Lab/vm/run.sh" --seconds $((270 - SECONDS)) env EDGE_BINARY="$binary" "$here/radio.sh" inside "${1:-}"
fi
[[ ${EDGE_LAB_VM:-} == yes ]] || { echo 'only in the lab VM' >&2; exit 2; }

work=/run/radio
key=$(head -c 32 /dev/zero | tr '\0' 'k' | base64)
declare -A number=([a]=0 [b]=1) other=([a]=b [b]=a)

at() { ip netns exec "$1" "${@:2}"; }

# A radio of its own and a cable to the other, which stands for a WAN.
network() {
  local node radio
  mkdir -p "$work"
  ip netns add a
  ip netns add b
  for node in a b; do
    radio=wpan${number[$node]}
    iwpan phy "phy${number[$node]}" set netns name "$node"
    at "$node" ip link set lo up
    at "$node" iwpan dev "$radio" set pan_id 0xbeef
    at "$node" tc qdisc add dev "$radio" root tbf rate 250kbit burst 2kb latency 400ms
    at "$node" ip link add link "$radio" name lowpan0 type lowpan
    at "$node" ip link set "$radio" up
    at "$node" ip link set lowpan0 up
  done
  ip link add wan0 netns a type veth peer name wan0 netns b
  for node in a b; do
    at "$node" ip addr add "10.99.0.$((number[$node] + 1))/24" dev wan0
    at "$node" ip link set wan0 up
    within 10 has_address "$node"
  done
}

# Its link-local address on the radio, once nobody else can have it.
address() { at "$1" ip -6 -json addr show dev lowpan0 scope link -tentative | jq -re '.[].addr_info[]?.local'; }
has_address() { [[ $(address "$1") == fe80:* ]]; }

# ping_large FROM: eight packets of 1248 bytes, each in more than ten frames; the first may be lost to finding the neighbour.
ping_large() {
  at "$1" busybox ping -6 -c 1 -W 5 "$(address "${other[$1]}")%lowpan0" >/dev/null || true
  at "$1" busybox ping -6 -c 8 -W 5 -s 1200 "$(address "${other[$1]}")%lowpan0" | tee /dev/stderr | grep -q ' 0% packet loss'
}

# start NODE [JSON]: with so much more configuration.
start() {
  cat >"$work/$1.json" <<JSON
{ "Node": { "Name": "radio-$1" }, "DataDirectory": "$work/$1", "Engine": { "Socket": "$work/no-engine" }, "Mqtt": { "Listen": ["127.0.0.1:1883"] }${2:-} }
JSON
  start_node "$1" ip netns exec "$1"
}

# lowpan JQ: what node a says of its radio link.
lowpan() { node a links --json | jq -e ".links[] | select(.name == \"lowpan0\") | $1"; }

# Bytes on air that node a has sent and heard, headers of the radio included.
on_air() { at a awk '{ sum += $1 } END { print sum }' /sys/class/net/wpan0/statistics/{tx,rx}_bytes; }

# within_budget SECONDS: 0.5 % of 250 kbit/s, and what ProbeBudget saves up at most (1800 bytes). Probes must have been sent.
within_budget() {
  local bytes probes allowed=$((1800 + 156 * $1))
  bytes=$(on_air) probes=$(lowpan .probes)
  sleep "$1"
  bytes=$(($(on_air) - bytes)) probes=$(($(lowpan .probes) - probes))
  echo "$probes probes, $bytes bytes on air in $1 s, allowed are $allowed" | tee -a "$work/figures"
  ((probes > 0 && bytes <= allowed))
}

sees() { node "$1" peers --json | jq -e "[.[] | select(.status == \"alive\") | .name] == [\"radio-${other[$1]}\"]"; }

mesh_of() {
  local index
  index=$(at "$1" cat /sys/class/net/lowpan0/ifindex)
  printf ', "Links": { "Names": ["lowpan0", "wan0"] }, "Mesh": { "Listen": "[%s%%%s]:7900", "Profile": "LowPower", "SiteKey": "%s" }' "$(address "$1")" "$index" "$key"
}

# reaches NODE LINK: it says something to the other, and that is the link it goes over.
reaches() { node "$1" reach "radio-${other[$1]}" --json | tee -a "$work/reached" | jq -e ".path.link == \"$2\""; }

logs() { tail -n 20 "$work"/*.log | sed 's/^/# /'; }

network >"$work.made" 2>&1 || { not_ok 'two radios with 6LoWPAN' "$(cat "$work.made")"; tap_exit; }
check 'large packets pass from a to b' ping_large a
check 'large packets pass from b to a' ping_large b

at a ip -6 route add default via "$(address b)" dev lowpan0
start a ', "Links": { "Names": ["lowpan0", "wan0"] }'
check 'the radio is a 6LoWPAN link' within 5 lowpan '.kind == "6lowpan" and .carrier'
check 'it has its link-local address' lowpan "any(.addresses[]; startswith(\"$(address a)\") and endswith(\"/64\"))"
check 'a gateway behind the radio is found' within 10 lowpan '.reach == "internet" and (.proven | not)'
if [[ ${2:-} == --long ]]; then
  check 'probes of a gateway that answers stay within the budget of the radio' within_budget 36
  at b ip link set lowpan0 down
  check 'probes of a gateway that is silent stay within it too' within_budget 36
  at b ip link set lowpan0 up
  within 10 has_address b
  sed 's/^/# /' "$work/figures"
fi
stop_node a TERM
at a ip -6 route del default

at a ip link set wan0 down
start a "$(mesh_of a)"
start b "$(mesh_of b)"
check 'two nodes that have only the radio find each other by multicast' within 60 sees a
check 'and the other one sees the first' within 20 sees b
check 'a message reaches the other node by its ID, over the radio' within 30 reaches a lowpan0
at a ip link set wan0 up
check 'with a wire it goes over the wire' within 60 reaches a wan0
at b ip link set wan0 down
check 'and without over the radio again' within 15 reaches a lowpan0
((tap_failed == 0)) || { logs; cat "$work/reached"; }
tap_exit
