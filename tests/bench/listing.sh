#!/usr/bin/env bash
# What a million keys cost, of 32 bytes with values of 256, on three nodes. First their size: what
# memory each node takes, and how long one takes to start after kill -9. Then what listing them
# costs: all of them, page by page at one revision, again and again, from the leader, beside a load
# of puts at a fixed rate; and the same load without that, before and after. At last, beside the
# same load, all are deleted at one revision.
#
#   tests/bench/listing.sh [--keys 1000000] [--rate 200] [--seconds 15]
#                                                        after ./dev build; ./dev bench calls it
#
# Prints all that, the puts' latencies, and how many pages were read and how fast. The client is
# curl, one page at a time: what it needs is a page at most.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
source "$here/anchor_cluster.sh"
keys=1000000
rate=200
seconds=15
while (($# > 0)); do
  case $1 in
    --keys) keys=${2:-} ;;
    --rate) rate=${2:-} ;;
    --seconds) seconds=${2:-} ;;
    *) echo "usage: listing.sh [--keys N] [--rate N] [--seconds N]" >&2 && exit 2 ;;
  esac
  [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { echo "bench: $1 takes a number" >&2 && exit 2; }
  shift 2
done

# Transactions of 125 puts, 40 of them a file of curl's options.
write_loads() {
  awk -v keys="$keys" -v url="http://$1/txn" -v files="$data/load" '
    BEGIN {
      for (i = 0; i < 252; ++i) value = value "v"
      for (first = 0; first < keys; first += 125) {
        n = first / 125
        file = sprintf("%s/%06d", files, int(n / 40))
        if (n % 40 > 0) print "next" > file
        else if (n > 0) close(last)
        last = file
        body = ""
        for (i = first; i < first + 125 && i < keys; ++i) {
          key = sprintf("key/%028d", i)
          body = body (body == "" ? "" : ",") "{\\\"op\\\":\\\"put\\\",\\\"key\\\":\\\"" key \
            "\\\",\\\"value\\\":\\\"" sprintf("%04d", i % 10000) value "\\\"}"
        }
        print "url = \"" url "\"\nheader = \"Content-Type: application/json\"" > file
        print "output = /dev/null\nfail\ndata = \"{\\\"success\\\":[" body "]}\"" > file
      }
    }'
}

load_keys() {
  local file
  rm -rf "$data/load" && mkdir -p "$data/load"
  write_loads "$1"
  for file in "$data/load"/*; do
    curl --silent --show-error --config "$file" || fail "a transaction failed"
  done
  rm -rf "$data/load"
}

# Kilobytes; of a process that runs. The second is the most that there ever was.
resident() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }
most_resident() { awk '/^VmHWM:/ { print $2 }' "/proc/$1/status"; }

# A line for each page, its bytes and how long it took, and one for each whole list.
list_again_and_again() {
  local page=$data/page at next revision
  while :; do
    next=key/ revision=
    while [[ -n $next ]]; do
      [[ ! -e $data/pages.end ]] || return 0
      at="start=$next&end=key0"
      [[ -z $revision ]] || at+="&revision=$revision"
      curl --silent --fail --output "$page" --write-out "%{size_download} %{time_total}\n" \
        "http://$leader/kv/?$at" || return 1
      [[ -n $revision ]] || revision=$(head --bytes 60 "$page" | field revision)
      next=$(tail --bytes 200 "$page" | sed -n 's/.*"next":"\([^"]*\)".*/\1/p')
    done
    echo list
  done
}

puts() {
  echo "puts, $1:"
  "$anchorctl" --endpoints "$anchor_endpoints" bench put --rate "$rate" --clients 64 \
    --connections 4 --duration "${seconds}s" --warmup 1s | sed 's/^/  /'
}

# Milliseconds from its start until it is ready.
restart_follower() {
  local number began
  for number in 1 2 3; do
    [[ $leader == *$number ]] || break
  done
  kill -KILL "${pids[$number]}"
  wait "${pids[$number]}" 2>/dev/null || true
  began=$(date +%s%N)
  start_node "$number"
  until curl --silent --fail --output /dev/null "http://127.0.0.1:1920$number/readyz"; do
    sleep 0.02
  done
  echo "n$number, killed and started again:" \
    "ready after $((($(date +%s%N) - began) / 1000000)) ms," \
    "resident memory then $(($(resident "${pids[$number]}") * 1024 / 1000000)) MB"
}

# Three seconds from now.
delete_all() {
  sleep 3
  curl --silent --show-error --fail --request DELETE "http://$leader/kv/?prefix=key%2F" \
    --write-out '%{time_total}' >"$data/deleted" || fail "they could not be deleted"
}

require_anchor
start_anchor
leader=$(anchor_leader)
leader_pid=${pids[${leader: -1}]}
echo "writing $keys keys to $leader"
load_keys "$leader"

raw=$((keys * 288))
for i in 1 2 3; do
  awk -v node="n$i" -v raw="$raw" -v resident="$(resident "${pids[$i]}")" \
    -v most="$(most_resident "${pids[$i]}")" 'BEGIN {
      printf "%s: resident memory %d MB, %.2f times the raw bytes; the most until now %d MB\n",
             node, resident * 1.024e-3, resident * 1024 / raw, most * 1.024e-3 }'
done
restart_follower

puts "before any list"
before=$(resident "$leader_pid")
most_before=$(most_resident "$leader_pid")
rm -f "$data/pages.end"
list_again_and_again >"$data/pages.log" &
lister=$!
puts "beside lists"
touch "$data/pages.end"
wait "$lister" || fail "a page could not be read"
after=$(resident "$leader_pid")
puts "after them"

awk -v keys="$keys" '
  $1 == "list" { ++lists; next }
  { bytes += $1; seconds += $2; ++pages }
  END { printf "pages: %d, of %.1f MB each, %.0f MB a second; whole lists of %d keys: %d\n",
        pages, bytes / pages / 1e6, bytes / seconds / 1e6, keys, lists }' "$data/pages.log"
echo "leader's resident memory: $((before / 1024)) MiB before, $((after / 1024)) after the lists;" \
  "the most until then $((most_before / 1024)), and since then" \
  "$(($(most_resident "$leader_pid") / 1024))"

delete_all &
deleter=$!
puts "beside the delete of all keys"
wait "$deleter"
echo "deleted: $(field deleted <"$data/deleted") keys, in $(tail -n 1 "$data/deleted") s"
