# An NVMe controller that is running is disabled before its function level reset: CC.EN is cleared through the mapped BAR and
# CSTS.RDY is seen to follow. QEMU says in which order it came; a plain reset finds the controller running.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,serial=A,drive=n0
# modules: nvme
# option: -trace pci_nvme_mmio_cfg -trace pci_nvme_mmio_stopped -trace pci_nvme_pci_reset

nvme=0000:01:00.0

# bar OFFSET [VALUE]: reads or writes a register of the controller, past everything under test.
bar() { devmem $(($(head -n 1 $D/$nvme/resource | cut -d' ' -f1) + $1)) 32 $2; }

# start_controller: what a driver does, but for the commands: admin queues of 16 entries each, then CC.EN.
start_controller() {
    set_register $nvme 0x4 2 0x0006
    bar 0x24 0x000f000f
    bar 0x28 0x01000000
    bar 0x2c 0
    bar 0x30 0x01001000
    bar 0x34 0
    bar 0x14 0x00460001
    wait_for 5 running
}

# running: CSTS.RDY is set, CSTS.CFS is not.
running() { [ $(($(bar 0x1c) & 3)) = 1 ]; }

# order: what the controller lived through since this was last asked, by QEMU's own account: `disabled`, `reset`.
order() {
    qemu_said /tmp/said
    sed 's/^/# qemu: /' /tmp/said >&2
    echo $(sed -n 's/.*pci_nvme_mmio_stopped.*/disabled/p; s/.*pci_nvme_pci_reset.*/reset/p' /tmp/said)
}

check "the namespace is readable before" reads $nvme HELLO-NVME-NAMESPACE
bind_vfio $nvme
check "the observer can reach the BAR" bar 0x08
check "it is in no table" not sh -c 'vfio-reset plan 01:00.0 | grep -q nvme-disable'

step "the plan"
expect_exit 0 vfio-reset plan 01:00.0 --family nvme-disable
check "the sequence is chosen" said "vendor reset|disabled .CC.EN = 0"
check "it is said to be untested" said "because --family says so: nobody has tested that"
expect_exit 0 vfio-reset reset 01:00.0 --method vendor --family nvme-disable --dry-run
check "the write to CC is announced" said "CC .BAR 0.0x14. = 0x460000"

step "a running controller"
check "it runs" start_controller
config $nvme /tmp/before
order >/dev/null
expect_exit 0 vfio-reset reset 01:00.0 --method vendor --family nvme-disable --trace /tmp/trace
sed 's/^/| /' /tmp/trace
check "CC was read, and written with EN clear" sh -c 'grep -A9 "R 0 0x14 4 0x00460001" /tmp/trace | grep -q "W 0 0x14 4 0x00460000"'
check "CSTS.RDY was seen to be clear" grep -q "R 0 0x1c 4 0x00000000" /tmp/trace
disabled=$(grep -n "W 0 0x14 4" /tmp/trace | cut -d: -f1)
seen=$(grep -n "R 0 0x1c 4 0x00000000" /tmp/trace | head -n 1 | cut -d: -f1)
reset=$(grep -n "^CW .* 2 0x[89a-f]" /tmp/trace | head -n 1 | cut -d: -f1)
log "lines of the trace: disabled $disabled, seen $seen, reset $reset"
check "in that order, and only then the reset" test "$disabled" -lt "$seen" -a "$seen" -lt "$reset"
seen=$(order)
check "QEMU's controller was disabled, then reset, once: '$seen'" test "$seen" = "disabled reset"
check "config space is as before" same_config $nvme /tmp/before
check "vfio-pci still has it" bound $nvme vfio-pci

step "a plain function level reset, for comparison"
check "it runs" start_controller
order >/dev/null
expect_exit 0 vfio-reset reset 01:00.0 --method flr --via direct
seen=$(order)
check "QEMU's controller was reset while it ran: '$seen'" test "$seen" = reset

step "a controller that does not run"
bar 0x14 0x00460000
expect_exit 0 vfio-reset reset 01:00.0 --method vendor --family nvme-disable --trace /tmp/trace
check "CC is read and left alone" not grep -q "W 0 0x14" /tmp/trace

step "the nvme driver takes the disk"
check "nvme binds" bind $nvme nvme
check "the namespace is readable after" reads $nvme HELLO-NVME-NAMESPACE
