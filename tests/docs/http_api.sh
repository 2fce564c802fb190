#!/usr/bin/env bash
# Whether docs/http-api.md tells the truth: runs each command of its console blocks, in order,
# against a fresh server, and compares what it prints.
#
#   tests/docs/http_api.sh build/anchor
#
# A command begins with "$ " and goes on in lines that begin with "> "; what follows, up to the next
# command or the block's end, is what it prints on stdout, but for carriage returns and newlines at
# the end. "..." in it stands for anything, also over several lines. The document's ports, 8001 and
# 9001, are those of the server of this test.
set -euo pipefail
export LC_ALL=C

anchor=$(realpath "${1:?usage: http_api.sh PATH-OF-ANCHOR}")
document=$(realpath "$(dirname "$0")/../../docs/http-api.md")
directory=$(mktemp -d)
server=
most_seconds=55

stop_server() {
  [[ -n $server ]] || return 0
  kill -KILL "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}
clean_up() {
  stop_server
  rm -rf "$directory"
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# What a user's own ~/.curlrc says is not to matter.
export CURL_HOME=$directory
printf 'silent\nshow-error\nnoproxy = "*"\n' > "$directory/.curlrc"

is_free() { ! (exec 3<> "/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# False: it has ended, as it does if somebody else has taken one of its ports.
become_ready() {
  until curl -f --max-time 2 -o /dev/null "localhost:$http_port/readyz" 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || return 1
    ((SECONDS < most_seconds)) || return 1
    sleep 0.05
  done
  kill -0 "$server" 2>/dev/null
}

# Below the ports that the kernel gives to whoever asks for any.
start_server() {
  for _ in {1..20}; do
    peer_port=$((20000 + RANDOM % 12000))
    http_port=$((20000 + RANDOM % 12000))
    ((peer_port != http_port)) && is_free "$peer_port" && is_free "$http_port" || continue
    rm -rf "$directory/node1"
    "$anchor" --id node1 --port "$peer_port" --http-port "$http_port" --dir "$directory/node1" \
      2> "$directory/log" &
    server=$!
    become_ready && return
    stop_server
    ((SECONDS < most_seconds)) || break
  done
  echo "no server became ready; the last one said:" >&2
  cat "$directory/log" >&2
  return 1
}

# "..." matches anything, all else itself.
matches() {
  local pattern
  pattern=$(printf '%s' "$2" | sed -e 's/[^[:alnum:][:space:]]/\\&/g' -e 's/\\\.\\\.\\\./*/g')
  [[ $1 == $pattern ]]
}

run_count=0
failure_count=0
run() {
  local command=$1 expected=$2 line=$3 printed
  local left=$((most_seconds - SECONDS))
  if ((left <= 0)); then
    echo "docs/http-api.md:$line: no time is left"
    exit 1
  fi
  ((++run_count))
  printed=$( (timeout "$left" bash -c "$command" </dev/null 2>"$directory/stderr" || true) |
    tr -d '\r')
  expected=$(printf '%s' "$expected")
  matches "$printed" "$expected" && return
  ((++failure_count))
  printf '%s:%d: $ %s\n--- expected\n%s\n--- printed\n%s\n---\n\n' \
    "docs/http-api.md" "$line" "$command" "$expected" "$printed$(cat "$directory/stderr")"
}

# Runs the command that has been read, if any.
flush() {
  [[ -z $command ]] || run "$command" "$expected" "$command_line"
  command=
  expected=
}

start_server

in_block=false
in_command=false
command=
expected=
number=0
while IFS= read -r line || [[ -n $line ]]; do
  ((++number))
  if [[ $line == '```'* ]]; then
    flush
    [[ $in_block == false && $line == '```console' ]] && in_block=true || in_block=false
    in_command=false
  elif [[ $in_block == false ]]; then
    continue
  elif [[ $line == '$ '* ]]; then
    flush
    command=${line:2}
    command_line=$number
    in_command=true
  elif [[ $in_command == true && $line == '> '* ]]; then
    command+=$'\n'${line:2}
  elif [[ -n $command ]]; then
    in_command=false
    expected+=$line$'\n'
  else
    echo "docs/http-api.md:$number: output of no command"
    exit 1
  fi
done < <(sed -e "s/:8001/:$http_port/g" -e "s/:9001/:$peer_port/g" "$document")
flush

written_count=$(grep -c '^\$ ' "$document" || true)
if ((run_count == 0 || run_count != written_count)); then
  echo "docs/http-api.md has $written_count commands, of which $run_count stand in console blocks"
  exit 1
fi
echo "$run_count commands, $((run_count - failure_count)) print what docs/http-api.md says"
((failure_count == 0))
