# The red half: after a bus reset whose restore is left out, the nvme driver refuses the disk; a state saved before
# heals it.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,serial=A,drive=n0
# modules: nvme

nvme=0000:01:00.0
bind_vfio $nvme
config $nvme /tmp/before
expect_exit 0 vfio-reset save $nvme --output /tmp/state

step "reset without restore"
expect_exit 7 vfio-reset reset $nvme --method bus --via direct --test-skip-restore
check "config space is not as before" not same_config $nvme /tmp/before

step "the nvme driver refuses the disk"
bind $nvme nvme
check "nvme gives up" wait_for 40 not bound $nvme nvme
check "the kernel says why" sh -c 'dmesg | grep "Device not ready; aborting initialisation"'
check "there is no namespace" not namespace $nvme

step "restore from the saved state"
bind_vfio $nvme
expect_exit 0 vfio-reset restore /tmp/state
check "config space is as before" same_config $nvme /tmp/before
check "nvme binds" bind $nvme nvme
check "the namespace is readable" reads $nvme HELLO-NVME-NAMESPACE
