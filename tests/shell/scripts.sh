#!/usr/bin/env bash
# The scripts themselves: static check, the choice of the AOT framework, the help texts, the counting of test.sh.
# shellcheck disable=SC2317 # functions run through check
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=support/tap.sh
. "$here/support/tap.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

scripts=("$root"/*.sh "$root/.ci/run" "$root"/packaging/*.sh "$root"/packaging/deb/{build-deb.sh,postinst,prerm,postrm} "$root"/bench/*.sh
  "$root"/bench/mqtt/*.sh "$root"/tests/shell/*.sh "$root"/tests/Lab/*.sh "$root"/tests/Lab/vm/*.sh)

# --- the framework probe, with a dotnet that answers what the test wants -------------------------------------------------

# fake_dotnet SCRIPT: "dotnet restore PROJECT" runs SCRIPT with the framework in $framework; calls are counted.
fake_dotnet() {
  mkdir -p "$scratch/bin" "$scratch/repo/packaging"
  cp "$root/packaging/aot-framework.sh" "$scratch/repo/packaging/"
  echo '<EdgeTargetFramework>net10.0</EdgeTargetFramework>' >"$scratch/repo/Directory.Build.props"
  rm -rf "$scratch/repo/out" "$scratch/calls"
  cat >"$scratch/bin/dotnet" <<EOF
#!/bin/sh
if [ "\$1" = --version ]; then echo 10.0.100; exit; fi
echo restore >>"$scratch/calls"
framework=\$(sed -n 's/.*<TargetFramework>\(.*\)<.*/\1/p' "\$2")
$1
EOF
  chmod +x "$scratch/bin/dotnet"
}

probe() { PATH="$scratch/bin:$PATH" "$scratch/repo/packaging/aot-framework.sh" linux-x64; }
calls() { wc -l <"$scratch/calls"; }

missing_net10='[ "$framework" = net9.0 ] || { echo "error NU1101: Unable to find package Some.Pack. No packages exist"; exit 1; }'

falls_back() { [[ $(probe 2>/dev/null) == net9.0 ]]; }
names_pack() { probe 2>&1 >/dev/null | grep -q 'net10.0/linux-x64.*Some\.Pack$'; }
does_not_ask_again() { probe >/dev/null 2>&1 && [[ $(calls) == 2 ]]; }
ends_with() { local code=0; probe >"$scratch/said" 2>&1 || code=$?; [[ $code == "$1" ]] || { echo "code $code"; cat "$scratch/said"; return 1; }; }
remembers_nothing() { [[ ! -e $scratch/repo/out/.aot-framework.linux-x64 ]]; }

test_probe() {
  fake_dotnet "$missing_net10"
  check 'a missing pack makes the build fall back to net9.0' falls_back
  check 'the missing pack is named' names_pack
  check 'the answer is kept: no second probe' does_not_ask_again
  fake_dotnet 'echo "error NU1301: Unable to load the service index"; exit 1'
  check 'a source that cannot be reached is no missing pack' ends_with 2
  check 'a failed probe is not remembered' remembers_nothing
  fake_dotnet 'echo "error NU1101: Unable to find package Some.Pack."; exit 1'
  check 'no framework at all ends with 1' ends_with 1
  fake_dotnet 'exit 0'
  check 'the first candidate is taken when its packs are there' test "$(probe 2>/dev/null)" = net10.0
}

# --- test.sh counts ------------------------------------------------------------------------------------------------------

# A repository of shell tests only, with a setup that does nothing.
fake_repository() {
  mkdir -p "$scratch/tested/tests/shell"
  cp "$root/test.sh" "$scratch/tested/"
  printf '#!/bin/sh\nexit 0\n' >"$scratch/tested/setup.sh"
  printf '#!/bin/sh\necho "ok - a"; echo "skip - b: no reason to"\n' >"$scratch/tested/tests/shell/good.sh"
  printf '#!/bin/sh\necho "ok - a"; echo "not ok - b"; exit 1\n' >"$scratch/tested/tests/shell/bad.sh"
  printf '#!/bin/sh\nexit 0\n' >"$scratch/tested/tests/shell/silent.sh"
  chmod +x "$scratch"/tested/*.sh "$scratch"/tested/tests/shell/*.sh
}

# counted CODE LINE FILTER...
counted() {
  local code=0 wanted_code=$1 wanted=$2 last
  shift 2
  last=$("$scratch/tested/test.sh" "$@" 2>&1 | tail -n 1) || code=$?
  [[ $code == "$wanted_code" && $last == "$wanted" ]] || { echo "code $code, last line: $last"; return 1; }
}

test_counting() {
  fake_repository
  check 'passed and skipped tests are counted' counted 0 '1 passed, 0 failed, 1 skipped' good
  check 'a failed test fails the run' counted 1 '1 passed, 1 failed, 0 skipped' bad
  check 'a script without a result fails the run' counted 1 '0 passed, 1 failed, 0 skipped' silent
  check 'a name that does not exist fails the run' counted 1 '0 passed, 1 failed, 0 skipped' nothing-like-it
}

mentions_download() {
  local code=0 said
  said=$(PATH=/usr/bin:/bin "$root/setup.sh" 2>&1) || code=$?
  [[ $code != 0 && $said == *https://dotnet.microsoft.com/download* ]] || { echo "code $code: $said"; return 1; }
}

test_static() {
  local script
  if command -v shellcheck >/dev/null; then
    for script in "${scripts[@]}"; do
      check "shellcheck: ${script#"$root"/}" shellcheck --external-sources --source-path="$here" --severity=warning "$script"
    done
  else
    skip 'shellcheck' 'it is not installed'
  fi
}

test_static
test_probe
test_counting
if [[ -x /usr/bin/dotnet || -x /bin/dotnet ]]; then
  skip 'setup names the download page when the SDK is absent' 'dotnet is in /usr/bin here'
else
  check 'setup names the download page when the SDK is absent' mentions_download
fi
tap_exit
