#!/usr/bin/env bash
# The Debian package under a real systemd: install, start, sandbox, watchdog, upgrade, remove, purge.
# shellcheck disable=SC2317,SC2016 # functions run through check; scripts in single quotes run inside the booted system
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=support/tap.sh
. "$here/support/tap.sh"
# shellcheck source=support/booted.sh
. "$here/support/booted.sh"

unit=edge-firmware.service
dropins=/etc/systemd/system/$unit.d
scratch=$(mktemp -d)
trap 'booted_stop; rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

property() { booted systemctl show --property="$1" --value "$unit"; }
is_property() { [[ $(property "$1") == "$2" ]] || { echo "$1 is $(property "$1"), not $2"; return 1; }; }
is_enabled() { [[ $(booted systemctl is-enabled "$unit") == enabled ]]; }
main_pid_changed_from() { local now; now=$(property MainPID); [[ $now != 0 && $now != "$1" ]] && is_property ActiveState active; }
in_docker_group() { booted id -nG edge-firmware | tr ' ' '\n' | grep -qx docker; }
# Shown when a start goes wrong: the node's own words.
journal() { booted journalctl --no-pager --lines 30 --unit "$unit" 2>&1; }
started() { within 30 is_property ActiveState active || { journal; return 1; }; }

# An MQTT 3.1.1 CONNECT must be answered by a CONNACK (first byte 0x20), whatever the return code.
answers_connect() {
  booted timeout 5 bash -c '
    exec 3<>/dev/tcp/127.0.0.1/1883
    printf "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test" >&3
    [[ $(head -c 1 <&3 | od -An -tx1 | tr -d " ") == 20 ]]'
}

build_probe() { clang -O1 -Wall -Werror -o "$scratch/probe" "$here/support/sandbox-probe.c"; }

# The package holds the real binary when it can run as a node, else the probe in its place.
firmware_can_run() { timeout 10 "$binary" run --help 2>/dev/null | grep -q -- --config; }

prepare_machine() {
  booted sh -c 'groupdel docker 2>/dev/null; deluser --quiet edge-firmware 2>/dev/null; exit 0'
  booted_put "$scratch/edge-firmware.deb" /tmp/edge-firmware.deb
  booted_put "$scratch/probe" /usr/local/bin/sandbox-probe 0755
}

dpkg_in() { booted env DEBIAN_FRONTEND=noninteractive dpkg "$@"; }

# CAP_SYS_RESOURCE is bit 24.
may_lower_oom_score() { (((0x$(sed -n 's/^CapEff:\s*//p' /proc/self/status) >> 24) & 1)); }

drop_in() { booted sh -c "mkdir -p $dropins && cat >$dropins/$1.conf && systemctl daemon-reload"; }
drop_out() { booted sh -c "rm -f $dropins/$1.conf && systemctl daemon-reload"; }

test_install() {
  check 'the package installs' dpkg_in --install /tmp/edge-firmware.deb
  check 'installing starts the unit and the node says READY=1' started
  check 'the unit is enabled' is_enabled
  check 'the node runs as edge-firmware' is_property User edge-firmware
  check 'nothing of it runs as root' booted sh -c "[ \"\$(stat -c %U /proc/$(property MainPID))\" = edge-firmware ]"
  check 'the state directory is private' booted sh -c '[ "$(stat -c "%U %a" /var/lib/edge-firmware)" = "edge-firmware 700" ]'
  if may_lower_oom_score; then
    check 'the out-of-memory killer spares the node' booted grep -qx -- -900 "/proc/$(property MainPID)/oom_score_adj"
  else
    skip 'the out-of-memory killer spares the node' 'this environment withholds CAP_SYS_RESOURCE'
  fi
  if [[ $real ]]; then
    check 'the broker answers CONNECT with CONNACK' within 5 answers_connect
  else
    skip 'the broker answers CONNECT with CONNACK' 'this build has no "run" command yet, the package holds a stand-in'
  fi
}

test_docker_group() {
  check_fails 'without a docker group the user is in none' in_docker_group
  local before
  before=$(property MainPID)
  booted groupadd --system docker
  booted dpkg-trigger --no-await --by-package=docker.io /usr/sbin/dockerd
  check 'the trigger of a later engine installation runs' dpkg_in --triggers-only edge-firmware
  check 'the user joins the docker group' in_docker_group
  check 'the node restarts with the new group' within 30 main_pid_changed_from "$before"
}

test_restart() {
  local before
  before=$(property MainPID)
  booted kill -KILL "$before"
  check 'a killed node comes back' within 30 main_pid_changed_from "$before"
  printf '[Service]\nWatchdogSec=3\n' | drop_in watchdog
  booted systemctl restart "$unit"
  before=$(property MainPID)
  check_fails 'the node feeds its watchdog' within 7 main_pid_changed_from "$before"
  booted kill -STOP "$before"
  check 'a hung node is killed by the watchdog and comes back' within 30 main_pid_changed_from "$before"
  drop_out watchdog
}

test_upgrade() {
  local before
  before=$(property MainPID)
  booted sed -i 's/1883/1884/' /etc/edge-firmware/config.json
  check 'the package upgrades over itself' dpkg_in --force-confdef --install /tmp/edge-firmware.deb
  check 'an upgrade restarts the node' within 30 main_pid_changed_from "$before"
  check 'an upgrade keeps an edited configuration' booted grep -q 1884 /etc/edge-firmware/config.json
  booted sed -i 's/1884/1883/' /etc/edge-firmware/config.json
}

may='is-not-root listen-mqtt listen-mesh listen-api join-multicast open-netlink connect-engine read-proc read-pressure
  read-cgroup read-class write-state'
may_not='write-etc write-usr write-var write-cgroup write-kernel-setting see-home raw-socket packet-socket new-namespace
  writable-code become-root make-setuid-file'

sandbox_says() { grep -q "sandbox $1 $2\$" "$scratch/sandbox"; }

test_sandbox() {
  booted setsid sh -c 'sandbox-probe engine /run/docker.sock >/dev/null 2>&1 &'
  check 'a stand-in for the engine listens' within 10 booted test -S /run/docker.sock
  booted sh -c 'chgrp docker /run/docker.sock && chmod 660 /run/docker.sock'
  printf '[Service]\nExecStart=\nExecStart=/usr/local/bin/sandbox-probe\n' | drop_in probe
  check 'the probe starts inside the unit' booted systemctl restart "$unit"
  booted journalctl --no-pager --output=cat --unit "$unit" --invocation=0 >"$scratch/sandbox" 2>/dev/null ||
    booted journalctl --no-pager --output=cat --unit "$unit" >"$scratch/sandbox"
  local name
  for name in $may; do check "the node may: $name" sandbox_says "$name" yes; done
  for name in $may_not; do check "the node may not: $name" sandbox_says "$name" no; done
  drop_out probe
  check 'the node starts again after the probe' booted systemctl restart "$unit"
}

left_behind() {
  booted find /etc /usr/bin /usr/lib/systemd /usr/share/doc /var/lib -name '*edge-firmware*' -not -path '/var/lib/dpkg/*'
}

nothing_left() { local found; found=$(left_behind); [[ -z $found ]] || { echo "$found"; return 1; }; }

test_removal() {
  booted touch /var/lib/edge-firmware/kept
  check 'the package is removed' dpkg_in --remove edge-firmware
  check 'removing stops the node' booted sh -c '! pgrep -u edge-firmware'
  check 'removing keeps data and configuration' booted sh -c 'test -e /var/lib/edge-firmware/kept && test -e /etc/edge-firmware/config.json'
  check 'the package is purged' dpkg_in --purge edge-firmware
  check 'a purge leaves nothing behind' nothing_left
  check_fails 'a purge removes the user' booted getent passwd edge-firmware
  check 'systemd has no failed unit' booted sh -c '[ -z "$(systemctl list-units --failed --no-legend)" ]'
}

test_purge_while_running() {
  dpkg_in --install /tmp/edge-firmware.deb >/dev/null 2>&1
  check 'it starts again after a purge' started
  check 'a running package is purged' dpkg_in --purge edge-firmware
  check 'nothing of it still runs' booted sh -c '! pgrep -x edge-firmware'
  check 'a purge while running leaves nothing behind' nothing_left
}

test_unit_file() {
  local exposure
  check 'the unit file is valid' systemd-analyze verify --recursive-errors=no "$scratch/verify/$unit"
  exposure=$(systemd-analyze security --offline=true --no-pager "$root/systemd/$unit" | sed -n 's/.*exposure level for [^:]*: \([0-9.]*\) .*/\1/p')
  check "systemd rates the unit's exposure $exposure, below 3.0" awk -v e="${exposure:-10}" 'BEGIN { exit !(e < 3.0) }'
}

main() {
  local rid real=''
  case $(uname -m) in x86_64) rid=linux-x64 ;; aarch64) rid=linux-arm64 ;; *) rid=linux-arm ;; esac
  binary=$root/out/$rid/edge-firmware
  # "verify" wants the program to exist.
  mkdir "$scratch/verify"
  sed 's#^ExecStart=.*#ExecStart=/bin/true#' "$root/systemd/$unit" >"$scratch/verify/$unit"
  test_unit_file
  build_probe
  if firmware_can_run; then real=yes; else binary=$scratch/probe; fi
  PACKAGE_FILE=$scratch/edge-firmware.deb "$root/packaging/deb/build-deb.sh" "$rid" "$binary" >/dev/null
  if ! booted_start; then
    skip 'the package under a booted systemd' "$booted_why"
    tap_exit
  fi
  ok 'systemd boots in its own namespaces'
  prepare_machine
  test_install
  test_docker_group
  test_restart
  test_upgrade
  test_sandbox
  test_removal
  test_purge_while_running
  tap_exit
}

main
