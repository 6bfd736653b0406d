# Resets of one disk through VFIO: VFIO_DEVICE_RESET and a hot reset. The kernel does them, as often as the plan counts;
# config space is as before, the port's too, and the nvme driver reads the namespace. Without the restore it is not.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,serial=A,drive=n0
# modules: nvme

nvme=0000:01:00.0
port=0000:00:01.0
trace_resets
check "the namespace is readable before" reads $nvme HELLO-NVME-NAMESPACE
bind_vfio $nvme
# As a driver leaves it: memory and bus mastering on.
set_register $nvme 0x4 2 0x0006
config $nvme /tmp/before
config $port /tmp/port

step "what VFIO says"
expect_exit 0 vfio-reset vfio $nvme
check "opening it is said to reset it" said "and reset by that"
if test -e /dev/vfio/devices; then
    check "it was opened by iommufd" said "open through VFIO .cdev."
else
    check "it was opened by its group" said "open through VFIO .group."
fi
check "its registers are listed" said "BAR 0 +0x4000 bytes +rwm"
# By iommufd the kernel gives no group.
check "the set is it alone" said "$nvme( .IOMMU group [0-9]+.)?: ours"
check "config space is not as before: opening and closing leave bus mastering off" not same_config $nvme /tmp/before
set_register $nvme 0x4 2 0x0006

step "VFIO_DEVICE_RESET"
forget_resets
expect_exit 0 vfio-reset reset $nvme --via vfio --method vfio_reset
check "it says that opening and closing count" said "reset 3 times in all"
check "the kernel did flr, and nothing else: '$(resets)'" test "$(resets)" = flr
check "the kernel did it three times" test "$(count_resets flr)" = 3
check "config space is as before" same_config $nvme /tmp/before
check "the port is as before" same_config $port /tmp/port
check "vfio-pci still has it" bound $nvme vfio-pci

step "hot reset"
forget_resets
expect_exit 0 vfio-reset reset $nvme --via vfio --method hot_reset
check "the kernel did a bus reset, once" test "$(count_resets bus)" = 1
check "and flr at open and close" test "$(count_resets flr)" = 2
check "config space is as before" same_config $nvme /tmp/before
check "the port is as before" same_config $port /tmp/port

step "without the restore"
expect_exit 7 vfio-reset reset $nvme --via vfio --method hot_reset --test-skip-restore
check "Command is not as before" test "$(register $nvme 0x4 2)" != 0006
set_register $nvme 0x4 2 0x0006
check "config space is as before otherwise" same_config $nvme /tmp/before

step "while it is open elsewhere"
vfio-reset vfio $nvme --hold 8s >/tmp/held 2>&1 &
wait_for 5 grep -q "Held open" /tmp/held
expect_exit 3 vfio-reset reset $nvme --via vfio --method hot_reset
check "the process is named" said "process [0-9]+ .vfio-reset."
wait
check "it was closed" grep -q "closed in" /tmp/held
set_register $nvme 0x4 2 0x0006

step "stopped while it is held open"
rm -f /tmp/held
vfio-reset vfio $nvme --hold 60s >/tmp/held 2>&1 &
held=$!
wait_for 5 grep -q "Held open" /tmp/held
forget_resets
kill -TERM $held
wait $held
check "the signal has ended it" test $? = 143
check "it says so" grep -q "interrupted" /tmp/held
check "it was closed first" grep -q "closed in" /tmp/held
check "which was a reset: '$(resets)'" test "$(count_resets flr)" = 1
set_register $nvme 0x4 2 0x0006

step "asleep"
echo auto >$D/$nvme/power/control
sleep 1
log "power state: $(cat $D/$nvme/power_state)"
expect_exit 0 vfio-reset reset $nvme --via vfio --method hot_reset
check "power/control is as it was" test "$(cat $D/$nvme/power/control)" = auto
echo on >$D/$nvme/power/control
check "config space is as before" same_config $nvme /tmp/before

step "the nvme driver takes the disk"
check "nvme binds" bind $nvme nvme
check "the namespace is readable after" reads $nvme HELLO-NVME-NAMESPACE
expect_exit 3 vfio-reset reset $nvme --via vfio --method vfio_reset
check "the reason names the driver" said "nvme is bound"
