#!/usr/bin/env bash
# Makes a Debian root for trying the package and its units: minimal, with systemd, and with this machine's Node.js where the
# suite has none that is new enough. Unpacked once and kept as an archive; each use gets a fresh copy.
#
#   packaging/test-root.sh FOLDER [SUITE] [ARCHITECTURE]
#
#   FOLDER         made; must not exist
#   SUITE          bookworm (default) or trixie
#   ARCHITECTURE   amd64 (default: this machine's) or arm64
#
# Boot it:    systemd-nspawn --boot --directory=FOLDER
# The archives lie in ~/.cache/deepcod/roots (DEEPCOD_ROOTS names another place). Needs root, mmdebstrap, and a Debian mirror.
# Exit codes: 0 made, 1 failed, 2 usage.
set -euo pipefail

usage() { sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; }

case "${1:-}" in
  --help) usage; exit 0 ;;
  '' | -*) usage >&2; exit 2 ;;
esac
folder="$1" suite="${2:-bookworm}" arch="${3:-$(dpkg --print-architecture)}"
[ ! -e "$folder" ] || { echo "$folder: exists already" >&2; exit 2; }
[ "$(id -u)" = 0 ] || { echo "Only root can make a Debian root." >&2; exit 2; }

archives="${DEEPCOD_ROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/deepcod/roots}"
# What a Raspberry Pi OS Lite has, as far as the package, its units and the first boot meet it.
packages=systemd,systemd-sysv,dbus,udev,ca-certificates,iproute2,procps,libstdc++6,sudo
[ "$suite" = bookworm ] || packages+=,cloud-init
archive="$archives/$suite-$arch-$(cksum <<<"$packages" | cut -d ' ' -f 1).tar"

if [ ! -f "$archive" ]; then
  mkdir -p "$archives"
  echo "Unpacking Debian $suite ($arch) ..." >&2
  mmdebstrap --quiet --format=tar --variant=minbase --architectures="$arch" --include="$packages" \
    --aptopt='APT::Install-Recommends "false"' "$suite" "$archive.part"
  mv "$archive.part" "$archive"
fi

mkdir -p "$folder"
tar -C "$folder" -xf "$archive" --exclude='./dev/*'
# Nothing here waits for a console or a network that no container has.
ln -sf /dev/null "$folder/etc/systemd/system/systemd-networkd-wait-online.service"
echo deepcod-test >"$folder/etc/hostname"

# Debian 12 has Node.js 18, Raspberry Pi OS 20: this machine's own program runs in a root of its architecture.
if [ "$suite" = bookworm ] && [ "$arch" = "$(dpkg --print-architecture)" ]; then
  install -D -m 755 "$(readlink -f "$(command -v node)")" "$folder/usr/bin/node"
fi
echo "$folder: Debian $suite ($arch)" >&2
