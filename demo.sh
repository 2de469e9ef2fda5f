#!/usr/bin/env bash
# The product's main job on real parts, on this machine: three nodes in network namespaces, each with its own Docker
# Engine; a sensor that publishes 20 matrices a second; a workload that moves away from an overloaded node, avoids a node
# without an engine, and survives the death of its host. Installs what is missing, builds, runs, cleans up after itself.
#
#   ./demo.sh        as root; under 6 minutes; exit code 0 when everything was as expected
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
EDGE_LAB_RUN=edge-$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')
export EDGE_LAB_RUN
child=''

progress() { printf '\n[%3d s] %s\n' "$SECONDS" "$*"; }

# The lab takes itself down; this is for the case that it could not.
clean() {
  local code=$?
  trap - EXIT
  "$root/tests/Lab/clean.sh" "$EDGE_LAB_RUN"
  exit "$code"
}

stop() {
  trap '' INT TERM HUP
  echo
  echo "demo: interrupted, taking everything down"
  if [[ -n $child ]]; then
    kill -TERM "$child" 2>/dev/null || true
    wait "$child" || true
  fi
  exit 130
}

main() {
  case ${1:-} in
    '') ;;
    -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; return ;;
    *) echo "demo: no arguments are known; see --help" >&2; exit 2 ;;
  esac
  if [[ $EUID != 0 ]]; then
    echo "demo: network namespaces, cgroups and engines need root: sudo ./demo.sh" >&2
    exit 2
  fi
  trap clean EXIT
  trap stop INT TERM HUP
  progress "1/4 packages of the distribution"
  "$root/setup.sh"
  progress "2/4 the firmware, ahead of time to one binary"
  "$root/build.sh"
  progress "3/4 the lab"
  dotnet build "$root/tests/Lab/Lab.csproj" -c Release -o "$root/out/lab" -v quiet --nologo -nodeReuse:false --disable-build-servers
  progress "4/4 the demo"
  # In the background, so that a signal to this script is passed on at once.
  dotnet exec "$root/out/lab/EdgeFirmware.Lab.dll" demo &
  child=$!
  local code=0
  wait "$child" || code=$?
  progress "done"
  exit "$code"
}

main "$@"
