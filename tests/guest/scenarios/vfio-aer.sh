# An uncorrectable error while a function is open through VFIO: the kernel tells who has it open, and the tool its user;
# the function can be reset after.
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: virtio-net-pci-non-transitional,romfile=,id=vnet,bus=rp1,aer=on

net=0000:01:00.0
bind_vfio $net
set_register $net 0x4 2 0x0006
config $net /tmp/before

# held SECONDS: opens it in the background.
held() {
    rm -f /tmp/held
    vfio-reset vfio $net --hold "$1s" >/tmp/held 2>&1 &
    wait_for 10 grep -q "Held open" /tmp/held || fail "it cannot be opened"
}

step "nothing happens"
held 2
wait
check "nothing is told" not grep -q "AER" /tmp/held

step "an uncorrectable error"
held 6
hmp pcie_aer_inject_error vnet COMP_TIME
check "it is told" wait_for 5 grep -q "uncorrectable error was reported" /tmp/held
wait
sed 's/^/| /' /tmp/held
check "the kernel reported it" sh -c 'dmesg | grep -q "PCIe Bus Error"'
check "it was closed" grep -q "closed in" /tmp/held

step "a reset after"
expect_exit 0 vfio-reset reset $net --via vfio --method hot_reset
