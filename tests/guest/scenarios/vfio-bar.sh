# Registers behind a real BAR, mapped through sysfs and read through VFIO: both show what the processor reads there
# itself. With Memory Space off, in a slot without power and while a driver has the range, nothing is touched and the
# tool lives.
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
expect_exit 0 vfio-reset peek $nvme 0 0 8 --vfio group
# What the driver has set is gone: to open it was a reset.
check "VFIO shows the same capabilities" sh -c "head -n 4 /tmp/out | cmp - /tmp/mapped"
check "and a controller that is off" said "0x14: 00000000"
check "opening and closing reset it" test "$(count_resets flr)" = 2

expect_exit 0 vfio-reset peek $nvme 0 0 8 --vfio group --mapped
check "mapped through VFIO it is the same" sh -c "head -n 4 /tmp/out | cmp - /tmp/mapped"

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
