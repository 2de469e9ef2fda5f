#!/usr/bin/env bash
# Other people's MQTT clients against the built node: mosquitto's (3.1, 3.1.1 and 5), Debian's python3-paho-mqtt, npm's mqtt (over TCP, TLS and WebSocket).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=support/built.sh
. "$here/support/built.sh"
# Kept between runs, so that the registry is asked once.
modules=${EDGE_NPM_CACHE:-$root/out/npm-mqtt}
npm_mqtt=5.16.0
work=$(mktemp -d)

stop_node() {
  [[ -f $work/pid ]] || return 0
  kill -TERM "$(<"$work/pid")" 2>/dev/null || true
}

clean() {
  stop_node
  rm -rf "$work"
}
trap clean EXIT

free_port() { /usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

certificates() {
  local name
  cd "$work"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=other -keyout other.key -out other.pem
  for name in localhost elsewhere client; do
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$name.key" -out "$name.csr"
    printf 'subjectAltName=DNS:%s\n' "$name" >"$name.ext"
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile "$name.ext" -out "$name.pem"
  done
  chmod a+rX "$work" && chmod a+r "$work"/*.key "$work"/*.pem
}

port=$(free_port) own_tls_port=$(free_port) api_port=$(free_port)
(certificates) >"$work/openssl.log" 2>&1 || { not_ok 'certificates are made' "$(tail -n 5 "$work/openssl.log")"; tap_exit; }
cat >"$work/config.json" <<END
{ "Node": { "Name": "interop" }, "DataDirectory": "$work/data", "Engine": { "Socket": "/nonexistent" }, "Api": { "Listen": "127.0.0.1:$api_port" },
  "Mqtt": { "Listen": ["127.0.0.1:$port"], "AllowAnonymous": true,
    "Tls": { "Listen": ["127.0.0.1:$own_tls_port"], "Certificate": "$work/localhost.pem", "Key": "$work/localhost.key" } } }
END
# The tests restart the node with it.
cat >"$work/restart" <<END
#!/usr/bin/env bash
if [[ -f $work/pid ]]; then
  kill -TERM "\$(<"$work/pid")"
  tail --pid="\$(<"$work/pid")" -f /dev/null
fi
setsid "$binary" run --config "$work/config.json" >>"$work/log" 2>&1 </dev/null &
echo \$! >"$work/pid"
listens() { (: >"/dev/tcp/127.0.0.1/\$1") 2>/dev/null; }
for ((i = 0; i < 200; i++)); do
  if listens $port && listens $own_tls_port && listens $api_port; then exit 0; fi
  sleep 0.05
done
exit 1
END
chmod +x "$work/restart"

run_suite() {
  local name=$1 status=0
  shift
  timeout 120 "$@" || status=$?
  ((status == 0)) || tap_failed=1
  ((status != 124)) || not_ok "$name: it did not end"
}

# --- mosquitto's clients ----------------------------------------------------------------------------------------------

of=()
mosquitto_pub_() { timeout 20 mosquitto_pub "${of[@]}" "$@"; }
mosquitto_sub_() { timeout 20 mosquitto_sub "${of[@]}" "$@"; }

# persisted QOS: a session that is away gets in order what it missed.
persisted() {
  local qos=$1 id=kept-$version-$1 got
  mosquitto_sub_ -c -i "$id" -q "$qos" -t "m/$id" -E
  seq 1 50 | mosquitto_pub_ -t "m/$id" -q "$qos" -l
  got=$(mosquitto_sub_ -c -i "$id" -q "$qos" -t "m/$id" -C 50 -F '%p')
  [[ $got == "$(seq 1 50)" ]] || { printf '%s\n' "$got"; return 1; }
  mosquitto_sub_ -i "$id" -t none -E
}

retained() {
  mosquitto_pub_ -t "r/$version" -m kept -r -q 1
  [[ $(mosquitto_sub_ -t "r/$version" -C 1 -F '%r %q %p' -q 1) == '1 1 kept' ]] || return 1
  mosquitto_pub_ -t "r/$version" -n -r -q 1
  [[ -z $(mosquitto_sub_ -t "r/$version" -W 1 2>/dev/null) ]]
}

# A client that is killed leaves its will; whoever waits for it was there before.
will() {
  local id=will-$version waiting
  mosquitto_sub_ -c -i "$id" -q 1 -t "w/$version" -E
  mosquitto_sub "${of[@]}" -i "doomed-$version" -t none --will-topic "w/$version" --will-payload gone --will-qos 1 &
  waiting=$!
  within 10 knows_client "doomed-$version"
  kill -KILL "$waiting"
  [[ $(mosquitto_sub_ -c -i "$id" -q 1 -t "w/$version" -C 1) == gone ]]
}

knows_client() { "$binary" sub --data "$work/data" -t '$SYS/broker/clients/connected' -C 1 | grep -qx 2; }

big() {
  head -c 900000 /dev/urandom >"$work/big"
  mosquitto_pub_ -t "b/$version" -f "$work/big" -q 2 -r
  mosquitto_sub_ -t "b/$version" -C 1 -N -q 2 >"$work/big.back"
  mosquitto_pub_ -t "b/$version" -n -r
  cmp "$work/big" "$work/big.back"
}

shared() {
  local i
  for i in 1 2; do mosquitto_sub_ -c -i "share-$i" -q 1 -t "\$share/g/s/x" -E; done
  seq 1 20 | mosquitto_pub_ -t s/x -q 1 -l
  for i in 1 2; do mosquitto_sub_ -c -i "share-$i" -q 1 -t "\$share/g/s/x" -W 1 2>/dev/null || true; done | sort -n >"$work/shared"
  for i in 1 2; do mosquitto_sub_ -i "share-$i" -t none -E; done
  seq 1 20 | cmp - "$work/shared"
}

"$work/restart" || { not_ok 'the node starts' "$(tail -n 20 "$work/log")"; tap_exit; }
for version in mqttv31 mqttv311 mqttv5; do
  of=(-h 127.0.0.1 -p "$port" -V "$version")
  for qos in 1 2; do check "mosquitto $version: a session gets what it missed, QoS $qos" persisted "$qos"; done
  check "mosquitto $version: retained messages come and are cleared" retained
  check "mosquitto $version: a killed client leaves its will" will
  check "mosquitto $version: 900 kB go there and back" big
  if [[ $version != mqttv31 ]]; then check "mosquitto $version: a shared subscription gets each message once" shared; fi
done

# --- our client at a mosquitto that speaks TLS ------------------------------------------------------------------------

tls_port=$(free_port)
misnamed_port=$(free_port)
cat >"$work/mosquitto.conf" <<END
log_type error
listener $tls_port 127.0.0.1
allow_anonymous false
require_certificate true
use_identity_as_username true
cafile $work/ca.pem
certfile $work/localhost.pem
keyfile $work/localhost.key
listener $misnamed_port 127.0.0.1
allow_anonymous true
cafile $work/ca.pem
certfile $work/elsewhere.pem
keyfile $work/elsewhere.key
END
"$(command -v mosquitto || echo /usr/sbin/mosquitto)" -c "$work/mosquitto.conf" >"$work/mosquitto.log" 2>&1 &
mosquitto=$!
listens() { (: >"/dev/tcp/127.0.0.1/$misnamed_port") 2>/dev/null; }
within 10 listens
ours() { timeout 20 "$binary" "$1" -h localhost -p "$tls_port" "${@:2}"; }
mine=(--cert "$work/client.pem" --key "$work/client.key")
tls_there_and_back() {
  ours pub --cafile "$work/ca.pem" "${mine[@]}" "$@" -t tls -m 'hello' -q 2 -r
  [[ $(mosquitto_sub -h localhost -p "$tls_port" --cafile "$work/ca.pem" "${mine[@]}" -t tls -C 1) == hello ]]
  [[ $(ours sub --cafile "$work/ca.pem" "${mine[@]}" "$@" -t tls -C 1 -W 10) == hello ]]
}
check 'pub and sub: TLS with a client certificate' tls_there_and_back
check 'pub and sub: TLS 1.3' tls_there_and_back --tls-version tlsv1.3
check_fails 'pub: a broker of another authority is refused' ours pub --cafile "$work/other.pem" "${mine[@]}" -t t -m x
check_fails 'pub: without the certificate the broker wants' ours pub --cafile "$work/ca.pem" -t t -m x -q 1
misnamed() { timeout 20 "$binary" pub -h localhost -p "$misnamed_port" --cafile "$work/ca.pem" -t t -m x -q 1 "$@"; }
check_fails 'pub: a certificate for another name is refused' misnamed
check 'pub: --insecure takes it' misnamed --insecure
kill "$mosquitto"

# --- Python and JavaScript ----------------------------------------------------------------------------------------------

run_suite paho /usr/bin/python3 "$here/support/interop_paho.py" "$port" "$work/restart"

if [[ ! -d $modules/node_modules/mqtt ]] && ! npm install --prefix "$modules" --no-audit --no-fund --silent "mqtt@$npm_mqtt" >"$work/npm.log" 2>&1; then
  skip "npm's mqtt" "it cannot be installed: $(tail -n 1 "$work/npm.log")"
else
  NODE_PATH=$modules/node_modules NODE_EXTRA_CA_CERTS=$work/ca.pem run_suite mqtt.js node "$here/support/interop_mqttjs.js" "$port" "$work/restart" \
    "mqtts://localhost:$own_tls_port" "ws://127.0.0.1:$api_port/mqtt"
fi

tap_exit
