# shellcheck shell=bash
# Sourced after prepare.sh, in the repository's root: Node.js and this project's packages for an architecture (x64, arm64) that need
# not be this machine's. What was fetched is kept in ~/.cache/deepcod (DEEPCOD_CACHE names another place).
cache="${DEEPCOD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/deepcod}"
mkdir -p "$cache"

# The runtime that the package brings: the newest that Raspberry Pi OS has too, as npm's packages of Node.js's own binaries.
NODE_VERSION=20.20.2
declare -A NODE_INTEGRITY=(
  [x64]=sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ==
  [arm64]=sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==
)

# Prints the archive that holds Node.js of an architecture, fetched once and checked always.
node_archive() {
  local name="node-linux-$1" file part
  file="$cache/$name-$NODE_VERSION.tgz"
  if [ ! -f "$file" ]; then
    say "Fetching Node.js $NODE_VERSION ($1) ..."
    part="$(mktemp -d "$cache/.node-XXXXXX")"
    (cd "$part" && npm pack --silent "$name@$NODE_VERSION" >/dev/null 2>&1) || die "npm pack $name@$NODE_VERSION failed. Is the npm registry reachable?"
    mv "$part/$name-$NODE_VERSION.tgz" "$file" && rmdir "$part"
  fi
  [ "sha512-$(openssl dgst -sha512 -binary "$file" | base64 -w0)" = "${NODE_INTEGRITY[$1]}" ] ||
    die "$file is not what it should be. Delete it and try again."
  printf '%s\n' "$file"
}

# Prints a folder `node_modules` with the packages of package-lock.json that run on an architecture; made once for each lock file.
modules() {
  local folder part
  folder="$cache/packages-$1-$(cat package.json package-lock.json packaging/prune | sha256sum | cut -c1-16)"
  if [ ! -d "$folder" ]; then
    say "Installing packages for $1 ..."
    part="$(mktemp -d "$cache/.packages-XXXXXX")"
    cp package.json package-lock.json .npmrc "$part"
    (cd "$part" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error --os=linux --cpu="$1" --libc=glibc) >&2 ||
      die "npm ci failed. Is the npm registry reachable?"
    packaging/prune "$part/node_modules" "$1"
    chmod 755 "$part"
    # Another run may have been first.
    mv -T "$part" "$folder" 2>/dev/null || rm -rf "$part"
  fi
  printf '%s\n' "$folder/node_modules"
}
