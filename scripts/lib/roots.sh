# shellcheck shell=bash
# Sourced by scripts/test-package: roots to try the package in, and what is tried. Each function returns 0 if all was well.

# Whether roots can be made here; says why not.
can_try_package() {
  if [ "$(id -u)" != 0 ] || ! unshare --mount true 2>/dev/null || ! command -v dpkg-deb >/dev/null; then
    say "The package is not tried: that needs root and dpkg."
    return 1
  fi
}

# Runs a command in a root, with a namespace of its own for mounts: inside ROOT COMMAND...
inside() {
  local root="$1"
  shift
  # shellcheck disable=SC2016
  unshare --mount --fork --pid --kill-child sh -c '
    mount --make-rprivate / && mkdir -p "$0/proc" "$0/dev" "$0/sys" && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && mount -t sysfs -o ro sys "$0/sys" &&
    { [ ! -f "$0/tmp/cpuinfo" ] || mount --bind "$0/tmp/cpuinfo" "$0/proc/cpuinfo"; } &&
    root="$0" && exec chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"' "$root" "$@"
}

# What a user would see working: commands answer, every native module loads, an agent's pictures come back as results.
runs() {
  local root="$1"
  mkdir -p "$root/tmp/try"
  cat >"$root/tmp/try/edge.yaml" <<'EOF'
broker: { port: 21883 }
bundles: [/usr/lib/deepcod/models/onnx/worksite]
web: { port: 21880 }
history: { folder: /tmp/try/history }
inference: { measure: false, threads: 2 }
# Also where everything is emulated.
queue: { max_age_ms: 60000 }
EOF
  cat >"$root/tmp/try/agent.yaml" <<'EOF'
device: try-1
broker: { url: mqtt://127.0.0.1:21883, keepalive_s: 600 }
bundle: /usr/lib/deepcod/models/onnx/worksite
camera: { source: simulated, fps: 1 }
partition: stage1
timeout_ms: 60000
threads: 2
fallback: false
in_flight: 1
EOF
  cat >"$root/tmp/try/results.mjs" <<'EOF'
import mqtt from '/usr/lib/deepcod/node_modules/mqtt/build/index.js';
let seen = 0;
const client = mqtt.connect('mqtt://127.0.0.1:21883', { reconnectPeriod: 500 });
client.on('error', () => {});
client.subscribe('deepcod/try-1/result');
client.on('message', (topic, payload) => {
  const result = JSON.parse(payload.toString());
  console.log(result.error ? `refused: ${payload}` : `result: ${payload.length} bytes, ${result.detections.length} detections`);
  if (!result.error && ++seen === 3) process.exit(0);
});
setTimeout(() => { console.log('no three results in time'); process.exit(1); }, Number(process.argv[2]) * 1000);
EOF
  cat >"$root/tmp/try/run.sh" <<'EOF'
set -eu
emulator="$2" lib=/usr/lib/deepcod
node="$emulator $lib/bin/node"
# The emulator takes no scripts.
deepcod() { if [ -n "$emulator" ]; then $node $lib/dist/scripts/deepcod.js "$@"; else /usr/bin/deepcod "$@"; fi; }
deepcod --help
for command in $(deepcod --help | $node -e "console.log([...require('fs').readFileSync(0, 'utf8').matchAll(/^  ([a-z]+) /gm)].map((m) => m[1]).join(' '))"); do
  deepcod "$command" --help >/dev/null || { echo "deepcod $command --help failed"; exit 1; }
done
cd $lib
for module in $($node -p "Object.keys(require('./package.json').dependencies).join(' ')"); do
  $node --input-type=module -e "await import('$module')" || { echo "$module does not load"; exit 1; }
done
page() { $node -e "fetch('http://127.0.0.1:21880/').then(async (r) => { const t = await r.text(); if (!r.ok || !t.includes('<html')) throw new Error(r.status); console.log('page: ' + t.length + ' bytes'); }).catch((e) => { console.log(e); process.exit(1); })"; }
$node dist/edge/main.js --config /tmp/try/edge.yaml & edge=$!
$node dist/agent/main.js --config /tmp/try/agent.yaml & agent=$!
code=0
$node /tmp/try/results.mjs "$1" || code=1
page || code=1
kill $agent $edge
wait $agent || code=1
wait $edge || code=1
exit $code
EOF
  inside "$root" /bin/sh /tmp/try/run.sh "${2:-60}" "${emulator:-}"
}

# This machine's shell, and what the package's dependencies hold of libraries: host_programs ROOT
host_programs() {
  local root="$1" file
  for file in $(dpkg -L libc6 libstdc++6 libgcc-s1 | grep -E '^/[^ ]*\.so(\.[0-9.]+)?$' | grep -v gconv); do
    mkdir -p "$root${file%/*}" && cp -L "$file" "$root$file" || return 1
  done
  mkdir -p "$root/bin" "$root/usr/bin" "$root/tmp"
  cp -L /bin/sh "$root/bin/sh" && cp -L /usr/bin/env "$root/usr/bin/env"
}

# A root of the package and, of the rest, the C and C++ libraries that it depends on and a shell.
bare_root() {
  local root="$1" deb="$2"
  mkdir -p "$root" && dpkg-deb -x "$deb" "$root" && host_programs "$root" && runs "$root"
}

# What programs for arm64 need of a Debian: arm64_libraries FOLDER
arm64_libraries() {
  mmdebstrap --quiet --variant=extract --architectures=arm64 --include=base-files,libc6,libstdc++6,libgcc-s1 trixie "$1"
}

# /proc/cpuinfo of a Raspberry Pi 4 or 5; ONNX Runtime reads it, and crashes over another architecture's: pi_cpuinfo [5]
pi_cpuinfo() {
  local core features='fp asimd evtstrm crc32 cpuid' part=0xd08 variant=0x0 revision=3
  if [ "${1:-4}" = 5 ]; then
    features='fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp'
    part=0xd0b variant=0x4 revision=1
  fi
  for core in 0 1 2 3; do
    printf 'processor\t: %s\nBogoMIPS\t: 108.00\nFeatures\t: %s\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: %s\nCPU part\t: %s\nCPU revision\t: %s\n\n' \
      $core "$features" $variant $part $revision
  done
}

# The same for arm64: the libraries of its Debian, every program of the package under an emulator, and a Raspberry Pi's
# processor to look at (ONNX Runtime reads it). For correctness: it is some thirty times slower.
emulated_root() {
  local root="$1" deb="$2" qemu=/usr/bin/qemu-aarch64-static
  [ -x $qemu ] || { echo "qemu-user-static is not installed: the arm64 package is not run"; return 1; }
  arm64_libraries "$root" || return 1
  mkdir -p "$root/tmp" "$root/usr/bin"
  dpkg-deb -x "$deb" "$root" && host_programs "$root" && cp $qemu "$root/usr/bin/" || return 1
  pi_cpuinfo >"$root/tmp/cpuinfo"
  emulator="$qemu -cpu cortex-a72 -L /" runs "$root" 400
}

# A minimal Debian, made once and kept: cached_root SUITE ARCHITECTURE FOLDER
cached_root() {
  local archive="${DEEPCOD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/deepcod}/$1-$2.tar"
  command -v mmdebstrap >/dev/null || { echo "mmdebstrap is not installed"; return 1; }
  if [ ! -f "$archive" ]; then
    mkdir -p "${archive%/*}"
    # What every Raspberry Pi OS Lite has of what the package touches.
    mmdebstrap --quiet --format=tar --variant=minbase --architectures="$2" \
      --include=ca-certificates,gpgv,mount,systemd,systemd-sysv,libstdc++6 "$1" "$archive.part" || return 1
    mv "$archive.part" "$archive"
  fi
  mkdir -p "$3" && tar -C "$3" -xf "$archive" --exclude='./dev/*' && cp /etc/resolv.conf "$3/etc/resolv.conf"
}

debian_root() { cached_root "$1" "$(dpkg --print-architecture)" "$2"; }

apt_installs() {
  local root="$1" deb="$2"
  find "$root" -xdev \( -path "$root/tmp" -o -path "$root/proc" -o -path "$root/dev" -o -path "$root/var/lib/dpkg" -o -path "$root/var/cache" -o -path "$root/var/log" -o -path "$root/var/lib/apt" -o -path "$root/run" \) -prune -o -print | sed "s#^$root##" | sort >"$root.before"
  cp "$deb" "$root/tmp/" || return 1
  inside "$root" sh -ec "apt-get update -qq; cd /tmp; apt install -y --no-install-recommends ./${deb##*/}; id deepcod | grep video
    [ \"\$(stat -c '%U:%G %a' /etc/deepcod)\" = 'root:deepcod 750' ]
    [ -z \"\$(ls /etc/deepcod)\" ]
    ! ls /etc/systemd/system/multi-user.target.wants/deepcod-* 2>/dev/null"
}

# Another version of a package: as_version DEB VERSION FOLDER [BROKEN]
as_version() {
  local tree
  tree="$(mktemp -d)"
  dpkg-deb -R "$1" "$tree" && sed -i "s/^Version: .*/Version: $2/" "$tree/DEBIAN/control" || return 1
  if [ -n "${4:-}" ]; then printf '#!/bin/sh\necho "a package that cannot be installed" >&2\nexit 1\n' >"$tree/DEBIAN/preinst"; chmod 755 "$tree/DEBIAN/preinst"; fi
  dpkg-deb --root-owner-group -Zgzip -z1 --build "$tree" "$3/deepcod_$2_$(dpkg-deb -f "$1" Architecture).deb" >/dev/null
  local code=$?
  rm -rf "$tree"
  return $code
}

upgrades() {
  local root="$1" deb="$2" arch
  arch="$(dpkg-deb -f "$deb" Architecture)"
  mkdir -p "$root/tmp/packages" "$root/tmp/checkout/scripts"
  cp scripts/install "$root/tmp/checkout/scripts/"
  cp "$deb" "$root/tmp/packages/deepcod_first_$arch.deb"
  as_version "$deb" 9.0.0 "$root/tmp/packages" && as_version "$deb" 9.1.0 "$root/tmp/packages" broken || return 1
  cat >"$root/tmp/upgrade.sh" <<EOF
set -eu
install() { /tmp/checkout/scripts/install --yes "\$@"; }
version() { dpkg-query -W -f '\${Version}' deepcod; }
first="\$(version)"
cd /tmp/packages
install --package deepcod_first_$arch.deb
install --package deepcod_first_$arch.deb 2>&1 | grep 'installed already'
printf 'device: mine # changed by hand\n' >/etc/deepcod/agent.yaml
sha256sum deepcod_9.0.0_$arch.deb >deepcod_9.0.0_$arch.deb.sha256
install --package deepcod_9.0.0_$arch.deb
[ "\$(version)" = 9.0.0 ]
grep 'changed by hand' /etc/deepcod/agent.yaml
if install --package deepcod_9.1.0_$arch.deb; then echo 'a broken package was installed'; exit 1; fi
[ "\$(version)" = 9.0.0 ]
deepcod --help >/dev/null
install --rollback
[ "\$(version)" = "\$first" ]
install --rollback
[ "\$(version)" = 9.0.0 ]
echo x >>deepcod_9.0.0_$arch.deb
if install --package deepcod_9.0.0_$arch.deb; then echo 'a damaged package was installed'; exit 1; fi
grep 'changed by hand' /etc/deepcod/agent.yaml
EOF
  # The program that checks and installs needs bash; a minimal Debian has it.
  inside "$root" sh /tmp/upgrade.sh
}

leaves() {
  local root="$1"
  mkdir -p "$root/var/lib/deepcod/results"
  inside "$root" sh -ec 'apt-get remove -y deepcod; [ ! -e /usr/lib/deepcod ]; [ ! -e /usr/bin/deepcod ]
    grep "changed by hand" /etc/deepcod/agent.yaml; [ -d /var/lib/deepcod/results ]
    bash /tmp/checkout/scripts/install --yes --uninstall --purge; ! dpkg-query -W deepcod 2>/dev/null' || return 1
  find "$root" -xdev \( -path "$root/tmp" -o -path "$root/proc" -o -path "$root/dev" -o -path "$root/var/lib/dpkg" -o -path "$root/var/cache" -o -path "$root/var/log" -o -path "$root/var/lib/apt" -o -path "$root/run" \) -prune -o -print | sed "s#^$root##" | sort >"$root.after"
  # The user's entries stay (Debian's policy), and backups of the user data base.
  diff "$root.before" "$root.after" | grep '^[<>]' | grep -vE '^> /etc/(passwd|group|shadow|gshadow)-$' && return 1
  return 0
}

same_bytes() {
  packaging/build --arch "$(dpkg --print-architecture)" --out "$1/b" || return 1
  cmp "$1/a/deepcod_${version:?}_$(dpkg --print-architecture).deb" "$1/b/deepcod_${version}_$(dpkg --print-architecture).deb"
}

lint() {
  command -v lintian >/dev/null || { echo "lintian is not installed"; return 1; }
  lintian --fail-on error --allow-root "$@"
}

schemas() {
  local root="$1" debs="$2"
  echo 'correct horse' >"$root/tmp/password"
  node dist/scripts/deepcod.js provision line-01 --site "$root/tmp/site" --broker mqtts://edge.local:8883 --out "$root/tmp/cards" \
    --package "$debs"/deepcod_*_arm64.deb --wifi 'Yard "7"' --wifi-password-file "$root/tmp/password" --wifi-country DE || return 1
  inside "$root" sh -ec 'apt-get install -y -qq --no-install-recommends cloud-init netplan.io network-manager >/dev/null
    cd /tmp/cards/line-01
    cloud-init schema --config-file user-data
    cloud-init schema --schema-type network-config --config-file network-config
    sed s/password:/passwrd:/ network-config >/tmp/wrong
    ! cloud-init schema --schema-type network-config --config-file /tmp/wrong'
}
