#!/usr/bin/env bash
# Measures the broker beside mosquitto and nats-server and writes bench/results/mqtt.md with plots. As root: it installs what is missing.
#
#   bench/mqtt/run.sh                 every case, 5 rounds (about 23 minutes)
#   bench/mqtt/run.sh --quick         every case, 2 short rounds, printed and not written
#   bench/mqtt/run.sh --case NAME     only this case, printed and not written; may be given again
#   bench/mqtt/run.sh --rounds N      as many rounds
#   bench/mqtt/run.sh --guard         ratios against mosquitto with wide margins, as lines that test.sh counts (about 45 s)
#   bench/mqtt/run.sh --binary FILE   this edge-firmware instead of a build of its own
#   bench/mqtt/run.sh --no-jit        without the comparison of JIT and AOT
#   bench/mqtt/run.sh --list          the cases
#
# The node runs whole (broker, mesh without peers, no engine), everybody listens on loopback, and every case starts every broker anew.
# The brokers take turns within a round. Everything is in one scratch directory and ends with the script.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=5 warm_up=0.5 time=1.5 idle=5000 mode=full binary='' jit=yes wanted=()
work='' pids=()
# Ports of loopback, below those the kernel gives out.
declare -A port=([ours]=23701 [jit]=23702 [mosquitto]=23703 [nats]=23704) pid=()

say() { printf '[%4d s] %s\n' "$SECONDS" "$*" >&2; }
die() { printf 'mqtt bench: %s\n' "$*" >&2; exit 1; }

# NAME | BROKERS | ARGUMENTS OF load. A name's ending: how large the payload is; 64 bytes when it says nothing.
cases() {
  local one='--pubs 1 --subs 1' four='--pubs 4 --subs 4 --topics 4' suffix size
  for suffix in '' -1k; do
    size=$([[ $suffix ]] && echo '--payload 1024' || echo '--payload 64')
    echo "qos0-1-1$suffix|ours jit mosquitto nats|$one $size"
    echo "qos0-4-4$suffix|ours jit mosquitto nats|$four $size"
    echo "qos1-in-4-4$suffix|ours jit mosquitto nats|$four --qos-in 1 $size"
    echo "fan-out-50$suffix|ours jit mosquitto nats|--subs 50 --window 100 $size"
    echo "fan-out-100$suffix|ours jit mosquitto nats|--subs 100 --window 100 $size"
    # What is underway stays below the megabyte a broker of ours holds for one connection: beyond it QoS 0 is dropped, by design.
    echo "fan-in-50$suffix|ours jit mosquitto nats|--pubs 50 --topics 50 --window $([[ $suffix ]] && echo 10 || echo 100) $size"
    echo "shared-1000-5$suffix|ours jit mosquitto|--pubs 1000 --subs 5 --topics 1000 --shared --window $([[ $suffix ]] && echo 4 || echo 10) $size"
    echo "qos1-both$suffix|ours jit mosquitto nats|$four --qos-in 1 --qos-out 1 --window 200 $size"
    echo "qos2-both$suffix|ours jit mosquitto|$four --qos-in 2 --qos-out 2 --window 200 $size"
  done
  echo "mqtt5-qos1-both|ours mosquitto|$four --qos-in 1 --qos-out 1 --window 200 --mqtt 5"
  echo "latency-1-1|ours jit mosquitto nats|$one --qos-in 1 --qos-out 1 --rate 4000"
  echo "latency-4-4|ours jit mosquitto nats|$four --qos-in 1 --qos-out 1 --rate 4000"
  echo "durable|ours mosquitto|--pubs 32 --subs 1 --topics 32 --qos-in 1 --qos-out 1 --window 20 --kept"
  echo "idle-subscribers-none|ours mosquitto|$four --qos-in 1 --qos-out 1 --window 200"
  echo "idle-subscribers-$idle|ours mosquitto|$four --qos-in 1 --qos-out 1 --window 200 --idle $idle"
  echo "slow-none|ours mosquitto|--subs 99 --rate 400 --payload 1024 --warm-up 3 --time 3"
  echo "slow-qos0|ours mosquitto|--subs 99 --rate 400 --payload 1024 --warm-up 3 --time 3 --slow 1000"
  echo "slow-none-qos1|ours mosquitto|--subs 99 --rate 200 --payload 1024 --warm-up 3 --time 3 --qos-in 1 --qos-out 1"
  echo "slow-qos1|ours mosquitto|--subs 99 --rate 200 --payload 1024 --warm-up 3 --time 3 --qos-in 1 --qos-out 1 --slow 1000"
  echo "connections|ours jit mosquitto nats|--pubs 0 --subs 0 --idle $idle --warm-up 0 --time 0 --hold 12"
  echo "start|ours jit mosquitto nats|"
}

guard_cases() {
  local four='--pubs 4 --subs 4 --topics 4'
  echo "qos0-4-4|ours mosquitto|$four"
  echo "qos1-both|ours mosquitto|$four --qos-in 1 --qos-out 1 --window 200"
  echo "qos2-both|ours mosquitto|$four --qos-in 2 --qos-out 2 --window 200"
  echo "fan-out-100|ours mosquitto|--subs 100 --window 100"
  echo "shared-1000-5|ours mosquitto|--pubs 1000 --subs 5 --topics 1000 --shared --window 10"
  echo "latency-1-1|ours mosquitto|--qos-in 1 --qos-out 1 --rate 4000"
}

# --- brokers -------------------------------------------------------------------------------------------------------------

end_process() {
  local i
  kill -TERM "$1" 2>/dev/null || true
  for ((i = 0; i < 50; i++)); do
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

end_brokers() {
  local one
  for one in "${pids[@]}"; do end_process "$one"; done
  pids=()
}

clean() {
  end_brokers
  [[ -z $work ]] || rm -rf --one-file-system "$work"
}

# command_of BROKER: sets command.
command_of() {
  case $1 in
    ours) command=("$binary" run --config "$work/ours.json") ;;
    jit) command=(dotnet "$work/jit/edge-firmware.dll" run --config "$work/jit.json") ;;
    mosquitto) command=("$(command -v mosquitto)" -c "$work/mosquitto.conf") ;;
    nats) command=("$(command -v nats-server)" -c "$work/nats.conf") ;;
  esac
}

write_configs() {
  local name mesh=24701
  for name in ours jit; do
    mkdir -p "$work/$name.data"
    cat >"$work/$name.json" <<END
{ "Node": { "Name": "bench", "Location": "46.0679,11.1211" }, "DataDirectory": "$work/$name.data",
  "Mqtt": { "Listen": ["127.0.0.1:${port[$name]}"], "AllowAnonymous": true },
  "Mesh": { "Listen": "127.0.0.1:$mesh", "SiteKey": "$(head -c 32 /dev/urandom | base64 -w0)" } }
END
    mesh=$((mesh + 1))
  done
  printf 'listener %s 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 1000\nlog_type error\n' \
    "${port[mosquitto]}" >"$work/mosquitto.conf"
  cat >"$work/nats.conf" <<END
listen: "127.0.0.1:-1", server_name: bench, max_connections: 20000
jetstream { store_dir: "$work/nats.data" }
mqtt { listen: "127.0.0.1:${port[nats]}", max_ack_pending: 1000 }
END
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# start_broker NAME
start_broker() {
  local name=$1 command i
  answers "${port[$name]}" && die "port ${port[$name]} is taken"
  command_of "$name"
  "${command[@]}" >"$work/$name.log" 2>&1 &
  pid[$name]=$!
  pids+=("$!")
  for ((i = 0; i < 200; i++)); do
    if answers "${port[$name]}"; then return; fi
    sleep 0.05
  done
  die "$name does not start: $(tail -n 3 "$work/$name.log")"
}

# --- measuring -----------------------------------------------------------------------------------------------------------

# measure CASE BROKER ARGUMENTS...: one line into $work/data.
measure() {
  local name=$1 broker=$2 result command
  shift 2
  if [[ $name == start ]]; then
    command_of "$broker"
    result="start_us=$("$work/time-to-connack" "${port[$broker]}" "${command[@]}")" || result=failed
  else
    result=$(timeout -k 1 60 "$work/load" --port "${port[$broker]}" --pid "${pid[$broker]}" --warm-up "$warm_up" --time "$time" "$@" 2>&1) || result="failed: $result"
  fi
  case $result in
    failed*) say "$name, $broker: $result" ;;
    *) printf '%s %s %s\n' "$name" "$broker" "$result" >>"$work/data" ;;
  esac
}

is_wanted() {
  local one
  ((${#wanted[@]} == 0)) && return
  for one in "${wanted[@]}"; do
    # Pairs are worth nothing alone.
    [[ $1 == "$one" || $1 == "${one%%-*}"-* && $one =~ ^(slow|idle) ]] && return
  done
  return 1
}

# run_case NAME BROKERS ARGUMENTS
run_case() {
  local name=$1 brokers=$2 arguments=$3 round broker
  [[ $jit ]] || brokers=${brokers/ jit/}
  say "$name"
  if [[ $name != start && $name != connections ]]; then for broker in $brokers; do start_broker "$broker"; done; fi
  for ((round = 0; round < rounds; round++)); do
    for broker in $brokers; do
      # Memory is compared with that of a broker that did nothing yet.
      if [[ $name == connections ]]; then start_broker "$broker"; sleep 1; fi
      # shellcheck disable=SC2086 # arguments are words
      measure "$name" "$broker" $arguments
      if [[ $name == connections ]]; then end_brokers; fi
    done
  done
  end_brokers
}

# --- what is needed -------------------------------------------------------------------------------------------------------

need_packages() {
  local missing=() tool
  for tool in clang:clang mosquitto:mosquitto python3:python3 $([[ $mode == guard ]] || echo nats-server:nats-server); do
    command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
  done
  ((${#missing[@]} == 0)) && return
  [[ $(id -u) == 0 ]] || die "missing, and installing needs root: ${missing[*]}"
  say "installing ${missing[*]}"
  [[ -e /usr/sbin/policy-rc.d ]] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d; chmod 0755 /usr/sbin/policy-rc.d; no_daemons=yes; }
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null || die 'apt-get failed'
  [[ -z ${no_daemons:-} ]] || rm -f /usr/sbin/policy-rc.d
}

host_rid() {
  case $(uname -m) in x86_64) echo linux-x64 ;; aarch64) echo linux-arm64 ;; *) echo linux-arm ;; esac
}

build() {
  clang -O2 -o "$work/load" "$here/load.c"
  clang -O2 -o "$work/time-to-connack" "$root/bench/footprint/time-to-connack.c"
  if [[ -z $binary ]]; then
    say 'building edge-firmware'
    "$root/build.sh" >"$work/build.log" 2>&1 || { tail -n 20 "$work/build.log" >&2; die 'the build failed'; }
    binary=$root/out/$(host_rid)/edge-firmware
  fi
  [[ -x $binary ]] || die "$binary is missing"
  [[ $jit ]] || return 0
  say 'building for the JIT'
  dotnet publish "$root/src/Firmware/Firmware.csproj" -c Release -o "$work/jit" --disable-build-servers -nodeReuse:false \
    -p:UseSharedCompilation=false -v:quiet >"$work/build.log" 2>&1 || { tail -n 20 "$work/build.log" >&2; die 'the build for the JIT failed'; }
}

parse() {
  while (($#)); do
    case $1 in
      --quick) mode=print rounds=2 warm_up=0.4 time=0.8 ;;
      --guard) mode=guard rounds=2 warm_up=0.4 time=1 jit='' ;;
      --case) mode=print; wanted+=("${2:?--case needs a name}"); shift ;;
      --rounds) rounds=${2:?--rounds needs a number}; shift ;;
      --binary) binary=$(realpath "${2:?--binary needs a file}"); shift ;;
      --no-jit) jit='' ;;
      --list) cases | cut -d'|' -f1; exit ;;
      *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
    esac
    shift
  done
}

main() {
  local name brokers arguments
  parse "$@"
  need_packages
  work=$(mktemp -d)
  trap clean EXIT
  trap 'exit 130' INT TERM HUP
  build
  write_configs
  ulimit -n "$(ulimit -Hn)"
  : >"$work/data"
  while IFS='|' read -r name brokers arguments <&3; do
    is_wanted "$name" || continue
    run_case "$name" "$brokers" "$arguments"
  done 3< <(if [[ $mode == guard ]]; then guard_cases; else cases; fi)
  [[ -s $work/data ]] || die 'nothing was measured; --list names the cases'
  BROKER_BINARY=$binary ROUNDS=$rounds SECONDS_EACH=$time "$here/report.py" "$mode" "$work/data" "$root/bench/results"
}

main "$@"
