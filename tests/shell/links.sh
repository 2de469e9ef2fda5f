#!/usr/bin/env bash
# What a node believes of its links, with real ones: pairs between two network namespaces, a gateway, something that stands for the Internet behind it.
# The node runs without any capability, as its unit does.
#
#   links.sh          in short
#   links.sh --long   also a gateway that is gone, of which the kernel has to forget the address first
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support/built.sh
. "$here/support/built.sh"
# shellcheck source=support/namespaces.sh
. "$here/support/namespaces.sh"
into_namespaces 'links of a node' "$@"

work=$(mktemp -d /tmp/edge-links-XXXXXX)
trap 'rm -rf "$work"' EXIT

# The other side: a gateway (10.99.0.1, fe80::) with the Internet (203.0.113.1, 2001:db8:f::1) on its loopback.
network() {
  make_far
  ip link add name wan0 type veth peer name gate netns "$far"
  ip link add name lan0 type veth peer name yard netns "$far"
  ip addr add 10.98.0.2/24 dev lan0
  ip link set lan0 up
  ip link set wan0 up
  ways
  behind ip addr add 203.0.113.1/32 dev lo
  behind ip addr add 2001:db8:f::1/128 dev lo nodad
  behind ip addr add 10.99.0.1/24 dev gate
  behind ip addr add 2001:db8:9::1/64 dev gate nodad
  behind ip link set gate up
  behind ip link set yard up
  behind python3 -m http.server 443 --bind 203.0.113.1 >/dev/null 2>&1 &
  behind python3 -m http.server 443 --bind 2001:db8:f::1 >/dev/null 2>&1 &
  within 10 curl --silent --output /dev/null http://203.0.113.1:443
}

ways() {
  ip addr add 10.99.0.2/24 dev wan0
  ip route replace default via 10.99.0.1 dev wan0
}

# start [TARGETS]: until it answers.
start() {
  local targets=${1-'"203.0.113.1:443"'}
  cat >"$work/gate-1.json" <<JSON
{ "Node": { "Name": "gate-1" }, "DataDirectory": "$work/gate-1", "Engine": { "Socket": "$work/no-engine" }, "Mqtt": { "Listen": ["127.0.0.1:1883"] },
  "Api": { "Listen": "127.0.0.1:8080" }, "Links": { "Targets": [$targets], "Names": ["wan0", "lan0"] } }
JSON
  start_node gate-1 "${without_capabilities[@]}"
}

stop() { stop_node gate-1 "$1"; }

links() { node gate-1 links "$@"; }

# is LINK KEY VALUE...: what the node says of the link; a value may be the beginning of a text.
is() {
  links --json | python3 -c '
import json, sys
name, wanted = sys.argv[1], sys.argv[2:]
link = next((link for link in json.load(sys.stdin)["links"] if link["name"] == name), None)
for key, value in zip(wanted[::2], wanted[1::2]):
    if not (link and str(link.get(key)).startswith(value)):
        sys.exit(f"{key} is not {value}: {link}")' "$@"
}

# soon MILLISECONDS COMMAND...: polls; the time is that of the last look that failed.
soon() {
  local limit=$1 started failed
  shift
  started=$(date +%s%3N)
  failed=$started
  until "$@" >"$work/last" 2>&1; do
    failed=$(date +%s%3N)
    ((failed - started < limit)) || { cat "$work/last" "$work/gate-1.log"; return 1; }
  done
}

api() { curl --silent --fail --max-time 5 "http://127.0.0.1:8080$1"; }

told() { grep -q "$1" "$work/gate-1.log"; }

network >"$work/made" 2>&1 || { not_ok 'a gateway and something behind it' "$(cat "$work/made")"; tap_exit; }
start
check 'a target that answers proves the Internet' soon 3000 is wan0 reach internet proven True why '203.0.113.1:443 answers' kind ethernet
check 'a link without a gateway is of the site, and that is not proven' is lan0 reach site proven False why 'no default gateway'

behind ip link set gate down
check 'a lost carrier is seen within a second' soon 1000 is wan0 carrier False reach none why 'no carrier'
behind ip link set gate up
check 'the Internet is back soon after the carrier' soon 3000 is wan0 carrier True reach internet

ip addr del 10.99.0.2/24 dev wan0
ip -6 addr flush dev wan0
check 'a link that loses its address leads nowhere' soon 1000 is wan0 carrier True reach none why 'no address'
ways
check 'an address that is back is asked at once' soon 2000 is wan0 reach internet addresses "['10.99.0.2/24'"

before=$(grep -c 'link-down' "$work/gate-1.log" || true)
iptables -I OUTPUT -o wan0 -j DROP
check 'packets that vanish on the way out: Internet dead, link up' soon 6000 is wan0 carrier True reach site why 'Internet dead'
stop KILL
start
check 'a node that starts there says the same' soon 8000 is wan0 carrier True reach site why 'Internet dead'
iptables -D OUTPUT -o wan0 -j DROP
check 'packets that pass again: the Internet is back' soon 4000 is wan0 reach internet

behind iptables -I INPUT -d 203.0.113.1 -j DROP
check 'a gateway that answers with nothing behind it: Internet dead' soon 6000 is wan0 reach site why 'Internet dead: gateway 10.99.0.1 answers'
behind iptables -D INPUT -d 203.0.113.1 -j DROP
check 'and back' soon 4000 is wan0 reach internet
check 'none of it was a link that goes down' test "$before" = "$(grep -c 'link-down' "$work/gate-1.log" || true)"

stop KILL
start
check 'after a kill the answer is there within half a second' soon 500 is wan0 reach internet

if [[ ${1:-} == --long ]]; then
  # The kernel is made to doubt its neighbours sooner than after half a minute.
  for file in base_reachable_time_ms:1000 delay_first_probe_time:1; do echo "${file#*:}" >"/proc/sys/net/ipv4/neigh/wan0/${file%:*}"; done
  behind ip addr del 10.99.0.1/24 dev gate
  check 'a gateway that is gone is silent' soon 40000 is wan0 carrier True reach none why 'gateway 10.99.0.1 silent'
  behind ip addr add 10.99.0.1/24 dev gate
  check 'and answers when it is back' soon 8000 is wan0 reach internet
  # As usual again: what is asked next depends on a neighbour that the kernel still knows.
  for file in base_reachable_time_ms:30000 delay_first_probe_time:5; do echo "${file#*:}" >"/proc/sys/net/ipv4/neigh/wan0/${file%:*}"; done
fi

check 'reach and round trip are metrics' sh -c 'curl -sf http://127.0.0.1:8080/metrics | grep -q "edge_link_reach{link=\"wan0\",kind=\"ethernet\"} 2" && curl -sf http://127.0.0.1:8080/metrics | grep -q edge_link_round_trip_seconds'
check 'the API shows the same' sh -c 'curl -sf http://127.0.0.1:8080/api/v1/links | grep -q "\"reach\":\"internet\""'
check 'changes are told with their reason' told 'reach-changed: Internet dead'
links --watch --json >"$work/watched" &
watcher=$!
check 'links --watch shows what there is' within 5 grep -q internet "$work/watched"
behind ip link set gate down
check 'and what changes' within 5 grep -q 'no carrier' "$work/watched"
behind ip link set gate up
kill "$watcher" 2>/dev/null || true

for n in {1..60}; do ip link add name "many$n" type veth peer name "more$n" && ip link set "many$n" up && ip link del "many$n"; done
check 'a storm of other interfaces does no harm' soon 3000 is wan0 reach internet
ip link del lan0
gone() { ! is lan0 name lan0; }
check 'an interface that is taken away is shown no more' soon 1000 gone
stop TERM

start ''
check 'without targets the gateway is believed, and it is said' soon 3000 is wan0 reach internet proven False why 'gateway 10.99.0.1 answers; whether'
iptables -I OUTPUT -o wan0 -j DROP
check 'without targets packets that vanish are found as well' soon 6000 is wan0 reach site why 'Internet dead'
iptables -D OUTPUT -o wan0 -j DROP
stop TERM

ip -4 addr flush dev wan0
# Both lost theirs with their carrier.
behind ip addr replace 2001:db8:9::1/64 dev gate nodad
ip addr add 2001:db8:9::2/64 dev wan0 nodad
ip -6 route replace default via 2001:db8:9::1 dev wan0
start '"[2001:db8:f::1]:443", "203.0.113.1:443"'
check 'a link with IPv6 alone has its IPv6 targets asked' soon 3000 is wan0 reach internet why '[2001:db8:f::1]:443 answers'
stop TERM
tap_exit
