#!/usr/bin/env bash
# Whether docs/paper.md names only tests that exist, and how many statements have one.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=0
while IFS=. read -r suite name; do
  grep -rqE "^TEST(_F|_P)?\($suite, $name\)" tests --include='*_test.cc' && continue
  grep -rqzE "TEST(_F|_P)?\($suite,\s+$name\)" tests --include='*_test.cc' && continue
  echo "docs/paper.md names $suite.$name, which is no test"
  missing=1
done < <(grep -oE '`[A-Z][A-Za-z]+\.[A-Z][A-Za-z0-9]+`' docs/paper.md | tr -d '`' | sort -u)

rows=$(grep -E '^\| ' docs/paper.md | grep -vc '^| the paper')
without=$(grep -c '| none:' docs/paper.md || true)
echo "$rows statements, $((rows - without)) with a test, $without without"
exit "$missing"
