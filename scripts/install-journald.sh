#!/usr/bin/env bash
# A real journald, journalctl and systemd-journal-remote, and the packers of older journals: what the tests of the
# journal reader compare it to; and what the tests of the service boot a machine with. Without them those tests are
# skipped, so this never fails.
set -uo pipefail

missing=()
for program in systemd systemd-journald; do [ -x "/lib/systemd/$program" ] || missing+=(systemd); done
command -v journalctl >/dev/null && command -v systemd-analyze >/dev/null || missing+=(systemd)
[ -x /lib/systemd/systemd-journal-remote ] || missing+=(systemd-journal-remote)
command -v ip >/dev/null || missing+=(iproute2)
command -v xz >/dev/null || missing+=(xz-utils)
command -v lz4 >/dev/null || missing+=(lz4)
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "Cannot install ${missing[*]} here: it takes root and apt-get. The tests of the journal reader and of the service will be skipped." >&2
  exit 0
fi
echo "Installing ${missing[*]} …" >&2
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >&2; then
  echo "Cannot install ${missing[*]}. The tests of the journal reader and of the service will be skipped." >&2
fi
