#!/usr/bin/env bash
# Installs the collector as a systemd service, or takes it away again. May be run again at any time: it brings what is
# there up to date, and leaves the configuration and the state alone.
set -euo pipefail

usage() {
  cat <<'END'
scripts/install.sh [--root DIR] [--prefix DIR] [--binary FILE] [--no-start]
scripts/install.sh --uninstall [--root DIR] [--prefix DIR]
scripts/install.sh --purge     [--root DIR] [--prefix DIR]

  --root DIR     installs into the tree of another machine, such as an image; DESTDIR does the same
  --prefix DIR   where the program goes; /usr/local by default
  --binary FILE  the executable; dist/logcollector by default
  --no-start     does not start the service, and does not have it started with the machine
  --uninstall    takes the program and the service away; configuration, state and user stay
  --purge        takes these away too
END
}

die() {
  echo "install.sh: $*" >&2
  exit 1
}

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=${DESTDIR:-}
prefix=/usr/local
binary=$source/dist/logcollector
task=install
starts=yes
while [ $# -gt 0 ]; do
  case $1 in
    --root | --prefix | --binary)
      [ $# -ge 2 ] || die "$1 needs a value"
      case $1 in
        --root) root=$2 ;;
        --prefix) prefix=$2 ;;
        --binary) binary=$2 ;;
      esac
      shift
      ;;
    --no-start) starts=no ;;
    --uninstall) task=uninstall ;;
    --purge) task=purge ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "unknown option $1" ;;
  esac
  shift
done
case $prefix in /*) ;; *) die "--prefix must be an absolute path, got \"$prefix\"" ;; esac
if [ -n "$root" ]; then
  [ -d "$root" ] || die "cannot install into $root: it is not a folder"
  root=$(cd "$root" && pwd)
  [ "$root" != / ] || root=
fi

program=$prefix/bin/logcollector
# systemd looks for units in these places alone.
case $prefix in
  /usr | /usr/local) units=$prefix/lib ;;
  *) units=/etc ;;
esac
unit=$units/systemd/system/logcollector.service
sysusers=$units/sysusers.d/logcollector.conf
config=/etc/logcollector/logcollector.yaml
state=/var/lib/logcollector
why="the reason is in: journalctl -u logcollector -n 30"

# This machine's own service manager is at work, and it is this machine that is meant.
is_live() { [ -z "$root" ] && [ -d /run/systemd/system ]; }

# systemctl of the tree that is meant; without a service manager it only makes and removes links.
units() { systemctl ${root:+--root="$root"} --quiet "$@"; }

# Puts a file in place at once: a program that runs can be replaced, and nobody sees a half of it.
put() {
  local mode=$1 from=$2 to=$root$3
  if cmp -s "$from" "$to" && [ "$(stat -c %a "$to")" = "${mode#0}" ]; then return; fi
  install -D -m "$mode" "$from" "$to.new"
  mv -f "$to.new" "$to"
  changed=yes
  echo "Installed $to"
}

take_away() {
  [ -e "$root$1" ] || return 0
  rm -rf -- "$root$1"
  echo "Removed $root$1"
}

has_user() { grep -q "^logcollector:" "$root/etc/passwd" 2>/dev/null; }

make_user() {
  has_user && return
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers ${root:+--root="$root"} "$source/config/systemd/logcollector.sysusers" || true
  elif command -v useradd >/dev/null; then
    for group in adm systemd-journal; do
      groupadd ${root:+--prefix "$root"} --system --force "$group"
    done
    useradd ${root:+--prefix "$root"} --system --user-group --home-dir "$state" --no-create-home \
      --shell /usr/sbin/nologin --comment "Log collector" logcollector
  fi
  if has_user; then
    echo "Made the user logcollector"
  elif [ -n "$root" ]; then
    echo "The user logcollector will be made at the machine's next start, from $sysusers"
  else
    die "cannot make the user logcollector: there is neither systemd-sysusers nor useradd"
  fi
}

remove_user() {
  has_user || return 0
  userdel ${root:+--prefix "$root"} logcollector
  echo "Removed the user logcollector"
}

install_service() {
  [ -x "$binary" ] || die "cannot install $binary: it is not there; run \"npm run build\", or give --binary"
  if [ -z "$root" ] && [ -n "$(command -v dpkg-query)" ] &&
    dpkg-query -W -f '${db:Status-Status}' logcollector 2>/dev/null | grep -qx installed; then
    die "the package logcollector is installed: update it with dpkg or apt, or remove it before"
  fi
  adapted=$(mktemp)
  trap 'rm -f "$adapted"' EXIT
  sed "s|^ExecStart=/usr/bin/logcollector|ExecStart=$program|; s|file:/usr/share/doc/logcollector/service.md|file:$prefix/share/doc/logcollector/service.md|" \
    "$source/config/systemd/logcollector.service" >"$adapted"

  local is_new=yes
  [ ! -e "$root$unit" ] || is_new=no
  changed=no
  put 0755 "$binary" "$program"
  put 0644 "$adapted" "$unit"
  put 0644 "$source/config/systemd/logcollector.sysusers" "$sysusers"
  put 0644 "$source/docs/service.md" "$prefix/share/doc/logcollector/service.md"
  if [ -e "$root$config" ]; then
    echo "Kept $root$config"
  else
    put 0644 "$source/config/systemd/logcollector.yaml" "$config"
  fi
  make_user

  if is_live; then units daemon-reload; fi
  if [ "$is_new" = no ]; then
    # An update: what was stopped or disabled meanwhile stays so.
    if is_live && [ "$changed" = yes ]; then
      units try-restart logcollector.service || die "the service does not restart; $why"
    fi
    echo "The service is up to date."
  elif [ "$starts" = no ]; then
    echo "Not started. When the configuration is as you want it: systemctl enable --now logcollector"
  else
    units enable logcollector.service
    if is_live; then
      units start logcollector.service || die "the service does not start; $why"
      echo "The service runs. What it does: systemctl status logcollector"
    else
      echo "The service starts with the machine."
    fi
    echo "Say in $root$config where the logs are to go, and then: systemctl reload logcollector"
  fi
}

uninstall_service() {
  if is_live; then units stop logcollector.service 2>/dev/null || true; fi
  units disable logcollector.service 2>/dev/null || true
  take_away "$program"
  take_away "$unit"
  take_away "$sysusers"
  take_away "$prefix/share/doc/logcollector"
  if is_live; then
    units daemon-reload
    units reset-failed logcollector.service 2>/dev/null || true
  fi
}

if [ -z "$root" ] && [ "$(id -u)" -ne 0 ]; then die "it takes root; or give --root"; fi
command -v systemctl >/dev/null || die "there is no systemctl here: the service needs systemd"
case $task in
  install) install_service ;;
  uninstall)
    uninstall_service
    echo "Kept $root$(dirname "$config"), $root$state and the user logcollector; --purge takes them away"
    ;;
  purge)
    uninstall_service
    take_away "$(dirname "$config")"
    take_away "$state"
    remove_user
    ;;
esac
