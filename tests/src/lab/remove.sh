# Removes the lab with id $1 as soon as its input ends, unless it reads "keep".
trap '' INT TERM HUP
read -r word && [ "$word" = keep ] && exit 0

status=0
for file in /run/netns/"$1"-*; do
    [ -e "$file" ] || continue
    namespace=${file##*/}
    for round in 1 2 3 4 5 6 7 8 9 10; do
        pids=$(ip netns pids "$namespace")
        [ -n "$pids" ] || break
        # Each by itself: one may have ended since.
        for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
        sleep 0.02
    done
    ip netns del "$namespace" || status=1
done
if mountpoint -q "/run/$1/bpf"; then
    # Lazily: a process that was just killed may still be leaving.
    umount -l "/run/$1/bpf" || status=1
fi
rm -rf --one-file-system "/run/$1" || status=1
exit $status
