#!/usr/bin/env bash
# Fuzzes the MQTT broker: packet sequences of several clients in one process, the decoder, and the files of its journal.
#
#   tests/fuzz.sh                          ten million packets, as a nightly run does (about six minutes)
#   tests/fuzz.sh --count N                so many
#   tests/fuzz.sh --from SEED              other schedules than usual
#   tests/fuzz.sh --only KIND --seed SEED  one schedule again; KIND is sessions, files, stores or sensors, as a failure says
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export EDGE_FUZZ_COUNT=10000000
filter=Fuzz

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

while (($#)); do
  case $1 in
    --count) EDGE_FUZZ_COUNT=${2:?} ;;
    --from) export EDGE_FUZZ_FROM=${2:?} ;;
    --seed) export EDGE_FUZZ_SEED=${2:?} ;;
    --only)
      case ${2:?} in
        sessions) filter=SessionFuzzTests ;;
        files) filter=JournalFuzzTests.Damage ;;
        stores) filter=JournalFuzzTests.Whatever ;;
        sensors) filter=SensorFuzzTests ;;
        *) usage >&2; exit 2 ;;
      esac
      ;;
    *) usage >&2; exit 2 ;;
  esac
  shift 2
done

dotnet test "$root/tests/Mqtt/Mqtt.Tests.csproj" -c Release --filter "FullyQualifiedName~$filter" -nodeReuse:false \
  --logger 'console;verbosity=normal'
