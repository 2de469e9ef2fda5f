#!/usr/bin/env bash
# Measures what messages cost on a 6LoWPAN radio, beside MQTT over TCP there: bytes on air, goodput, and how long an urgent message takes when the radio is
# full. Writes bench/results/radio.md. As root, after ./build.sh: it installs what is missing. About five minutes.
#
# The radios are the kernel's simulated ones (mac802154_hwsim) in the lab VM, limited to 250 kbit/s; frames are counted with their headers.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
[[ $# == 0 ]] || { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
binary=$(find "$root/out" -path '*/linux-*/edge-firmware' -type f | head -n 1)
[[ -x $binary ]] || { echo 'radio bench: there is no out/*/edge-firmware; run ./build.sh' >&2; exit 1; }
"$root/tests/Lab/vm/prepare.sh" wpan-tools mosquitto mosquitto-clients python3
figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
"$root/tests/Lab/vm/run.sh" --seconds 900 python3 "$here/radio.py" "$binary" | tee /dev/stderr | sed -n 's/^figures //p' >"$figures"
python3 "$here/radio_report.py" "$figures" "$root/bench/results/radio.md"
