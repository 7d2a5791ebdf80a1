#!/bin/busybox sh
# The guest's first process. The kernel's command line gives MODULES and SCRIPT, paths on the host.
# Exits by way of QEMU's debug port: only a script that has succeeded writes to it.
set -e
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
mount -t proc proc /proc
trap 'echo "init: failed" >/dev/console; echo o >/proc/sysrq-trigger; sleep 10' EXIT
for module in /modules/*; do insmod $module; done

# The host's files below what is written, which is kept in memory.
mkdir /host /written /new
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=loose,ro host /host
mount -t tmpfs -o size=75% written /written
mkdir /written/files /written/work
mount -t overlay -o lowerdir=/host,upperdir=/written/files,workdir=/written/work root /new

cd /new
mount -t devtmpfs dev dev
mount -t proc proc proc
mount -t sysfs sysfs sys
mkdir -p dev/pts dev/shm lib/modules
mount -t devpts -o mode=620,ptmxmode=666 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t tmpfs -o mode=1777 tmp tmp
mount -t tmpfs -o mode=755 run run
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf bpf sys/fs/bpf
mount -t debugfs debugfs sys/kernel/debug
mount -o bind ./$MODULES lib/modules
ln -snf /proc/self/fd dev/fd
ip link set lo up
echo 1 >/proc/sys/net/core/bpf_jit_enable
hostname guest
stty -F /dev/ttyS1 raw
umount /dev /proc

# By a pipe, as what writes to a terminal writes in colours.
exec switch_root /new /bin/sh -c '
    { sh '$SCRIPT' && touch /run/succeeded; } </dev/null 2>&1 | cat >/dev/ttyS1
    [ -e /run/succeeded ] && printf "\001" | dd of=/dev/port bs=1 seek=1281 2>/dev/null
    echo o >/proc/sysrq-trigger
    # Files are gone before it is off.
    while :; do :; done'
