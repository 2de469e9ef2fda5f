#!/usr/bin/env bash
# A site from nothing, as an operator makes one: real processes, no engines. Nodes join by token, see one another, serve HTTP and MQTT with the
# site's certificates; one is revoked.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support/built.sh
. "$here/support/built.sh"
# shellcheck source=support/namespaces.sh
. "$here/support/namespaces.sh"
into_namespaces 'a site of real nodes'

work=$(mktemp -d /tmp/edge-site-XXXXXX)
trap 'rm -rf "$work"' EXIT
declare -A address=([gate-1]=10.88.0.1 [gate-2]=10.88.0.2 [gate-3]=10.88.0.3)

# node.pem and so on of a site directory, as a bridge of gate-2 to gate-1 takes them.
bridge() {
  local site=$work/gate-2/site
  cat <<JSON
"Bridges": [{ "Name": "up", "Address": "gate-1:8883", "Topics": [{ "Filter": "up/#", "Direction": "Out" }],
  "Tls": { "AuthorityFile": "$site/authority.pem", "CertificateFile": "$site/node.pem", "KeyFile": "$site/node.key" } }],
JSON
}

# Addresses that are not loopback's: who comes from one is from elsewhere.
network() {
  local name
  for name in "${!address[@]}"; do
    ip addr add "${address[$name]}/24" dev lo
    echo "${address[$name]} $name"
  done >"$work/hosts"
  mount --bind "$work/hosts" /etc/hosts
}

configure() {
  local name=$1 own=${address[$1]} bridges=''
  [[ $name != gate-2 ]] || bridges=$(bridge)
  cat >"$work/$name.json" <<JSON
{ "Node": { "Name": "$name" }, "DataDirectory": "$work/$name", "Engine": { "Socket": "$work/no-engine" },
  "Mqtt": { $bridges "Listen": ["$own:1883"], "Tls": { "Listen": ["$own:8883"], "Identity": "Site", "ClientCertificates": "Optional" } },
  "Api": { "Tls": { "Listen": "$own:8443" } },
  "Mesh": { "Listen": "$own:7900", "Seeds": ["${address[gate-1]}:7900"], "Site": "$work/$name/site" }, "Overlay": { "Port": 0 } }
JSON
}

start() {
  configure "$1"
  start_node "$1"
}

# join NAME: on a machine that has nothing yet.
join() {
  local token
  token=$(node gate-1 site token --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
  "$binary" site join "$token" --peer "${address[gate-1]}:7900" --data "$work/$1" --name "$1"
}

make_site() {
  network
  "$binary" site create --dir "$work/gate-1/site" --name orchard
  start gate-1
  join gate-2
  join gate-3
  start gate-2
  start gate-3
}

# sees NODE OTHER...: exactly these are alive for it.
sees() {
  local node=$1
  shift
  node "$node" peers --json | python3 -c '
import json, sys
alive = sorted(peer["name"] for peer in json.load(sys.stdin) if peer["status"] == "alive")
sys.exit(0 if alive == sorted(sys.argv[1:]) else str(alive))' "$@"
}

all_see_all() { sees gate-1 gate-2 gate-3 && sees gate-2 gate-1 gate-3 && sees gate-3 gate-1 gate-2; }

offer_of() { node "$1" sub -t "edge/v1/$2/+/offer" -C 1 -W 10 | grep -q '"level"'; }

# api CODE CURL-ARGUMENT...: what gate-1 answers; 000 when there is no conversation.
api() {
  local wanted=$1 code
  shift
  code=$(curl --silent --max-time 5 --output "$work/answer" --write-out '%{http_code}' --cacert "$work/gate-2/site/authority.pem" \
    --connect-to gate-1:8443:10.88.0.1:8443 "$@" https://gate-1:8443/api/v1/node) || true
  [[ $code == "$wanted" ]] || { echo "code $code, not $wanted"; cat "$work/answer"; return 1; }
}

as() { printf '%s\n' --cert "$work/$1/site/node.pem" --key "$work/$1/site/node.key"; }

api_as() { local wanted=$1 who=$2; mapfile -t shown < <(as "$who"); api "$wanted" "${shown[@]}"; }

password() { awk '$1 == "password" { print $2 }' "$work/gate-1.log"; }

publish_as() {
  mapfile -t shown < <(as "$1")
  timeout 5 mosquitto_pub -h gate-1 -p 8883 --cafile "$work/gate-2/site/authority.pem" "${shown[@]}" -q 1 -t a -m x
}

id_of() { node "$1" status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'; }

over() { grep -q '^over' "$work/conversation" && ! kill -0 "$stream" 2>/dev/null; }

make_site >"$work/made" 2>&1 || { not_ok 'a site is made and two nodes join by token' "$(cat "$work"/made "$work"/*.log)"; tap_exit; }
ok 'a site is made and two nodes join by token'
check 'three nodes see one another' within 10 all_see_all
check 'an offer is seen at another node over the mesh' offer_of gate-3 gate-2
check 'the API without a certificate asks for the password' api 401
check 'the API takes the password' api 200 --user "admin:$(password)"
check 'the API takes the certificate of a node' api_as 200 gate-2
"$binary" site create --dir "$work/other" --name elsewhere >/dev/null
"$binary" site issue --dir "$work/other" --node gate-2 --data "$work/stranger" >/dev/null
check 'the API refuses the certificate of another site' api_as 000 stranger
for name in gate-2 gate-3; do printf 'pw\n' | node gate-1 users add "$name" --rule 'allow all #' >/dev/null; done
check 'the broker takes the certificate of a node that is a user' publish_as gate-3
check_fails 'the broker refuses the certificate of another site' publish_as stranger

node gate-1 sub -t 'up/#' -C 1 -W 20 >"$work/bridged" 2>&1 &
bridged() { node gate-2 bridges --json | grep -q '"connected": true' && node gate-2 pub -t up/t -m 21.5 && within 2 grep -q 21.5 "$work/bridged"; }
check 'a bridge between two nodes by their certificates' within 15 bridged

python3 -B "$here/support/hold_conversation.py" "$work/gate-3/site" "$(id_of gate-3)" "${address[gate-2]}" 7900 >"$work/conversation" 2>&1 &
mapfile -t shown < <(as gate-3)
curl --silent --no-buffer --cacert "$work/gate-3/site/authority.pem" "${shown[@]}" --connect-to gate-1:8443:10.88.0.1:8443 https://gate-1:8443/api/v1/events >"$work/events" 2>&1 &
stream=$!
check 'a control conversation of a member is taken' within 5 grep -q '^open' "$work/conversation"
check 'a node is revoked' node gate-1 site revoke gate-3
check 'what the revoked node has open elsewhere is cut' within 5 over
gone() { sees gate-1 gate-2 && sees gate-2 gate-1; }
check 'the others drop it and keep each other' within 20 gone
check 'the API refuses its certificate' api_as 000 gate-3
check_fails 'the broker refuses its certificate' publish_as gate-3
check 'the API and the broker take the others' api_as 200 gate-2
check 'the revoked node serves its own clients on' node gate-3 pub -t a -m x
tap_exit
