#!/usr/bin/env bash
# What the tests of the container image and of the release take: buildah and debootstrap, which build the image without
# an engine and without a registry; qemu and another architecture's C library, which start the executable for arm64.
# Without them those tests are skipped, so this never fails.
set -uo pipefail

missing=()
command -v buildah >/dev/null || missing+=(buildah)
command -v debootstrap >/dev/null || missing+=(debootstrap)
command -v ip >/dev/null || missing+=(iproute2)
command -v zstd >/dev/null || missing+=(zstd)
command -v nsenter >/dev/null || missing+=(util-linux)
if [ "$(uname -m)" != aarch64 ]; then
  command -v qemu-aarch64-static >/dev/null || missing+=(qemu-user-static)
  [ -e /usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1 ] || missing+=(libc6-arm64-cross)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "Cannot install ${missing[*]} here: it takes root and apt-get. The tests of the image and of the release will be skipped." >&2
  exit 0
fi
echo "Installing ${missing[*]} …" >&2
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >&2; then
  echo "Cannot install ${missing[*]}. The tests of the image and of the release will be skipped." >&2
fi
