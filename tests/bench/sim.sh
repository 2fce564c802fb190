#!/usr/bin/env bash
# The simulator's own speed, on one core: events a second with all checkers on, seeds a second,
# and how much faster than real time it is. The seeds are always the same, so that two versions
# compare.
#
#   tests/bench/sim.sh [SEEDS]
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
seeds=${1:-200}
[[ $seeds =~ ^[1-9][0-9]*$ ]] || { echo "usage: tests/bench/sim.sh [SEEDS]" >&2; exit 2; }

measure() {
  local profile=$1 time=$2
  "$root/build/anchor-sim" swarm --seeds "1..$seeds" --jobs 1 --profile "$profile" --time "$time" \
    -o json | awk -v profile="$profile" -v time="$time" '
      function field(name) {
        match($0, "\"" name "\":[0-9.]+")
        return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3)
      }
      {
        seconds = field("wall_seconds")
        printf "%-8s %5s  %9d events/s  %6.1f seeds/s  %6d times real time\n", profile, time,
          field("events") / seconds, field("seeds") / seconds, field("simulated_seconds") / seconds
      }'
}

for profile in default calm network crash; do
  measure "$profile" 5s
done
