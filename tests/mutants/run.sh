#!/usr/bin/env bash
# Known bugs, each a small patch against a correct core: applied to a scratch copy, built, and
# simulated until a checker notices. Patches named control-* change nothing that must hold, and
# must not be noticed.
#
#   tests/mutants/run.sh [--only ID] [--budget 60s]
#   tests/mutants/run.sh --check      only whether each still fits the sources, in a moment
#
# Prints a line each, tab-separated: id, caught or missed, seeds, CPU seconds, invariant. Exits 0 if
# all are caught and no control is.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$root/build-mutants
only=
check=false
budget=60s
while (($#)); do
  case $1 in
    --only) only=${2:?--only needs an id}; shift 2 ;;
    --check) check=true; shift ;;
    --budget) budget=${2:?--budget needs a duration, as 60s}; shift 2 ;;
    *) echo "usage: tests/mutants/run.sh [--only ID] [--budget 60s] [--check]" >&2; exit 2 ;;
  esac
done
if [[ -n $only && ! -f $root/tests/mutants/$only.patch ]]; then
  echo "tests/mutants/run.sh: there is no $only.patch" >&2
  exit 2
fi

# Where the sources have changed around it, a patch might do something else than it says.
if $check; then
  failed=0
  for file in "$root"/tests/mutants/*.patch; do
    patch --directory="$root" --strip=1 --silent --dry-run --fuzz=0 <"$file" >/dev/null || {
      echo "$(basename "$file") does not fit the sources any more"
      failed=1
    }
  done
  exit $failed
fi

# The working tree as it is, without what is ignored. What has not changed is not touched, so
# that it is not built again; what an interrupted run left behind is put right.
copy_sources() {
  mkdir -p "$scratch/source"
  local file
  while IFS= read -r -d '' file; do
    cmp -s "$root/$file" "$scratch/source/$file" && continue
    mkdir -p "$scratch/source/$(dirname "$file")"
    cp "$root/$file" "$scratch/source/$file"
  done < <(cd "$root" && git ls-files --cached --others --exclude-standard -z \
    core proto sim CMakeLists.txt)
  (cd "$scratch/source" && find . -type f -printf '%P\0') | while IFS= read -r -d '' file; do
    [[ -e $root/$file ]] || rm "$scratch/source/$file"
  done
  cmake -S "$scratch/source" -B "$scratch/build" -G Ninja >/dev/null
}

build() { ninja -C "$scratch/build" anchor-sim >"$scratch/build.log" 2>&1; }

patch_source() { patch --directory="$scratch/source" --strip=1 --silent --fuzz=0 "$@"; }

# Prints the line for one patch; fails if it is not what it should be.
try() {
  local id=$1 file=$2 expected=caught verdict=missed invariant=- seeds cpu
  [[ $id == control-* ]] && expected=missed
  if ! patch_source <"$file" >"$scratch/patch.log" 2>&1; then
    printf '%s\tdoes not apply\t-\t-\t-\n' "$id"
    return 1
  fi
  if ! build; then
    patch_source --reverse <"$file"
    printf '%s\tdoes not build\t-\t-\t-\n' "$id"
    return 1
  fi
  local TIMEFORMAT='%U %S'
  { time "$scratch/build/anchor-sim" swarm --budget "$budget" >"$scratch/swarm.log" 2>/dev/null \
    || true; } 2>"$scratch/time.log"
  patch_source --reverse <"$file"
  cpu=$(awk '{ printf "%.1f", $1 + $2 }' "$scratch/time.log")
  seeds=$(sed -n 's/^seeds \([0-9]*\),.*/\1/p' "$scratch/swarm.log")
  if grep -q '^violated seed=' "$scratch/swarm.log"; then
    verdict=caught
    invariant=$(sed -n 's/^violated seed=.* invariant=//p' "$scratch/swarm.log" | head -n 1)
  fi
  printf '%s\t%s\t%s\t%s\t%s\n' "$id" "$verdict" "$seeds" "$cpu" "$invariant"
  [[ $verdict == "$expected" ]]
}

copy_sources
failed=0
for file in "$root"/tests/mutants/*.patch; do
  id=$(basename "$file" .patch)
  [[ -z $only || $only == "$id" ]] || continue
  try "$id" "$file" || failed=1
done
exit $failed
