#!/usr/bin/env bash
# Every test there is, in one command, on a Debian machine as root.
#
#   ./test.sh                   everything
#   ./test.sh mqtt platform     only these; a name is a folder of tests/, "aot", "arm", "shell", or a script of tests/shell
#   ./test.sh --list            the names
#
# The last line is "N passed, N failed, N skipped". A stage that gives no result counts as a failure.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
results=$root/out/test-results
# No build server may outlive the run.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# The lab names everything it makes after its run, so that it can be taken down even when the tests could not.
EDGE_LAB_RUN=${EDGE_LAB_RUN:-edge-$(od -An -N3 -tx1 /dev/urandom | tr -d ' \n')}
export EDGE_LAB_RUN

passed=0 failed=0 skipped=0
failures=() skips=()
child=''

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

# Stops what runs now: "timeout" leads a process group of its own and passes the signal on to it.
stop_child() {
  [[ -n $child ]] || return 0
  kill -TERM "$child" 2>/dev/null || true
  wait "$child" 2>/dev/null || true
  child=''
}

clean() {
  stop_child
  [[ ! -x $root/tests/Lab/clean.sh ]] || "$root/tests/Lab/clean.sh" "$EDGE_LAB_RUN" || true
}

interrupted() {
  trap '' INT TERM HUP
  echo 'test: interrupted' >&2
  exit 130
}

trap clean EXIT
trap interrupted INT TERM HUP

# bounded SECONDS LOG COMMAND...: in the background, so that a signal is handled at once.
bounded() {
  local limit=$1 log=$2 status=0
  shift 2
  timeout --kill-after=30 "$limit" "$@" >"$log" 2>&1 </dev/null &
  child=$!
  wait "$child" || status=$?
  child=''
  ((status != 124)) || printf 'stopped after %s s\n' "$limit" >>"$log"
  return "$status"
}

fail() { failed=$((failed + 1)); failures+=("$1"); }

show_end() { tail -n "${2:-40}" "$1" | sed 's/^/    /'; }

# --- stages; each adds to the counters -----------------------------------------------------------------------------

# A step that is one test: it succeeds or it does not.
run_step() {
  local name=$1 limit=$2 log=$results/$1.log
  shift 2
  if bounded "$limit" "$log" "$@"; then
    passed=$((passed + 1))
    show_end "$log" 3
  else
    fail "$name: ${*##*/}"
    show_end "$log"
  fi
}

run_project() {
  local name=$1 project=$2 limit=$3 log=$results/$1.log trx=$results/$1.trx counts p f s line
  if ! bounded "$limit" "$log" dotnet test "$project" -c Release --results-directory "$results" --logger "trx;LogFileName=$name.trx" \
    --blame-hang-timeout 5min --blame-hang-dump-type none --nologo -v:minimal -nodeReuse:false; then
    show_end "$log"
    [[ -f $trx ]] || { fail "$name: no test ran"; return; }
  fi
  if [[ ! -f $trx ]] || ! counts=$(python3 "$root/tests/shell/support/trx.py" "$trx"); then
    show_end "$log"
    fail "$name: the run left no readable result"
    return
  fi
  while IFS=$'\t' read -r line p f s; do
    case $line in
      counts)
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
        ((p + f + s > 0)) || fail "$name: the project has no test"
        ;;
      failed) failures+=("$name: $p: ${f:0:300}") ;;
      skipped) skips+=("$name: $p: $f") ;;
    esac
  done <<<"$counts"
}

# Shell tests print "ok - …", "not ok - …", "skip - …: why".
run_shell() {
  local name=$1 script=$2 limit=$3 log=$results/shell-$1.log status=0 good bad left line
  bounded "$limit" "$log" "$script" || status=$?
  good=$(grep -c '^ok\b' "$log" || true)
  bad=$(grep -c '^not ok\b' "$log" || true)
  left=$(grep -c '^skip\b' "$log" || true)
  passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
  while IFS= read -r line; do failures+=("$name: ${line#not ok - }"); done < <(grep '^not ok\b' "$log" || true)
  while IFS= read -r line; do skips+=("$name: ${line#skip - }"); done < <(grep '^skip\b' "$log" || true)
  if ((status != 0 && bad == 0)); then fail "$name: ended with code $status"; fi
  if ((good + bad + left == 0)); then fail "$name: gave no result"; fi
  ((status == 0 && bad == 0)) || show_end "$log"
}

# --- what there is, quick things first -------------------------------------------------------------------------------

# "name<TAB>kind<TAB>what" a line, in order.
stages() {
  local project name script
  printf 'architecture\tproject\t%s\n' "$root/tests/Architecture/Architecture.Tests.csproj"
  for project in "$root"/tests/*/*.Tests.csproj; do
    name=$(basename "$(dirname "$project")")
    case $name in Architecture | e2e) ;; *) printf '%s\tproject\t%s\n' "${name,,}" "$project" ;; esac
  done
  printf 'aot\tstep\t%s\n' "$root/build.sh"
  printf 'arm\tstep\t%s\n' "$root/build-arm.sh"
  for script in "$root"/tests/shell/*.sh; do
    printf '%s\tshell\t%s\n' "$(basename "$script" .sh)" "$script"
  done
  project=$root/tests/e2e/e2e.Tests.csproj
  [[ ! -f $project ]] || printf 'e2e\tproject\t%s\n' "$project"
}

wanted() {
  local name=$1 kind=$2 filter
  shift 2
  (($#)) || return 0
  for filter in "$@"; do
    [[ ${filter,,} != "$name" && ${filter,,} != "$kind" ]] || return 0
  done
  return 1
}

run_stage() {
  local name=$1 kind=$2 what=$3 started=$SECONDS before
  before="$passed $failed $skipped"
  printf '\n== %s\n' "$name"
  case $name/$kind in
    aot/step) run_step aot 600 "$what" --deb ;;
    arm/step) run_step arm 300 "$what" --check ;;
    e2e/project) run_project "$name" "$what" 780 ;;
    */project) run_project "$name" "$what" 600 ;;
    */shell) run_shell "$name" "$what" 300 ;;
  esac
  # shellcheck disable=SC2086 # three numbers
  set -- $before
  printf '== %s: %d passed, %d failed, %d skipped in %d s\n' "$name" \
    $((passed - $1)) $((failed - $2)) $((skipped - $3)) $((SECONDS - started))
}

report() {
  local line
  printf '\n'
  for line in "${skips[@]+"${skips[@]}"}"; do printf 'SKIPPED %s\n' "$line"; done
  for line in "${failures[@]+"${failures[@]}"}"; do printf 'FAILED  %s\n' "$line"; done
  printf 'in %d min %d s\n' $((SECONDS / 60)) $((SECONDS % 60))
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
}

main() {
  local name kind what ran=''
  case ${1:-} in
    -h | --help) usage; return ;;
    --list) stages | cut -f1 | sort -u; return ;;
  esac
  "$root/setup.sh"
  rm -rf "$results"
  mkdir -p "$results"
  while IFS=$'\t' read -r name kind what <&3; do
    wanted "$name" "$kind" "$@" || continue
    ran=yes
    run_stage "$name" "$kind" "$what"
  done 3< <(stages)
  [[ $ran ]] || { usage >&2; fail "nothing is called ${*:-}"; }
  report
  ((failed == 0))
}

main "$@"
