#!/usr/bin/env bash
# Go and a C compiler, which only the tests of Fluent Bit's Go plugins need. Without them those tests are skipped,
# so this never fails.
set -uo pipefail

has_go() { command -v go >/dev/null || [ -x /usr/local/go/bin/go ]; }
if has_go && command -v gcc >/dev/null; then exit 0; fi

if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "Cannot install Go here: it takes root and apt-get. The tests of Go plugins will be skipped." >&2
  exit 0
fi
missing=()
has_go || missing+=(golang-go)
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
echo "Installing ${missing[*]} …" >&2
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >&2; then
  echo "Cannot install ${missing[*]}. The tests of Go plugins will be skipped." >&2
fi
