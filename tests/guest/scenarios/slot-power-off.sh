# A disk in a slot whose power is off reads as all ones: `plan` and `reset` say so and write nothing.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,serial=A,drive=n0
# modules: nvme

nvme=0000:01:00.0
port=0000:00:01.0
slot_control=$(($(capability $port 10) + 0x18))
trace_resets
bind_vfio $nvme
config $nvme /tmp/before
expect_exit 0 vfio-reset save $nvme --output /tmp/state

step "power off"
log "Slot Control $(register $port $slot_control 2)"
set_register $port $slot_control 2 0x05f1
sleep 1
check "the disk reads as all ones" test "$(register $nvme 0x0 4)" = ffffffff
config $port /tmp/port
forget_resets
list=$(methods $nvme)
expect_exit 0 vfio-reset plan $nvme
check "plan says so" said "all-ones"
for method in flr bus; do
    for via in kernel direct; do
        expect_exit 6 vfio-reset reset $nvme --method $method --via $via --budget 5s
        check "reset says so" said "all-ones"
        check "reset says that it did nothing" said "nothing was touched"
    done
done
config $port /tmp/port-after
check "nothing was written to the port" lab-tool diff /tmp/port /tmp/port-after
check "reset_method is what it was" test "$(methods $nvme)" = "$list"
check "the kernel did none: '$(resets)'" test -z "$(resets)"
check "the kernel was not asked to reset" sh -c '! dmesg | grep -E "not ready|after FLR|after bus reset"'

step "power on again"
set_register $port $slot_control 2 0x01f1
check "the disk answers" wait_for 5 test "$(register $nvme 0x0 4)" != ffffffff
expect_exit 0 vfio-reset restore /tmp/state
check "config space is as before" same_config $nvme /tmp/before
check "nvme binds" bind $nvme nvme
check "the namespace is readable" reads $nvme HELLO-NVME-NAMESPACE
