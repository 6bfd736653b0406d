#!/bin/sh
# First program of the guest: loads what the scenario asked for, runs it, hands its result to QEMU.
/bin/busybox --install -s /bin
export PATH=/lab/bin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
mkdir -p /dev/shm /var/lib /var/run /root /etc
export HOME=/root
echo "LAB-BOOT $(cat /lab/name) on $(uname -r), up $(cut -d' ' -f1 /proc/uptime) s"
while read -r module; do modprobe "$module" || echo "LAB-NOTE no module $module"; done </lab/modules
# Opened now: a scenario that locks the kernel down forbids it.
exec 9>/dev/port
sh -c '. /lab/lib.sh; . /lab/scenario.sh; finish' 9>&-
rc=$?
echo "LAB-RESULT rc=$rc up $(cut -d' ' -f1 /proc/uptime) s"
sync
# isa-debug-exit: QEMU ends with (rc << 1) | 1.
printf "\\$(printf %03o "$rc")" | dd bs=1 seek=244 >&9 2>/dev/null
poweroff -f
