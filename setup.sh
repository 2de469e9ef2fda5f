#!/usr/bin/env bash
# Installs what building and testing need on a Debian machine. Run as root; safe to run again.
#
#   ./setup.sh           build tools and everything the tests use
#   ./setup.sh build     build tools only
#
# Daemons that come with a package (docker, mosquitto) are installed but not started: the tests start their own. What
# already runs keeps running.
set -euo pipefail

build_packages=(clang lld zlib1g-dev binutils file libssl3)
test_packages=(docker.io docker-registry containerd runc podman mosquitto mosquitto-clients busybox-static iproute2 iptables nftables
  python3-paho-mqtt python3-scapy strace curl jq python3 systemd procps util-linux adduser init-system-helpers openssl ca-certificates shellcheck libfaketime)
# Where node was not installed from Debian it brings its own npm, and Debian's would be in its way.
node_packages=(nodejs npm)
policy=/usr/sbin/policy-rc.d
policy_is_ours=''

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

missing_of() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || printf '%s\n' "$package"
  done
}

# Package scripts ask this file whether they may start a daemon.
forbid_daemon_starts() {
  [[ ! -e $policy ]] || return 0
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 0755 "$policy"
  policy_is_ours=yes
}

allow_daemon_starts() { [[ -z $policy_is_ours ]] || rm -f "$policy"; }

install_packages() {
  [[ $(id -u) == 0 ]] || die "these packages are missing, and installing needs root: $*"
  command -v apt-get >/dev/null || die "these packages are missing, and this is not a Debian system: $*"
  say "installing $*"
  trap allow_daemon_starts EXIT
  forbid_daemon_starts
  # Lists may be old or absent; an update that fails may still leave usable ones.
  apt-get update -qq || say 'the package lists could not be updated, trying with what is there'
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
  allow_daemon_starts
  policy_is_ours=''
}

need_dotnet() {
  local root wanted
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  wanted=$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' "$root/global.json")
  command -v dotnet >/dev/null ||
    die "the .NET SDK $wanted or a later 10.0 one is missing; install it from https://dotnet.microsoft.com/download and put dotnet on PATH"
  (cd "$root" && dotnet --version >/dev/null 2>&1) ||
    die "dotnet is here, but not the SDK $wanted or a later 10.0 one: install it from https://dotnet.microsoft.com/download"
}

main() {
  local wanted=("${build_packages[@]}") missing
  case ${1:-all} in
    all) wanted+=("${test_packages[@]}") ;;
    build) ;;
    *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
  esac
  need_dotnet
  [[ ${1:-all} == build ]] || command -v npm >/dev/null || wanted+=("${node_packages[@]}")
  mapfile -t missing < <(missing_of "${wanted[@]}")
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
  say 'everything needed is installed'
}

main "$@"
