#!/bin/sh
# Runs the image's program as a container runtime would, in the namespaces that `unshare` has made: with a root file system
# that cannot be written to, without capabilities for a user that is not root, and without ways to get any.
#
#   in-container.sh ROOT LOGS STATE HOSTS UID - ARGUMENT…
set -eu
root=$1 logs=$2 state=$3 hosts=$4 uid=$5
shift 6

# Where a runtime puts its own files, too.
mkdir -p "$root/proc" "$root/dev" "$root/var/log"
touch "$root/etc/hosts"
mount --bind "$root" "$root"
mount -t tmpfs tmpfs "$root/dev"
for device in null zero random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mount -t proc proc "$root/proc"
mount --bind "$hosts" "$root/etc/hosts"
mount --bind "$logs" "$root/var/log"
mount --bind "$state" "$root/var/lib/logcollector"
mount -o remount,bind,ro "$root/var/log"
mount -o remount,bind,ro "$root"
ip link set lo up
exec setpriv --no-new-privs unshare --root="$root" --setgid "$uid" --setuid "$uid" \
  /usr/bin/logcollector "$@"
