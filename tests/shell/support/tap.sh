# shellcheck shell=bash
# Lines test.sh counts: "ok - what", "not ok - what", "skip - what: why".

tap_failed=0

ok() { printf 'ok - %s\n' "$1"; }

not_ok() {
  printf 'not ok - %s\n' "$1"
  [[ -z ${2:-} ]] || printf '%s\n' "$2" | sed 's/^/  # /'
  tap_failed=1
}

skip() { printf 'skip - %s: %s\n' "$1" "$2"; }

# check WHAT COMMAND...: ok when the command succeeds; its output explains a failure.
check() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then ok "$what"; else not_ok "$what" "$output"; fi
}

# check_fails WHAT COMMAND...: ok when the command fails.
check_fails() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then not_ok "$what" "it succeeded: $output"; else ok "$what"; fi
}

# within SECONDS COMMAND...: polls until the command succeeds.
within() {
  local deadline=$((SECONDS + $1)) last
  shift
  until last=$("$@" 2>&1); do
    if ((SECONDS >= deadline)); then
      printf 'not within the time: %s\n%s\n' "$*" "$last" >&2
      return 1
    fi
    sleep 0.1
  done
}

tap_exit() { exit "$tap_failed"; }
