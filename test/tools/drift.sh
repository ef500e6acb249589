#!/usr/bin/env bash
# drift.sh COMMAND...: runs a command that rewrites files, and fails if it changed any.
# It compares the work tree with itself, not with the last commit, so it is as useful in the middle of an edit as in CI.
set -euo pipefail

cd "$(git rev-parse --show-toplevel)"
index=$(mktemp)
trap 'rm -f "$index"' EXIT
tree() { # the work tree as a git tree, by way of an index of our own
  cp "$(git rev-parse --git-path index)" "$index"
  GIT_INDEX_FILE=$index git add --all
  GIT_INDEX_FILE=$index git write-tree
}

before=$(tree)
"$@"
after=$(tree)
if [ "$before" != "$after" ]; then
  printf 'drift.sh: "%s" changed files:\n' "$*" >&2
  git diff --name-only "$before" "$after" | sed 's/^/  /' >&2
  echo '  run it and commit what it wrote' >&2
  exit 1
fi
