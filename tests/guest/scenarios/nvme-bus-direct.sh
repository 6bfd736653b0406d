# A bus reset by our own config writes takes an NVMe disk's BARs and Command away; the tool gives them back and the
# nvme driver reads the bytes that were on the namespace.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,serial=A,drive=n0
# modules: nvme

nvme=0000:01:00.0
port=0000:00:01.0

step "the disk works before"
check "the namespace is readable before" reads $nvme HELLO-NVME-NAMESPACE
bind_vfio $nvme
config $nvme /tmp/before
config $port /tmp/port
expect_exit 0 vfio-reset save 01:00.0 --output /tmp/state
expect_exit 0 vfio-reset save 00:01.0 --output /tmp/state-port

step "the reset alone loses the BAR and Command"
expect_exit 7 vfio-reset reset 01:00.0 --method bus --via direct --test-skip-restore
check "BAR 0 is lost" test "$(register $nvme 0x10 4)" = 00000004
check "Command is lost" test "$(register $nvme 0x4 2)" = 0000
expect_exit 0 vfio-reset restore /tmp/state-port
expect_exit 0 vfio-reset restore /tmp/state
check "restoring a saved state gives all of it back" same_config $nvme /tmp/before

step "the reset with its restore"
expect_exit 0 vfio-reset reset 01:00.0 --method bus --via direct
check "config space is as before" same_config $nvme /tmp/before
check "the port is as before" same_config $port /tmp/port
check "vfio-pci still has it" bound $nvme vfio-pci

step "again, while vfio-pci lets the disk sleep"
echo auto >$D/$nvme/power/control
sleep 1
log "power state: $(cat $D/$nvme/power_state)"
expect_exit 0 vfio-reset reset 01:00.0 --method bus --via direct
echo on >$D/$nvme/power/control
check "config space is as before" same_config $nvme /tmp/before

step "the nvme driver takes the disk"
check "nvme binds" bind $nvme nvme
check "the namespace is readable after" reads $nvme HELLO-NVME-NAMESPACE
