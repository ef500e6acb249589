#!/usr/bin/env bash
# fuzz.sh DURATION: runs every fuzzer of the product for so long, one after the other.
set -euo pipefail

duration=${1:?usage: fuzz.sh DURATION}
found=0
while IFS=: read -r file name; do
  found=$((found + 1))
  echo "fuzz $name in $(dirname "$file") for $duration"
  go test "./$(dirname "$file")" -run '^$' -fuzz "^$name\$" -fuzztime "$duration" </dev/null
done < <(git ls-files '*_test.go' | while read -r file; do # only what is committed: a fuzzer under work is its author's
  sed -n "s#^func \(Fuzz[A-Za-z0-9_]*\)(f \*testing\.F).*#$file:\1#p" "$file"
done)
echo "$found fuzzers, nothing found"
