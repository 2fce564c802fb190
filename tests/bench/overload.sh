#!/usr/bin/env bash
# From a tenth of the load that a cluster can bear to ten times it: what is served, how fast, and
# what is refused. Three nodes on the loopback, puts of 256-byte values to all of them.
#
#   tests/bench/overload.sh [--seconds 8]          after ./dev build; ./dev bench overload calls it
#
# What it can bear is measured first, by 4,096 clients in a closed loop. Then requests are due at
# multiples of that rate, whether or not earlier ones have been answered, with at most 100,000
# in flight over 256 connections; a latency counts from when its request was due, so that it shows
# what waits at the client too. The load runs on the cores that the nodes need.
#
# Fails if a load deposes the leader, if twice the load or more halves what is served, if a
# node's memory passes a GiB, or if a node is not ready at the end.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source "$here/anchor_cluster.sh"
load_seconds=8

while (($# > 0)); do
  case $1 in
    --seconds) load_seconds=${2:-} ;;
    *) echo "usage: overload.sh [--seconds N]" >&2 && exit 2 ;;
  esac
  [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { echo "bench: $1 takes a number" >&2 && exit 2; }
  shift 2
done

load() {
  "$anchorctl" bench put -q -o json --endpoints "$anchor_endpoints" --warmup 2s \
    --duration "${load_seconds}s" "$@" 2>>"$data/overload.log" || true
}

leader_and_term() {
  local url json
  for url in ${anchor_endpoints//,/ }; do
    json=$(curl --silent --max-time 2 "http://$url/status")
    [[ $json =~ ^\{\"node_id\":\"[^\"]*\",\"role\":\"Leader\" ]] || continue
    echo "$url, term $(field term <<<"${json%%\"peers\"*}")"
  done
}

# The largest that any node has held so far, in MiB.
most_memory() {
  local pid
  for pid in "${pids[@]}"; do awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$pid/status"; done |
    sort -n | tail -1
}

require_anchor
mkdir -p "$data"
: >"$data/overload.log"
start_anchor
before=$(leader_and_term)
[[ -n $before ]] || fail "there is no leader to begin with"
peak=$(load --clients 4096 --connections 256 | field ops_per_second)
echo "a closed loop of 4,096 clients is served $peak puts a second"
echo
row='%6s %12s %12s %12s %9s %12s %12s %12s %9s\n'
# shellcheck disable=SC2059
printf "$row" load "due/s" "served/s" "refused/s" unknown p50 p99 p99.9 memory
failed=0
for factor in 0.1 0.25 0.5 1 2 5 10; do
  rate=$(awk -v p="$peak" -v f="$factor" 'BEGIN { printf "%d", p * f }')
  json=$(load --rate "$rate" --clients 100000 --connections 256)
  memory=$(most_memory)
  served=$(field ops_per_second <<<"$json")
  # shellcheck disable=SC2059
  printf "$row" "${factor}x" "$rate" "${served%.*}" \
    "$(($(field refused <<<"$json") / load_seconds))" "$(field unknown <<<"$json")" \
    "$(field p50_us <<<"$json") us" "$(field p99_us <<<"$json") us" \
    "$(field p999_us <<<"$json") us" "$memory MiB"
  if awk -v s="$served" -v p="$peak" -v f="$factor" 'BEGIN { exit !(f >= 2 && s < p / 2) }'; then
    echo "at ${factor}x less than half of the peak is served"
    failed=1
  fi
  ((memory < 1024)) || { echo "a node holds $memory MiB" && failed=1; }
done
for url in ${anchor_endpoints//,/ }; do
  wait_for "$url" curl --silent --fail --max-time 1 "http://$url/readyz"
done
after=$(leader_and_term)
echo
echo "leader and its term: before $before, after $after"
[[ $before == "$after" ]] || { echo "the leader was deposed" && failed=1; }
stop_nodes
exit "$failed"
