# shellcheck shell=bash
# Sourced by scripts/test-systemd: a Debian root under a systemd of its own (systemd-nspawn), and what is tried in it. Each
# function returns 0 if all was well.
container_pid=''
init_pid=''
# cmdline.txt of a card that was never started.
fresh_line='console=tty1 root=PARTUUID=4e639091-02 rootfstype=ext4 rootwait quiet'

# Whether a systemd can be started here; says why not.
can_boot() {
  local missing=()
  if [ "$(id -u)" != 0 ] || ! unshare --mount true 2>/dev/null; then
    say "The units are not tried: that needs root."
    return 1
  fi
  command -v systemd-nspawn >/dev/null || missing+=(systemd-container)
  command -v mmdebstrap >/dev/null || missing+=(mmdebstrap)
  if [ "${#missing[@]}" != 0 ] && ! debian "${missing[@]}"; then
    say "The units are not tried: ${missing[*]} cannot be had here."
    return 1
  fi
  if ! grep -q ' cgroup2 ' /proc/self/mountinfo; then
    say "The units are not tried: this kernel has no control groups of version 2."
    return 1
  fi
}

# Starts a root, and waits until it has started: boot ROOT
boot() { switch_on "$1" && within 120 settled; }

# Starts a root: switch_on ROOT [WORD OF THE KERNEL'S LINE...]. Without a network: what is in there meets at its own loopback.
switch_on() {
  # Not known to this machine's own systemd, where there is one. CAP_BPF: the units' lists of devices are programs in the kernel.
  # shellcheck disable=SC2016
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 setsid unshare --mount sh -c '
    mkdir -p /run/systemd/nspawn && mount -t tmpfs none /run/systemd/nspawn &&
    exec systemd-nspawn --quiet --register=no --keep-unit --boot --private-network --console=pipe --link-journal=no \
      --capability=CAP_BPF --system-call-filter=bpf --directory="$0" "$@"' "$@" </dev/null &
  container_pid=$!
  within 60 started
}

# Ends it as power that fails does, but for what the disk had not got yet.
lose_power() {
  kill -KILL "$init_pid"
  ended 30
}

started() {
  init_pid="$(pgrep -P "$container_pid" -x systemd)" && guest test -S /run/systemd/private
}
settled() { [[ "$(guest systemctl is-system-running)" =~ ^(running|degraded)$ ]]; }

# A command in there, as root.
guest() { nsenter --target "$init_pid" --mount --uts --ipc --net --pid --cgroup --root --wd "$@"; }

# Ends it, as a machine is switched off; what does not end is killed.
halt() {
  [ -n "$container_pid" ] || return 0
  kill -TERM "$container_pid" 2>/dev/null
  ended 30 || { kill -TERM "$container_pid"; sleep 1; kill -KILL "$container_pid"; ended 5; } 2>/dev/null
}
# The container has come to its end, within SECONDS, and is forgotten: ended SECONDS
ended() {
  within "$1" gone || return 1
  wait "$container_pid" 2>/dev/null
  container_pid=''
}
gone() { ! kill -0 "$container_pid" 2>/dev/null; }

# Until a command succeeds: within SECONDS COMMAND...
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    if [ $SECONDS -ge $end ]; then
      echo "not in time: $*"
      return 1
    fi
    sleep 0.2
  done
}

prop() { guest systemctl show --property "$2" --value "deepcod-$1"; }
main_pid() { prop "$1" MainPID; }
is_active() { [ "$(guest systemctl is-active "deepcod-$1")" = active ]; }
journal() { guest journalctl --quiet --no-pager --output cat --unit "deepcod-$1"; }

# Whether a service runs again, as another process: renewed agent OLD_PID
renewed() {
  local pid
  # Right after its death the unit is still active for a moment, and has no process.
  pid="$(main_pid "$1")"
  [[ "$pid" != 0 && "$pid" != "$2" ]] && is_active "$1"
}

# Settings for a unit, until they are taken away: drop_in agent NAME LINE...
drop_in() {
  local file="/run/systemd/system/deepcod-$1.service.d/$2.conf"
  guest mkdir -p "${file%/*}"
  printf '%s\n' '[Service]' "${@:3}" | guest tee "$file" >/dev/null
  guest systemctl daemon-reload
}
no_drop_in() { guest rm -f "/run/systemd/system/deepcod-$1.service.d/$2.conf" && guest systemctl daemon-reload; }

# Node.js of the package, for a program on standard input.
guest_node() { guest /usr/lib/deepcod/bin/node --input-type=module - "$@"; }

# The camera as the edge sees it: camera EXPRESSION prints it.
camera() {
  guest_node "$1" <<'JS'
const answer = await fetch('http://127.0.0.1:8080/api/v1/cameras/line-01').then((r) => r.json()).catch(() => ({}));
console.log(new Function('camera', `return ${process.argv[2]}`)(answer) ?? '');
JS
}

# --- What is tried ----------------------------------------------------------------------------------------------------

# A root as a provisioned card makes it, before it is switched on for the first time: provisioned ROOT SUITE DEB
provisioned() {
  local root="$1" suite="$2" deb="$3" site="$1.site"
  packaging/test-root.sh "$root" "$suite" || return 1
  # A card brings the package for a Raspberry Pi; this one gets that of this machine by the same name.
  mkdir -p "$site" && cp "$deb" "$site/deepcod_${version:?}_arm64.deb"
  printf '%s\n' 'camera: { source: simulated, fps: 2 }' 'threads: 1' >"$site/agent.yaml"
  mkdir -p "$root/boot/firmware" && echo "$fresh_line" >"$root/boot/firmware/cmdline.txt" || return 1
  node dist/scripts/deepcod.js provision line-01 --site "$site/ca" --broker mqtts://localhost:8883 --os "$suite" \
    --agent "$site/agent.yaml" --package "$site/deepcod_${version}_arm64.deb" --boot "$root/boot/firmware" || return 1
  # A card's FAT knows no modes: all can be run.
  chmod -R 755 "$root/boot/firmware"
  # As Debian's installer and Raspberry Pi OS have it.
  printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
  # Where Raspberry Pi OS has cloud-init look.
  if [ -d "$root/etc/cloud" ]; then
    printf '%s\n' 'datasource_list: [NoCloud]' 'datasource: { NoCloud: { seedfrom: "file:///boot/firmware/" } }' \
      >"$root/etc/cloud/cloud.cfg.d/99_raspberry-pi.cfg"
  else
    useradd --root "$root" --create-home --shell /bin/bash pi || return 1
  fi
  # The edge of the same site: the broker in its process, and the page.
  node dist/scripts/deepcod.js broker embedded --site "$site/ca" --out "$root/etc/deepcod/broker" --host localhost \
    --folder /etc/deepcod/broker || return 1
  { cat "$root/etc/deepcod/broker/broker.yaml"
    echo 'bundles: [/usr/lib/deepcod/models/onnx/worksite]'
    echo 'inference: { measure: false, threads: 1 }'; } >"$root/etc/deepcod/edge.yaml.later"
}

# What the kernel's line asks for before the first normal start (bookworm): asked_for ROOT
asked_for() {
  local line="$1/boot/firmware/cmdline.txt" words
  read -r -a words < <(grep -o 'systemd\.[^ ]*' "$line" | sed 's/=reboot$/=poweroff/' | tr '\n' ' ')
  [ "${#words[@]}" = 3 ] || { cat "$line"; return 1; }
  switch_on "$1" "${words[@]}" && ended 120 || return 1
  cat "$1/boot/firmware/deepcod/first-boot.log"
  [ "$(cat "$line")" = "$fresh_line" ] && [ ! -e "$1/boot/firmware/firstrun.sh" ]
}

# Switched off in the midst of the first boot, at random moments: interrupted ROOT TIMES
interrupted() {
  local time after
  for ((time = 1; time <= $2; time++)); do
    switch_on "$1" || return 1
    after=$((RANDOM % 4)).$((RANDOM % 10))
    sleep "$after"
    echo "by $after s: $(tail -n 1 "$1/boot/firmware/deepcod/first-boot.log" 2>/dev/null || echo 'not begun')"
    lose_power || return 1
  done
}

# Name and user are those of the card; nobody can log in with a password.
named() {
  guest hostname && guest passwd --status pi && [ "$(guest hostname)" = line-01 ] && guest passwd --status pi | grep -q '^pi L'
}

first_boot() {
  if ! within 300 is_active agent || [ "$(guest systemctl is-enabled deepcod-first-boot)" != disabled ]; then
    guest journalctl --no-pager --unit deepcod-first-boot --unit deepcod-agent
    return 1
  fi
  # Keys do not stay on a partition that every card reader shows.
  ! guest test -e /boot/firmware/deepcod/device.key && guest stat -c '%U:%G %a %n' /etc/deepcod/device.key | grep 'root:deepcod 640'
}

edge_starts() {
  guest sh -ec 'chgrp -R deepcod /etc/deepcod/broker; chmod 640 /etc/deepcod/broker/server.key; chmod 750 /etc/deepcod/broker
    mv /etc/deepcod/edge.yaml.later /etc/deepcod/edge.yaml; systemctl enable --now deepcod-edge' && is_active edge
}

# Over TLS, with its own certificate, and its results come back.
connected() { [ "$(camera 'camera.state')" = online ]; }
connects() { within 60 connected || { journal agent; journal edge; return 1; }; }

notified() {
  local part code=0
  for part in agent edge; do
    guest systemctl show --property Type,ActiveState,SubState,StatusText,NRestarts,WatchdogUSec "deepcod-$part"
    [ "$(prop "$part" Type)" = notify ] && is_active "$part" || code=1
    [ "$(prop "$part" NRestarts)" = 0 ] && [ "$(prop "$part" WatchdogUSec)" = 1min ] || code=1
    # Started is said by READY=1 alone: with this type nothing else makes it active.
    journal_has "$part" '^Started ' || code=1
  done
  [[ "$(prop agent StatusText)" = line-01:* ]] || code=1
  return $code
}

# What the kernel says of the process, not what the unit asks for.
confined() {
  local part status code=0 uid
  uid="$(guest id -u deepcod)"
  for part in agent edge; do
    status="$(guest cat "/proc/$(main_pid "$part")/status")"
    grep -E '^(Uid|Gid|Groups|CapBnd|CapEff|NoNewPrivs|Seccomp):' <<<"$status"
    grep -qE "^Uid:\s+$uid\s+$uid\s+$uid\s+$uid$" <<<"$status" && grep -qE '^CapBnd:\s+0+$' <<<"$status" &&
      grep -qE '^NoNewPrivs:\s+1$' <<<"$status" && grep -qE '^Seccomp:\s+2$' <<<"$status" || code=1
    # A user namespace of its own: nobody but root and itself exists there.
    ! guest cmp -s /proc/1/uid_map "/proc/$(main_pid "$part")/uid_map" || code=1
  done
  return $code
}

# Camera nodes can be opened inside the unit's own sandbox, others cannot. No driver is behind them here: ENXIO, not EPERM.
opens_cameras() {
  # shellcheck disable=SC2016
  guest sh -ec '
    { cat /proc/devices; grep -q video4linux /proc/devices || echo " 81 video4linux"; } | sed "/^$/,\$d" >/run/devices
    grep -q video4linux /run/devices || echo " 81 video4linux" >>/run/devices
    mount --bind /run/devices /proc/devices
    mknod /dev/video0 c 81 0; chgrp video /dev/video0; chmod 660 /dev/video0
    mknod /dev/video1 c 81 1; chmod 600 /dev/video1
    mknod /dev/secret c 10 229; chmod 666 /dev/secret'
  guest tee /opt/open.mjs >/dev/null <<'JS'
import { openSync, writeFileSync } from 'node:fs';
const tried = (path) => { try { openSync(path, 'r+'); return 'opened'; } catch (error) { return error.code; } };
writeFileSync('/var/lib/deepcod/opened', ['/dev/video0', '/dev/video1', '/dev/secret'].map(tried).join(' '));
JS
  drop_in agent open 'ExecStartPre=/usr/lib/deepcod/bin/node /opt/open.mjs'
  guest systemctl restart deepcod-agent
  local code=$? seen
  no_drop_in agent open
  seen="$(guest cat /var/lib/deepcod/opened)"
  echo "group video, root's alone, not in the unit's list: $seen"
  guest rm -f /var/lib/deepcod/opened
  [ $code = 0 ] && [ "$seen" = 'ENXIO EACCES EPERM' ]
}

reloads() {
  local pid
  pid="$(main_pid agent)"
  guest sh -ec 'echo "log: { level: debug }" >>/etc/deepcod/agent.yaml; systemctl reload deepcod-agent'
  within 20 journal_has agent 'configuration read again.*log.level' || return 1
  guest sh -ec 'echo "nonsense: true" >>/etc/deepcod/agent.yaml; systemctl reload deepcod-agent' || return 1
  within 20 journal_has agent 'the configuration cannot be used: nothing changes' || return 1
  guest sed -i '/^nonsense/d; /^log:/d' /etc/deepcod/agent.yaml
  guest systemctl reload deepcod-agent && within 20 is_active agent && [ "$(main_pid agent)" = "$pid" ]
}
# All of it is read: what is cut off would end the journal's reader with an error.
journal_has() { journal "$1" | grep "$2" >/dev/null; }

# A process that hangs is noticed, killed and started again.
watchdog() {
  local part="$1" pid
  drop_in "$part" watchdog 'WatchdogSec=8s'
  guest systemctl restart "deepcod-$part" || return 1
  pid="$(main_pid "$part")"
  # Left alone it is not: it feeds.
  sleep 12
  [ "$(main_pid "$part")" = "$pid" ] || { echo 'killed without a reason'; journal "$part" | tail -50; return 1; }
  guest kill -STOP "$pid"
  within 60 renewed "$part" "$pid" && journal_has "$part" 'Watchdog timeout'
  local code=$?
  no_drop_in "$part" watchdog
  guest systemctl restart "deepcod-$part"
  return $code
}

# A process that dies is started again, not at once and, where systemd can, later each time.
restarts() {
  local part="$1" pid pause before=0 died
  for _ in 1 2 3; do
    pid="$(main_pid "$part")"
    guest systemctl kill --kill-whom main --signal KILL "deepcod-$part"
    read -r died _ </proc/uptime
    within 90 renewed "$part" "$pid" || return 1
    # Of the same clock, in microseconds.
    pause=$(($(prop "$part" ExecMainStartTimestampMonotonic) / 1000 - ${died/./} * 10))
    echo "pause $pause ms"
    if [ "$(guest systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')" -ge 254 ]; then
      [ $pause -ge 1900 ] && [ $pause -gt $before ] || return 1
    else
      [ $pause -ge 4900 ] || return 1
    fi
    before=$pause
  done
}

# By systemd's own clock.
stops() {
  local part="$1" began took
  within 60 is_active "$part" || return 1
  sleep 3
  guest systemctl stop "deepcod-$part" || return 1
  began="$(prop "$part" ActiveExitTimestampMonotonic)"
  took=$((($(prop "$part" InactiveEnterTimestampMonotonic) - began) / 1000))
  echo "$part: $took ms, $(prop "$part" Result)"
  guest systemctl start "deepcod-$part" || return 1
  [ $took -lt 2000 ] && [ "$(guest systemctl show --property Result --value "deepcod-$part")" = success ]
}

# What starts children may lose one to the kernel's want of memory: the agent goes on. Where this machine's control groups of
# version 2 hold memory, the unit's own limit does it and systemd sees it; elsewhere a group of version 1 does.
loses_child() {
  local pid group hungry child code
  pid="$(main_pid agent)"
  [ "$(prop agent OOMPolicy)" = continue ] || return 1
  group="/sys/fs/cgroup$(prop agent ControlGroup)"
  guest /usr/lib/deepcod/bin/node -e 'const all = [];
    setInterval(() => { while (require("fs").existsSync("/run/eat")) all.push(Buffer.alloc(2 ** 20, 1)); }, 100)' &
  hungry=$!
  within 20 guest pgrep -f existsSync || return 1
  child="$(pgrep -n -f existsSync)"
  # A child of the unit, as the one is that tries a new bundle.
  guest pgrep -n -f existsSync | guest tee "$group/cgroup.procs" || return 1
  if guest test -e "$group/memory.max"; then
    echo 'by the limit of the unit, with control groups of version 2'
    guest systemctl set-property --runtime deepcod-agent MemoryMax=300M MemoryHigh=infinity
  else
    echo 'by a control group of version 1: systemd is not told'
    mkdir -p /sys/fs/cgroup/memory/deepcod-test && echo 300M >/sys/fs/cgroup/memory/deepcod-test/memory.limit_in_bytes &&
      echo "$child" >/sys/fs/cgroup/memory/deepcod-test/cgroup.procs || return 1
  fi
  guest touch /run/eat
  wait "$hungry"
  code=$?
  guest rm /run/eat
  guest systemctl revert deepcod-agent >/dev/null 2>&1
  rmdir /sys/fs/cgroup/memory/deepcod-test 2>/dev/null
  echo "the child ended with $code"
  [ $code = 137 ] && sleep 3 && is_active agent && [ "$(main_pid agent)" = "$pid" ]
}

# Killed at any moment while it keeps results, and while it stops: it comes up, and what it wrote is whole.
survives() {
  local round pid pause end
  guest systemctl stop deepcod-edge
  drop_in agent quick 'RestartSec=200ms' "$([ "$1" = bookworm ] || echo RestartSteps=0)"
  guest systemctl restart deepcod-agent
  RANDOM=20
  for round in {1..20}; do
    pid="$(main_pid agent)"
    pause="$((RANDOM % 3)).$((RANDOM % 10))"
    sleep "$pause"
    end=KILL
    if [ $((round % 4)) = 0 ]; then
      # While it puts down what it has learnt.
      guest systemctl kill --kill-whom main --signal TERM deepcod-agent
      end='TERM, KILL'
      sleep "0.$((RANDOM % 6))"
    fi
    guest systemctl kill --signal KILL deepcod-agent
    within 60 renewed agent "$pid" || { journal agent | tail -30; return 1; }
    echo "round $round: $end after $pause s: $(state_files)" || return 1
  done
  no_drop_in agent quick
  state_files | grep -qE '^[1-9][0-9]* results' || { echo 'nothing was kept: this tried nothing'; return 1; }
}

# Says what lies in the state folder; fails where something of it is damaged.
state_files() {
  guest_node <<'JS'
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { scanRecords } from '/usr/lib/deepcod/dist/agent/store/record.js';
const state = '/var/lib/deepcod', folder = `${state}/results`;
let last = 0, count = 0;
for (const name of readdirSync(folder).filter((each) => each.endsWith('.results')).sort()) {
  const { records, damaged } = scanRecords(readFileSync(`${folder}/${name}`), last);
  if (damaged > 0) throw new Error(`${name}: ${damaged} records are damaged`);
  for (const { payload } of records) JSON.parse(payload.toString());
  last = records.at(-1)?.sequence ?? last;
  count += records.length;
}
const profile = existsSync(`${state}/profile.json`) && Object.keys(JSON.parse(readFileSync(`${state}/profile.json`, 'utf8')).device_ms).length;
console.log(`${count} results up to ${last}, ${profile ? `a profile of ${profile} heads` : 'no profile'}`);
JS
}

# What was kept reaches the edge when that is back.
brings_home() {
  guest systemctl start deepcod-edge && within 90 nothing_waits
}
nothing_waits() { [ "$(camera 'camera.state')" = online ] && ! state_files | grep -qE '^[1-9]'; }

warnings() {
  local bad
  bad="$(guest systemd-analyze verify /usr/lib/systemd/system/deepcod-agent.service /usr/lib/systemd/system/deepcod-edge.service 2>&1 | grep deepcod)"
  echo "$bad"
  [ -z "$bad" ] && guest systemd-analyze security --offline=true --threshold=20 /usr/lib/systemd/system/deepcod-agent.service
}
