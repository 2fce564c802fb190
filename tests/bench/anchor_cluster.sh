# A cluster of three of anchor's nodes on the loopback, for the scripts beside this file to source.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
anchor=$root/build/anchor
anchorctl=$root/build/anchorctl
data=$root/build/bench
anchor_endpoints=127.0.0.1:19201,127.0.0.1:19202,127.0.0.1:19203
pids=()

fail() {
  echo "bench: $*" >&2
  exit 1
}

# Ends the nodes that the script started, by their ids.
stop_nodes() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  pids=()
}
trap stop_nodes EXIT
trap 'exit 130' INT TERM

# wait_for WHAT COMMAND...: until the command succeeds, for half a minute.
wait_for() {
  local what=$1 attempt
  shift
  for ((attempt = 0; attempt < 150; ++attempt)); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.2
  done
  fail "$what did not come up; its logs are in $data"
}

require_anchor() {
  local file
  for file in "$anchor" "$anchorctl"; do
    [[ -x $file ]] || fail "$file is missing; ./dev build makes it"
  done
}

# start_node NUMBER: with the data that it had, if any.
start_node() {
  "$anchor" --id "n$1" --listen 127.0.0.1 --port "1910$1" --http-port "1920$1" \
    --dir "$data/anchor/n$1" --bootstrap-expect 3 \
    --peers 127.0.0.1:19101,127.0.0.1:19102,127.0.0.1:19103 >>"$data/anchor/n$1.log" 2>&1 &
  pids[$1]=$!
}

start_anchor() {
  local i
  rm -rf "$data/anchor" && mkdir -p "$data/anchor"
  for i in 1 2 3; do start_node "$i"; done
  wait_for anchor "$anchorctl" --endpoints "$anchor_endpoints" status
}

# Where its HTTP clients reach the leader.
anchor_leader() {
  "$anchorctl" --endpoints "$anchor_endpoints" status | awk '$3 == "Leader" { print $2; exit }'
}

# field NAME: a number of the JSON on standard input.
field() { sed -n "s/.*\"$1\":\\([0-9.e+]*\\).*/\\1/p"; }
