# Sourced by the scripts beside this folder, in the repository's root: what must be there before anything runs.
# Everything is said on standard error; standard output belongs to the command.
ROOT="$PWD"

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 2; }

# Node 20.15 or newer.
need_node() {
  command -v node >/dev/null || die "Node.js is missing. Install version 20, 22 or 24: on Debian and Raspberry Pi OS 'sudo apt install nodejs npm'."
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 15) ? 0 : 1)' ||
    die "Node.js $(node -v) is too old: version 20.15 or newer is needed."
  command -v npm >/dev/null || die "npm is missing: on Debian and Raspberry Pi OS 'sudo apt install npm'."
}

# The packages of package-lock.json, exactly; nothing is done when they are there.
need_packages() {
  if [ ! -f node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say "Installing packages (npm ci) ..."
    npm ci --no-audit --no-fund --loglevel=error >&2 || die "npm ci failed. Is the npm registry reachable?"
    touch node_modules/.package-lock.json
  fi
}

# dist/ from the TypeScript sources; nothing is done when no source is newer.
need_build() {
  local stamp=dist/.built
  if [ ! -f "$stamp" ] || [ -n "$(find agent edge protocol platform scripts bench test package.json tsconfig.json \
    -newer "$stamp" \( -name '*.ts' -o -name '*.json' \) -print -quit 2>/dev/null)" ]; then
    say "Building ..."
    node node_modules/typescript/bin/tsc -p tsconfig.json >&2 || die "The build failed."
    touch "$stamp"
  fi
}
