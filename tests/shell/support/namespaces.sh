# shellcheck shell=bash
# A small world of network namespaces, and nodes in it. What $work/NAME.json configures has its data in $work/NAME and its log in $work/NAME.log.

own_namespaces=(unshare --pid --net --fork --kill-child --mount-proc)
# As the unit runs a node.
# shellcheck disable=SC2034 # for the caller
without_capabilities=(setpriv --bounding-set=-all --inh-caps=-all --no-new-privs)
declare -A pid=()
far=''

# into_namespaces WHAT ARGUMENT...: runs the script again, with these arguments, in a PID and a network namespace of its own; there it returns. Everything that
# is started ends with the script, however it ends. WHAT is skipped where that is not allowed.
into_namespaces() {
  local what=$1
  shift
  if [[ ${EDGE_OWN_NAMESPACES:-} ]]; then
    unset EDGE_OWN_NAMESPACES
    ip link set lo up
    return
  fi
  if ! "${own_namespaces[@]}" sh -c 'ip link set lo up && ip link add name one type veth peer name other' 2>/dev/null; then
    skip "$what" 'namespaces or veth pairs are not allowed here'
    exit 0
  fi
  EDGE_OWN_NAMESPACES=yes exec "${own_namespaces[@]}" "$0" "$@"
}

# Another network namespace; behind COMMAND... runs there.
make_far() {
  unshare --net sleep infinity &
  far=$!
  until [[ $(readlink "/proc/$far/ns/net") != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.05; done
  behind ip link set lo up
}

behind() { nsenter --target "$far" --net -- "$@"; }

# start_node NAME COMMAND...: by the command, which is to become what it is given; until the node answers.
start_node() {
  local name=$1
  shift
  "$@" "$binary" run --config "$work/$name.json" >>"$work/$name.log" 2>&1 &
  pid[$name]=$!
  within 30 node "$name" status >/dev/null
}

# stop_node NAME SIGNAL: and waits for its end.
stop_node() { kill "-$2" "${pid[$1]}" && { wait "${pid[$1]}" || true; }; } 2>/dev/null

# node NAME COMMAND...
node() { "$binary" "${@:2}" --data "$work/$1"; }
