#!/usr/bin/env bash
# Judges the node's forecast and two baselines on made-up and recorded traces, and writes bench/results/forecast.md with its pictures.
#   run.sh             evaluate and write the report
#   run.sh tune        the tuning seeds' verdicts by kind
#   run.sh baselines   all settings of the baselines on the tuning seeds
# Needs the .NET SDK and python3; takes about two minutes.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$(dirname "$here")")
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
dotnet build "$here/Forecast.Bench.csproj" -c Release -o "$work/tool" --nologo -v:quiet --disable-build-servers -nodeReuse:false >"$work/build.log" 2>&1 \
  || { tail -n 20 "$work/build.log" >&2; exit 1; }
tool() { dotnet "$work/tool/EdgeFirmware.Forecast.Bench.dll" "$@"; }
case ${1:-} in
  '') tool evaluate "$here/traces" "$work" && "$here/report.py" "$work" "$root/bench/results" ;;
  *) tool "$@" ;;
esac
