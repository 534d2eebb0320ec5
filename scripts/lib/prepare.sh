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
  if [ ! -f "$stamp" ] || [ -n "$(find agent client edge protocol platform scripts bench test package.json tsconfig.json \
    -newer "$stamp" \( -name '*.ts' -o -name '*.json' \) -print -quit 2>/dev/null)" ]; then
    say "Building ..."
    node node_modules/typescript/bin/tsc -p tsconfig.json >&2 || die "The build failed."
    touch "$stamp"
  fi
}

# Installs Debian's packages, as root; false where that cannot be.
debian() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  say "Installing $* ..."
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null 2>&1
}

# mosquitto, for the tests against a real broker. Without it they are skipped, and say so.
need_mosquitto() {
  command -v mosquitto >/dev/null || [ -x /usr/sbin/mosquitto ] && return
  debian mosquitto && return
  say "mosquitto is not installed: the tests that need it are skipped."
}

# ffmpeg, for the tests of videos and network cameras. Without it they are skipped, and say so.
need_ffmpeg() {
  command -v ffmpeg >/dev/null && return
  debian ffmpeg && return
  say "ffmpeg is not installed: the tests that need it are skipped."
}

# nginx, for the test of deploy/proxy/nginx.conf. Without it that is skipped, and says so.
need_nginx() {
  command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] && return
  debian nginx-light && return
  say "nginx is not installed: the test that needs it is skipped."
}

# PostgreSQL's server programs, for the tests of the history in it: they start one of their own on loopback. Without them
# those tests say so.
need_postgres() {
  ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 && return
  debian postgresql && return
  say "PostgreSQL is not installed: the tests that need it are skipped."
}

# Whether ARM can be tried: on x86-64, with its emulator and what unpacks a Debian for it. Says why not.
can_try_arm() {
  local missing=()
  if [ "$(uname -m)" != x86_64 ]; then
    say "ARM is not emulated: this machine is no x86-64."
    return 1
  fi
  command -v qemu-aarch64-static >/dev/null || missing+=(qemu-user-static)
  command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
  [ "${#missing[@]}" = 0 ] && return
  debian "${missing[@]}" && return
  say "ARM is not tried: ${missing[*]} cannot be had here."
  return 1
}

# chromium, for the tests of the page in a real browser. Without it they are skipped, and say so.
need_chromium() {
  [ -x /usr/bin/chromium ] || [ -x /usr/bin/chromium-browser ] && return
  debian chromium fonts-dejavu-core && return
  say "chromium is not installed: the tests that need it are skipped."
}

# The toolkit's Python: VENV if set, else .venv with exactly training/requirements.txt. Sets PYTHON.
need_python() {
  if [ -n "${VENV:-}" ]; then
    PYTHON="$VENV/bin/python"
    [ -x "$PYTHON" ] || die "VENV=$VENV: there is no bin/python in it."
    return
  fi
  PYTHON=.venv/bin/python
  local wanted stamp=.venv/.requirements
  wanted="$(sha256sum training/requirements.txt)"
  [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return
  say "Making the Python environment .venv (a few minutes the first time) ..."
  local python
  for python in python3.13 python3.12 python3.11 python3; do
    command -v "$python" >/dev/null && "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break
    python=
  done
  [ -n "$python" ] || die "Python 3.11, 3.12 or 3.13 is missing: on Debian 'sudo apt install python3 python3-venv'."
  if ! "$python" -c 'import ensurepip' 2>/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; } >/dev/null 2>&1
  fi
  "$python" -m venv .venv >&2 || die "python -m venv failed: on Debian 'sudo apt install python3-venv'."
  # torch for the processor is a tenth of the size of the one for GPUs; its index is used where it can be reached.
  local index=https://download.pytorch.org/whl/cpu/ extra=()
  if command -v curl >/dev/null && curl -sfI --max-time 10 "$index" >/dev/null; then extra=(--extra-index-url "$index"); fi
  .venv/bin/pip install -qq "${extra[@]}" -r training/requirements.txt >&2 || die "pip install failed."
  printf '%s\n' "$wanted" >"$stamp"
}
