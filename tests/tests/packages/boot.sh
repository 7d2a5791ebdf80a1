# A Debian that boots, as process 1: $1 is the tree that it begins with, $2 where its own files are, $3 its control group.
mkdir -p "$2/work" "$2/root" "$2/groups"
mount -t overlay drover -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"

mount -t cgroup2 groups "$2/groups"
mkdir "$2/groups/$3"
echo 0 >"$2/groups/$3/cgroup.procs"
umount "$2/groups"

cd "$2/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t bpf bpf sys/fs/bpf
mount -t tmpfs -o mode=755 run run
mount -t tmpfs tmp tmp
mkdir -p dev/pts
mount -t devpts -o newinstance,ptmxmode=666 pts dev/pts
# What is mounted from here on sees this group as the highest.
exec unshare --cgroup sh -ec '
    mount -t cgroup2 groups sys/fs/cgroup
    exec env -i container=drover PATH=/usr/sbin:/usr/bin chroot . /lib/systemd/systemd systemd.unit=basic.target'
