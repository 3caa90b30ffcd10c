#!/usr/bin/env bash
# A folder with a musl C library, which the tests of the release start the executable for musl in. Debian's stable musl is
# too old for the C++ library that goes with it (relative relocations came with 1.2.4), so a newer suite's is unpacked, not
# installed; the C++ library is one that a Python package for musl brings. Without them that test is skipped, so this
# never fails.
set -uo pipefail
cd "$(dirname "$0")/.."

folder=node_modules/.cache/musl-root
suite=trixie
wheel=kiwisolver==1.4.7
[ -e "$folder/usr/lib/libstdc++.so.6" ] && exit 0
[ "$(uname -m)" = x86_64 ] || exit 0

give_up() {
  echo "Cannot get musl here: $1. The test of the executable for musl will be skipped." >&2
  exit 0
}
command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ] || give_up "it takes root and apt-get"
if ! python3 -m pip --version >/dev/null 2>&1; then
  apt-get install -qq -y --no-install-recommends python3-pip >&2 || give_up "python3-pip cannot be installed"
fi
site=$(apt-get indextargets --format '$(SITE) $(COMPONENT)' | sed -n 's|^\(.*/debian\) main$|\1|p' | head -n 1)
[ -n "$site" ] || give_up "no Debian mirror is known"

echo "Fetching musl …" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,root/lib,root/usr/lib}
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $site $suite main" >"$work/sources.list"
apt() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@" >&2
}
cd "$work" || exit 0
apt update && apt download musl || give_up "Debian's package cannot be had"
dpkg-deb -x musl_*.deb musl || give_up "Debian's package cannot be unpacked"
python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --python-version 3.11 \
  --platform musllinux_1_2_x86_64 "$wheel" >&2 || give_up "$wheel cannot be had"
python3 -m zipfile -e ./*.whl wheel || give_up "$wheel cannot be unpacked"
cp musl/usr/lib/x86_64-linux-musl/libc.so root/lib/ld-musl-x86_64.so.1 || give_up "it has another layout"
ln -s /lib/ld-musl-x86_64.so.1 root/usr/lib/libc.musl-x86_64.so.1
cp wheel/*.libs/libgcc_s-* root/usr/lib/ || give_up "$wheel has another layout"
cp wheel/*.libs/libstdc++-* root/usr/lib/libstdc++.so.6 || give_up "$wheel has another layout"
cd "$OLDPWD" || exit 0
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
mv "$work/root" "$folder"
