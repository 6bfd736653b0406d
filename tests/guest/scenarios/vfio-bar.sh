# Registers behind a real BAR, mapped through sysfs and read through VFIO: both show what the processor reads there
# itself. With Memory Space off, in a slot without power and while a driver has the range, nothing is touched and the
# tool lives. While the kernel is locked down, only who asks for it gets VFIO and its resets.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,serial=A,drive=n0
# modules: nvme
# timeout: 400

nvme=0000:01:00.0
port=0000:00:01.0
trace_resets

step "a driver has the range"
check "nvme has it" wait_for 10 bound $nvme nvme
run vfio-reset peek $nvme 0 0x1c
if [ "$code" = 0 ]; then
    # Where the kernel lets root look: the driver has switched the controller on, and it is ready.
    check "CSTS says ready" test "$(sed 's/.*: //' /tmp/out)" = 00000001
else
    check "the reason is given" said "a driver has claimed the range"
fi

step "the controller's registers"
bind_vfio $nvme
set_register $nvme 0x4 2 0x0006
base=$(sed -n '1s/ .*//p' $D/$nvme/resource)
forget_resets
expect_exit 0 vfio-reset peek $nvme 0 0 8
# CAP, VS and CSTS, as the processor reads them.
for offset in 0 4 8 28; do
    value=$(devmem $((base + offset)) 32 | tr 'A-F' 'a-f' | sed 's/0x//')
    check "at $offset it is $value" grep -qx "0x$(printf %x $offset): $value" /tmp/out
done
check "looking reset nothing: '$(resets)'" test -z "$(resets)"
head -n 4 /tmp/out >/tmp/mapped
head -n 2 /tmp/out >/tmp/first
interfaces=
test ! -e /dev/vfio/vfio || interfaces=group
test ! -e /dev/vfio/devices || interfaces="$interfaces cdev"
check "VFIO has an interface:$interfaces" test -n "$interfaces"
for interface in $interfaces; do
    forget_resets
    expect_exit 0 vfio-reset peek $nvme 0 0 8 --vfio $interface
    # What the driver has set is gone: to open it was a reset.
    check "by $interface VFIO shows the same capabilities" sh -c "head -n 4 /tmp/out | cmp - /tmp/mapped"
    check "and a controller that is off" said "0x14: 00000000"
    check "opening and closing reset it" test "$(count_resets flr)" = 2
    check "and that is said" said "reset it, and closing it reset it again"

    expect_exit 0 vfio-reset peek $nvme 0 0 8 --vfio $interface --mapped
    check "mapped through VFIO it is the same" sh -c "head -n 4 /tmp/out | cmp - /tmp/mapped"
done

step "Memory Space off"
set_register $nvme 0x4 2 0x0000
expect_exit 0 vfio-reset peek $nvme 0 0x8
check "it reads all-ones" said "0x8: ffffffff"
set_register $nvme 0x4 2 0x0006

step "beyond the range"
expect_exit 2 vfio-reset peek $nvme 0 0x4000
expect_exit 2 vfio-reset peek $nvme 3 0
expect_exit 2 vfio-reset peek $nvme 0 0x2

step "a slot without power"
slot_control=$(($(capability $port 10) + 0x18))
set_register $port $slot_control 2 0x05f1
sleep 1
check "the disk reads as all ones" test "$(register $nvme 0x0 4)" = ffffffff
expect_exit 0 vfio-reset peek $nvme 0 0x8
check "it reads all-ones" said "0x8: ffffffff"
set_register $port $slot_control 2 0x01f1

step "locked down"
# The slot had no power: the disk is found anew.
echo 1 >$D/$nvme/remove
sleep 1
echo 1 >/sys/bus/pci/rescan
check "the disk is back" wait_for 10 test -e $D/$nvme
bind_vfio $nvme
lockdown=/sys/kernel/security/lockdown
test -e $lockdown || mount -t securityfs none /sys/kernel/security 2>/dev/null
if test -e $lockdown && echo integrity >$lockdown; then
    forget_resets
    expect_exit 5 vfio-reset peek $nvme 0 0x8
    check "the other way is named, with what it does" said "VFIO may, and resets the device .*peek --vfio"
    check "nothing was reset: '$(resets)'" test -z "$(resets)"
    expect_exit 0 vfio-reset peek $nvme 0 0 2 --vfio ${interfaces##* }
    check "VFIO shows the capabilities" sh -c "cat /tmp/out | cmp - /tmp/first"
else
    log "this kernel has no lockdown"
fi
