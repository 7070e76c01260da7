#!/bin/bash
# boot_test.sh BUILD SOURCE: installs the build beneath an overlay of this system's root, boots systemd
# there as the first process of namespaces of its own, and has a sealed program served by tornod.
# Exits with 77, and says why, where that cannot be done.
set -eu
build=$1 source=$2

skip() { echo "skipped: $*"; exit 77; }
[ "$(id -u)" -eq 0 ] || skip "only root boots a systemd"
[ -x /lib/systemd/systemd ] || skip "systemd is not installed"
cgroups=$(findmnt -nt cgroup2 -o TARGET | head -n 1)
[ -n "$cgroups" ] || skip "no cgroup2 is mounted"
cgroup=$cgroups/torno-test.$$
mkdir "$cgroup" 2>/dev/null || skip "no cgroup can be made in $cgroups"
work=$(mktemp -d)
clean() {
  echo 1 >"$cgroup/cgroup.kill" 2>/dev/null || :
  for _ in {1..50}; do
    find "$cgroup" -depth -type d -exec rmdir {} \; 2>/dev/null || :
    [ -d "$cgroup" ] || break
    sleep 0.1
  done
  rm -rf "$work"
}
trap clean EXIT
unshare -pmui -C -n --fork --propagation private true 2>/dev/null || skip "no namespaces are permitted"

export ROOT=$work/root OUT=$work/out STAGE=$work/stage
mkdir "$ROOT" "$OUT" "$STAGE"
DESTDIR=$STAGE cmake --install "$build" >/dev/null
install -D "$build/bin/torno-png" "$STAGE/usr/local/bin/torno-png"
install -Dm 644 "$source/examples/png/planet.png" "$STAGE/srv/picture/planet.png"
mkdir -p "$STAGE/etc/torno/policies" "$STAGE/etc/systemd/system"
cat >"$STAGE/etc/torno/policies/picture.policy" <<'END'
file { path: "/srv/picture/**" allow: READ }
file { path: "/tmp/decoded/**" allow: [READ, WRITE, CREATE] }
END
cat >"$STAGE/etc/systemd/system/control.service" <<'END'
[Unit]
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
StandardOutput=truncate:/out/control.txt
ExecStart=/bin/echo booted
END
cat >"$STAGE/etc/systemd/system/users.service" <<'END'
[Unit]
DefaultDependencies=no
Before=tornod.socket
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/systemd-sysusers
END
cat >"$STAGE/etc/systemd/system/picture.service" <<'END'
[Unit]
Requires=users.service tornod.socket
After=users.service tornod.socket
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
User=torno
StandardOutput=truncate:/out/result.txt
StandardError=inherit
Environment=TORNO_TORNOD=/nonexistent
ExecStart=/bin/sh -c 'mkdir /tmp/decoded && torno-png --policy picture /srv/picture/planet.png /tmp/decoded/out.ppm && cmp /tmp/decoded/out.ppm /srv/picture/planet.ppm && grep -q . /sys/fs/cgroup/system.slice/tornod.service/cgroup.procs && ! torno-png --policy picture /srv/picture/planet.png /tmp/elsewhere.ppm && test ! -e /tmp/elsewhere.ppm && echo served'
END
pngtopnm "$source/examples/png/planet.png" >"$STAGE/srv/picture/planet.ppm"

boot() {  # UNIT
  rm -rf "$work/layers"
  UNIT=$1 timeout -s KILL 60 bash -c 'echo $$ >"$0/cgroup.procs"; exec unshare -f --kill-child -pmui -C -n --propagation private bash -euc "$1"' "$cgroup" '
    work=$(dirname "$ROOT")/layers
    mkdir "$work"
    mount -t tmpfs tmpfs "$work"
    mkdir "$work/upper" "$work/work"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$work/upper,workdir=$work/work" "$ROOT"
    cp -a "$STAGE/." "$ROOT/"
    mount -t proc proc "$ROOT/proc"
    # Those of the machine, which systemd would set.
    mount --bind "$ROOT/proc/sys" "$ROOT/proc/sys"
    mount -o remount,bind,ro "$ROOT/proc/sys"
    mount -t sysfs -o ro sysfs "$ROOT/sys"
    mount -t cgroup2 cgroup2 "$ROOT/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$ROOT/run"
    mount -t tmpfs tmpfs "$ROOT/tmp"
    mount -t tmpfs -o mode=755 tmpfs "$ROOT/dev"
    for device in null zero full random urandom tty; do
      : >"$ROOT/dev/$device"
      mount --bind "/dev/$device" "$ROOT/dev/$device"
    done
    mkdir "$ROOT/dev/pts" "$ROOT/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$ROOT/dev/pts"
    ln -s pts/ptmx "$ROOT/dev/ptmx"
    ln -s /proc/self/fd "$ROOT/dev/fd"
    mkdir -p "$ROOT/out" "$ROOT/oldroot"
    mount --bind "$OUT" "$ROOT/out"
    cd "$ROOT"
    pivot_root . oldroot
    umount -l /oldroot
    mount --make-rshared /
    exec env -i container=ci PATH=/usr/sbin:/usr/bin /lib/systemd/systemd systemd.unit=$UNIT
  ' </dev/null >"$OUT/console.log" 2>&1
}
# The control: does systemd boot here at all?
boot control.service || :
grep -qx booted "$OUT/control.txt" 2>/dev/null || {
  tail -n 3 "$OUT/console.log"
  skip "systemd does not boot in namespaces here"
}
status=0
boot picture.service || status=$?
cat "$OUT/result.txt" 2>/dev/null || tail -n 40 "$OUT/console.log"
[ "$status" -eq 0 ] && grep -qx served "$OUT/result.txt"
