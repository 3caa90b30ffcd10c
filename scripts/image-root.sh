#!/usr/bin/env bash
# Makes the image's file system, but for the C library: image-root.sh ARCHITECTURE BINARY FOLDER, from the Dockerfile.
# ARCHITECTURE is amd64 or arm64. Without a BINARY it is compiled.
set -euo pipefail

architecture=$1
binary=$2
root=$3

case $architecture in
  amd64) platform=linux-x64 ;;
  arm64) platform=linux-arm64 ;;
  *)
    echo "Cannot make an image for $architecture: expected amd64 or arm64" >&2
    exit 1
    ;;
esac

state=var/lib/logcollector
mkdir -p "$root"/{etc/logcollector/plugins,etc/ssl/certs,usr/bin,usr/lib,usr/share/doc/logcollector,$state}
# The loader's name says where it is: /lib64 on amd64, /lib on arm64.
ln -s usr/lib "$root/lib"
ln -s usr/lib "$root/lib64"

if [ -z "$binary" ]; then
  binary=dist/logcollector-$platform-compact
  node_modules/.bin/bun scripts/build.ts --compact --platform "$platform" --outfile "$binary"
fi
install -m 0755 "$binary" "$root/usr/bin/logcollector"
install -m 0644 config/image/logcollector.yaml "$root/etc/logcollector/logcollector.yaml"
install -m 0644 LICENSE "$root/usr/share/doc/logcollector/copyright"

# The authorities that Node knows, which are Mozilla's. The collector has its own; this is for Go plugins.
node -p 'require("node:tls").rootCertificates.join("\n")' >"$root/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/%s:/sbin/nologin\n' $state >"$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"
# Go plugins ask it where names are looked up first.
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
chmod 0644 "$root"/etc/{passwd,group,nsswitch.conf,ssl/certs/ca-certificates.crt}
chown 65532:65532 "$root/$state"
chmod 0755 "$root/$state"
