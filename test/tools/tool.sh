#!/usr/bin/env bash
# tool.sh NAME: prints the path of a tool, built by the Go client into the user's cache folder if it is not there yet.
#
# The tools are pinned here and nowhere else. They are built with `go install PACKAGE@VERSION`, so with exactly the
# dependencies that their authors released them with, and without a trace in our go.mod.
set -euo pipefail

case "${1-}" in
golangci-lint) version=v2.15.0 package=github.com/golangci/golangci-lint/v2/cmd/golangci-lint ;;
buf) version=v1.75.0 package=github.com/bufbuild/buf/cmd/buf ;;
protoc-gen-go) version=v1.36.12 package=google.golang.org/protobuf/cmd/protoc-gen-go ;; # that of google.golang.org/protobuf in go.mod
*)
  echo "usage: tool.sh golangci-lint | buf | protoc-gen-go" >&2
  exit 2
  ;;
esac

# A linter reads only code for the Go that built it, or for an older one: so Go's version is part of the folder's name.
folder="${XDG_CACHE_HOME:-$HOME/.cache}/graft/tools/$1-$version-$(go env GOVERSION)"
if [ ! -x "$folder/$1" ]; then
  mkdir -p "$folder"
  build=$(mktemp -d "$folder/build.XXXXXX")
  trap 'rm -rf "$build"' EXIT
  echo "building $1 $version, once" >&2
  # From the folder of the build, so that neither our go.mod nor a workspace has a say in it.
  (cd "$build" && GOBIN="$build" GOFLAGS='' GOOS='' GOARCH='' go install -trimpath "$package@$version") >&2
  mv -f "$build/$1" "$folder/$1" # atomic: whoever builds at the same time ends with one whole binary
fi
echo "$folder/$1"
