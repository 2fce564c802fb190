#!/usr/bin/env bash
# anchor beside etcd: puts and linearizable gets of 256-byte values, transactions that compare a
# key and put two, lists of 1,000 keys, leases granted, leases kept alive (10,000 of them), and
# events to 100 watchers of all keys that 16 clients put; closed loop, three nodes each on the
# loopback, all nodes and the load on one machine, data on one disk, fsync on, all as shipped.
#
#   tests/bench/run.sh [--rounds 3] [--seconds 8]
#                      [--only put|get|txn|list|grant|keepalive|watch]
#                                                        after ./dev build; ./dev bench calls it
#
# What drives what: anchor is driven by `anchorctl bench` (HTTP/1.1, C++), etcd by etcd_load.go
# beside this script (its own Go client, gRPC), since each is to be seen through the interface
# that its users have. Both draw from 10,000 keys at random, ask the leader, and run on the
# cores that the nodes need, so that a costly client is part of a system's figure: etcd's client
# library costs more than anchorctl does. etcd's callers share 16 HTTP/2 connections, as its own
# benchmark has them do. anchor's share as many, pipelined; the second row of a pair gives each
# client a connection of its own and is set beside the same runs of etcd. Watchers are counted by
# watch_load.cc, a connection each, and by etcd_load.go, over 16; what writes meanwhile is the same
# as for puts. "ops" are then events, all watchers together.
#
# A round is one run of every load on a fresh anchor, then on a fresh etcd; only one of them is
# up at a time. What counts is the median over the rounds of a round's ratio, never an absolute
# figure. A run with errors does not count and makes the script fail.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source "$here/anchor_cluster.sh"
results=$data/results.tsv
load_seconds=8
warmup_seconds=2
rounds=3
only=

etcd_endpoints=127.0.0.1:19301,127.0.0.1:19302,127.0.0.1:19303
dropped=0

while (($# > 0)); do
  case $1 in
    --rounds) rounds=${2:-} ;;
    --seconds) load_seconds=${2:-} ;;
    --only)
      [[ ${2:-} =~ ^(put|get|txn|list|grant|keepalive|watch)$ ]] ||
        { echo "bench: --only takes put, get, txn, list, grant, keepalive or watch" >&2 && exit 2; }
      only=$2
      shift 2
      continue
      ;;
    *) echo "usage: run.sh [--rounds N] [--seconds N] [--only MODE]" >&2 && exit 2 ;;
  esac
  [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { echo "bench: $1 takes a number" >&2 && exit 2; }
  shift 2
done

start_etcd() {
  local i cluster=e1=http://127.0.0.1:19401,e2=http://127.0.0.1:19402,e3=http://127.0.0.1:19403
  rm -rf "$data/etcd" && mkdir -p "$data/etcd"
  for i in 1 2 3; do
    etcd --name "e$i" --data-dir "$data/etcd/e$i" --log-level error \
      --listen-client-urls "http://127.0.0.1:1930$i" \
      --advertise-client-urls "http://127.0.0.1:1930$i" \
      --listen-peer-urls "http://127.0.0.1:1940$i" \
      --initial-advertise-peer-urls "http://127.0.0.1:1940$i" \
      --initial-cluster "$cluster" --initial-cluster-state new >"$data/etcd/e$i.log" 2>&1 &
    pids+=($!)
  done
  wait_for etcd etcd_leader
}

etcd_leader() {
  ETCDCTL_API=3 etcdctl --endpoints "$etcd_endpoints" endpoint status -w simple 2>/dev/null |
    awk -F', ' '$5 == "true" { print $1; found = 1; exit } END { exit !found }'
}

# The loads: mode, clients, and over how many connections, anchor's and etcd's.
loads() {
  local mode
  for mode in put get; do
    echo "$mode 1 1 1"
    echo "$mode 64 16 16"
    echo "$mode 64 64 16"
    echo "$mode 256 16 16"
    echo "$mode 256 256 16"
  done
  echo "txn 64 16 16"
  echo "txn 64 64 16"
  echo "list 16 16 16"
  echo "grant 64 16 16"
  echo "keepalive 64 16 16"
  echo "watch 16 16 16"
}

chosen_loads() {
  loads | awk -v only="$only" 'only == "" || $1 == only'
}

# The load for watchers to watch: until it is told to end.
begin_writing() {
  local warmup_and_load=$((warmup_seconds + load_seconds + 60))
  "$@" --clients "$clients" --connections "$connections" --keys 10000 --value-bytes 256 \
    --warmup 0s --duration "${warmup_and_load}s" >/dev/null 2>&1 &
  writer=$!
}

end_writing() {
  kill "$writer" 2>/dev/null || true
  wait "$writer" 2>/dev/null || true
}

# watch_anchor LEADER and watch_etcd LEADER print what watchers got.
watch_anchor() {
  begin_writing "$anchorctl" bench put -q --endpoints "$1"
  "$root/build/bench_watch_load" --endpoint "$1" \
    --warmup "$warmup_seconds" --seconds "$load_seconds" || { end_writing && return 1; }
  end_writing
}

watch_etcd() {
  begin_writing "$data/etcd_load" --mode put --endpoints "$1"
  "$data/etcd_load" --mode watch --endpoints "$1" --connections "$connections" \
    --warmup "${warmup_seconds}s" --duration "${load_seconds}s" || { end_writing && return 1; }
  end_writing
}

# record ROUND SYSTEM MODE CLIENTS CONNECTIONS COMMAND...: runs a load and keeps its figures.
record() {
  local round=$1 system=$2 mode=$3 clients=$4 connections=$5 json
  shift 5
  local sizes=(--clients "$clients" --connections "$connections" --keys 10000 --value-bytes 256
    --warmup "${warmup_seconds}s" --duration "${load_seconds}s")
  [[ $mode != watch ]] || sizes=()
  if ! json=$("$@" "${sizes[@]}"); then
    echo "bench: round $round, $system $mode with $clients clients had errors," \
      "and does not count" >&2
    dropped=1
    return 0
  fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$round" "$system" "$mode" "$clients" "$connections" \
    "$(field ops_per_second <<<"$json")" "$(field p99_us <<<"$json")" >>"$results"
  tail -1 "$results" | awk -F'\t' '{
    printf "round %s  %-6s  %s  %3s clients  %3s connections  %8.0f ops/s  p99 %8.2f ms\n",
           $1, $2, $3, $4, $5, $6, $7 / 1000 }' >&2
}

run_anchor() {
  local round=$1 mode clients connections etcd_connections leader
  start_anchor
  while read -r mode clients connections etcd_connections; do
    leader=$(anchor_leader)
    if [[ $mode == watch ]]; then
      record "$round" anchor watch "$clients" "$connections" watch_anchor "$leader"
      continue
    fi
    record "$round" anchor "$mode" "$clients" "$connections" \
      "$anchorctl" bench "$mode" -q -o json --endpoints "$leader"
  done < <(chosen_loads)
  stop_nodes
}

run_etcd() {
  local round=$1 mode clients connections
  start_etcd
  while read -r mode clients connections; do
    if [[ $mode == watch ]]; then
      record "$round" etcd watch "$clients" "$connections" watch_etcd "$(etcd_leader)"
      continue
    fi
    record "$round" etcd "$mode" "$clients" "$connections" \
      "$data/etcd_load" --mode "$mode" --endpoints "$(etcd_leader)"
  done < <(chosen_loads | awk '{ print $1, $2, $4 }' | uniq)
  stop_nodes
}

# A row for each of anchor's loads: the medians, and the median of the rounds' ratios.
print_table() {
  awk -F'\t' '
    function median(list, values, n, i, j, t) {
      n = split(list, values, " ")
      for (i = 2; i <= n; ++i)
        for (j = i; j > 1 && values[j] + 0 < values[j - 1] + 0; --j) {
          t = values[j]; values[j] = values[j - 1]; values[j - 1] = t
        }
      return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
    }
    $2 == "etcd" { etcd_ops[$1, $3, $4] = $6; etcd_p99[$1, $3, $4] = $7 }
    $2 == "anchor" {
      key = $3 "\t" $4 "\t" $5
      if (!(key in seen)) { order[++rows] = key; seen[key] = 1 }
      runs[key] = runs[key] " " NR
      round[NR] = $1; mode[NR] = $3; clients[NR] = $4; ops[NR] = $6; p99[NR] = $7
    }
    END {
      line = "%-9s %7s %11s | %10s %10s %6s | %10s %10s %6s\n"
      printf line, "load", "clients", "connections", "anchor/s", "etcd/s", "ratio", \
             "anchor p99", "etcd p99", "ratio"
      for (r = 1; r <= rows; ++r) {
        a = e = x = ap = ep = xp = ""
        n = split(runs[order[r]], list, " ")
        for (i = 1; i <= n; ++i) {
          k = list[i]
          if (!((round[k], mode[k], clients[k]) in etcd_ops)) continue
          o = etcd_ops[round[k], mode[k], clients[k]]; p = etcd_p99[round[k], mode[k], clients[k]]
          a = a " " ops[k]; e = e " " o; x = x " " ops[k] / o
          ap = ap " " p99[k]; ep = ep " " p; xp = xp " " (p > 0 ? p99[k] / p : 0)
        }
        if (a == "") continue
        split(order[r], part, "\t")
        printf line, part[1], part[2], part[3], sprintf("%.0f", median(a)), \
               sprintf("%.0f", median(e)), sprintf("%.2f", median(x)), \
               sprintf("%.2f ms", median(ap) / 1000), sprintf("%.2f ms", median(ep) / 1000), \
               sprintf("%.2f", median(xp))
      }
    }' "$results"
}

require_anchor
for program in etcd etcdctl go; do
  command -v "$program" >/dev/null ||
    fail "$program is missing: apt-get install" \
      etcd-server etcd-client golang-go golang-etcd-server-dev
done
[[ -d /usr/share/gocode/src/go.etcd.io/etcd/clientv3 ]] ||
  fail "etcd's client library is missing: apt-get install golang-etcd-server-dev"

mkdir -p "$data"
: >"$results"
# Debian ships the client's source; nothing is fetched.
GO111MODULE=off GOPATH=/usr/share/gocode GOCACHE=$data/go-cache \
  go build -o "$data/etcd_load" "$here/etcd_load.go"

for ((round = 1; round <= rounds; ++round)); do
  run_anchor "$round"
  run_etcd "$round"
done
print_table
exit "$dropped"
