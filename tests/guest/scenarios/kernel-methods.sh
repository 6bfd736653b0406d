# Each method that the kernel lists for a function, asked for by `--via kernel`: the kernel does this reset and no
# other (its own functions are traced), its list is put back, config space is as before.
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: pcie-root-port,id=rp2,bus=pcie.0,chassis=2,slot=2
# device: pcie-root-port,id=rp3,bus=pcie.0,chassis=3,slot=3
# device: pcie-root-port,id=rp4,bus=pcie.0,chassis=4,slot=4
# device: pcie-root-port,id=rp5,bus=pcie.0,chassis=5,slot=5
# disk: n0 HELLO-NVME-NAMESPACE
# device: nvme,bus=rp1,serial=A,drive=n0
# device: igb,bus=rp2
# device: e1000e,bus=rp3
# device: qemu-xhci,bus=rp4
# device: virtio-net-pci-non-transitional,romfile=,bus=rp5

trace_resets

all_methods() {
    list=$(methods $1)
    check "$1 has the methods $2" test "$list" = "$2"
    bind_vfio $1
    for method in $list; do
        step "$1 $method"
        config $1 /tmp/before
        forget_resets
        expect_exit 0 vfio-reset reset $1 --method $method --via kernel
        check "the kernel did $method: '$(resets)'" test "$(resets)" = "$method"
        check "reset_method is what it was" test "$(methods $1)" = "$list"
        check "config space is as before" same_config $1 /tmp/before
    done
}

all_methods 0000:01:00.0 "flr bus"
all_methods 0000:02:00.0 "flr pm bus"
all_methods 0000:03:00.0 "pm bus"
all_methods 0000:04:00.0 "bus"
all_methods 0000:05:00.0 "flr pm bus"

step "a list that the user chose is kept"
echo "bus flr" >$D/0000:01:00.0/reset_method
forget_resets
expect_exit 0 vfio-reset reset 01:00.0 --method flr --via kernel
check "the kernel did flr: '$(resets)'" test "$(resets)" = flr
check "reset_method is the user's" test "$(methods 0000:01:00.0)" = "bus flr"

step "a method that is not there"
forget_resets
expect_exit 4 vfio-reset reset 04:00.0 --method flr --via kernel
check "the kernel did none: '$(resets)'" test -z "$(resets)"

step "the disk works after"
modprobe nvme
check "nvme binds" bind 0000:01:00.0 nvme
check "the namespace is readable" reads 0000:01:00.0 HELLO-NVME-NAMESPACE
