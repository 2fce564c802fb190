#!/usr/bin/env bash
# Known bugs, each a small patch against a correct core: applied to a scratch copy, built, and
# simulated until a checker notices. Patches named control-* change nothing that must hold, and
# must not be noticed.
#
#   tests/mutants/run.sh [--only ID]... [--budget 60s]
#   tests/mutants/run.sh [--only ID]... --chaos MINUTES    real servers, judged by what clients see
#   tests/mutants/run.sh --check      only whether each still fits the sources, in a moment
#
# Prints a line each, tab-separated: id, caught or missed, seeds, CPU seconds, invariant; of real
# servers instead of the seeds the operations. Exits 0 if all are caught and no control is.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$root/build-mutants
only=()
check=false
chaos=
budget=60s
while (($#)); do
  case $1 in
    --only) only+=("${2:?--only needs an id}"); shift 2 ;;
    --chaos) chaos=${2:?--chaos needs a number of minutes}; shift 2 ;;
    --check) check=true; shift ;;
    --budget) budget=${2:?--budget needs a duration, as 60s}; shift 2 ;;
    *)
      echo "usage: tests/mutants/run.sh [--only ID]... [--budget 60s | --chaos MINUTES]" >&2
      echo "       tests/mutants/run.sh --check" >&2
      exit 2
      ;;
  esac
done
files=("$root"/tests/mutants/*.patch)
((${#only[@]} == 0)) || files=("${only[@]/%/.patch}")
files=("${files[@]##*/}")
for file in "${files[@]}"; do
  [[ -f $root/tests/mutants/$file ]] && continue
  echo "tests/mutants/run.sh: there is no $file" >&2
  exit 2
done

# Where the sources have changed around it, a patch might do something else than it says.
if $check; then
  failed=0
  for file in "${files[@]}"; do
    patch --directory="$root" --strip=1 --silent --dry-run --fuzz=0 \
      <"$root/tests/mutants/$file" >/dev/null || {
      echo "$file does not fit the sources any more"
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
    [[ -e $root/$file ]] || continue
    cmp -s "$root/$file" "$scratch/source/$file" && continue
    mkdir -p "$scratch/source/$(dirname "$file")"
    cp "$root/$file" "$scratch/source/$file"
  done < <(cd "$root" && git ls-files --cached --others --exclude-standard -z \
    core proto sim io server cli tests CMakeLists.txt)
  (cd "$scratch/source" && find . -type f -printf '%P\0') | while IFS= read -r -d '' file; do
    [[ -e $root/$file ]] || rm "$scratch/source/$file"
  done
  cmake -S "$scratch/source" -B "$scratch/build" -G Ninja >/dev/null
}

# What is to notice a bug.
target=anchor-sim
[[ -z $chaos ]] || target=chaos
build() { ninja -C "$scratch/build" "$target" >"$scratch/build.log" 2>&1; }
run() {
  if [[ -n $chaos ]]; then
    "$scratch/build/chaos" "$chaos" --dir "$scratch/chaos-data"
  else
    "$scratch/build/anchor-sim" swarm --budget "$budget"
  fi
}

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
  { time run >"$scratch/run.log" 2>/dev/null || true; } 2>"$scratch/time.log"
  patch_source --reverse <"$file"
  cpu=$(awk '{ printf "%.1f", $1 + $2 }' "$scratch/time.log")
  seeds=$(sed -n 's/^seeds \([0-9]*\),.*/\1/p; s/^.*: seed .*, \([0-9]*\) operations,.*/\1/p' \
    "$scratch/run.log")
  if grep -q '^violated seed=\|^VIOLATED: ' "$scratch/run.log"; then
    verdict=caught
    invariant=$(sed -n 's/^violated seed=.* invariant=//p; s/^VIOLATION: \([^:]*\).*/\1/p' \
      "$scratch/run.log" | head -n 1)
  fi
  if [[ -z $seeds ]]; then
    printf '%s\tdid not run\t-\t-\t-\n' "$id"
    return 1
  fi
  printf '%s\t%s\t%s\t%s\t%s\n' "$id" "$verdict" "$seeds" "$cpu" "$invariant"
  [[ $verdict == "$expected" ]]
}

copy_sources
failed=0
for file in "${files[@]}"; do
  try "${file%.patch}" "$root/tests/mutants/$file" || failed=1
done
exit $failed
