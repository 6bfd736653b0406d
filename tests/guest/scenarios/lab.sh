# The lab itself, without the tool: what every other scenario relies on. If this one fails, QEMU or the kernel changed.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,id=nvme1,bus=rp1,serial=A,drive=n0
# modules: nvme

nvme=0000:01:00.0
port=0000:00:01.0

step "the machine"
check "interrupt remapping is on" sh -c 'dmesg | grep -qi "Enabled IRQ remapping"'
check "the disk has an IOMMU group" test -e $D/$nvme/iommu_group
pcie=$(capability $port 10)
check "the link reports itself active" test $((0x$(register $port $((pcie + 0x12)) 2) & 0x2000)) != 0
check "the slot reports a card" test $((0x$(register $port $((pcie + 0x1a)) 2) & 0x0040)) != 0
check "pciehp has the slot" test -e /sys/bus/pci/slots/1
check "the host's monitor answers" hmp info status
check "the namespace is readable" reads $nvme HELLO-NVME-NAMESPACE

step "the kernel's own resets"
bind_vfio $nvme
check "the kernel lists flr and bus" test "$(methods $nvme)" = "flr bus"
config $nvme /tmp/before
for method in flr bus; do
    echo $method >$D/$nvme/reset_method
    check "$method took $(lab-tool time-write $D/$nvme/reset 1) ns" same_config $nvme /tmp/before
done

step "a device that QEMU plays loses what a real one loses"
control=$(register $port 0x3e 2)
set_register $port 0x3e 2 $((0x$control | 0x40))
usleep 2000
set_register $port 0x3e 2 0x$control
usleep 150000
check "a bus reset takes BAR 0" test "$(register $nvme 0x10 4)" = 00000004
check "the comparison sees it" not same_config $nvme /tmp/before
