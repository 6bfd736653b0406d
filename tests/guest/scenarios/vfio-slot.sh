# A disk and a network function in one slot, reset together by a hot reset; while one of them is not owned it is refused,
# with the function, its group and driver, and what to do.
# disk: n0 HELLO-MULTI-FUNCTION
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,addr=0.0,multifunction=on,serial=C,drive=n0
# device: e1000e,romfile=,bus=rp1,addr=0.1
# modules: nvme e1000e pci-stub
# timeout: 180

first=0000:01:00.0
second=0000:01:00.1
port=0000:00:01.0
trace_resets
check "the namespace is readable before" reads $first HELLO-MULTI-FUNCTION
group=$(basename "$(readlink -f $D/$second/iommu_group)")

# untouched WORDS COMMAND...: refused with exit 3 and these words, and nothing was written or reset.
untouched() {
    words=$1
    shift
    config $first /tmp/first
    config $second /tmp/second
    forget_resets
    expect_exit 3 "$@"
    check "the reason is given ($words)" said "$words"
    check "the kernel did no reset: '$(resets)'" test -z "$(resets)"
    check "the first is untouched" same_config $first /tmp/first
    check "the second is untouched" same_config $second /tmp/second
}

step "the second function has its own driver"
bind_vfio $first
check "e1000e has it" wait_for 10 bound $second e1000e
untouched "$second .IOMMU group $group. would be reset too.* e1000e" \
    vfio-reset reset $first --via vfio --method hot_reset
check "the remedy is a command" said "echo $second > /sys/bus/pci/drivers/e1000e/unbind"
expect_exit 0 vfio-reset plan $first
check "plan lists both" said "$second .driver e1000e, IOMMU group $group.: not owned"

step "no driver, then pci-stub"
unbind $second
untouched "$second .IOMMU group $group. would be reset too.* no driver" \
    vfio-reset reset $first --via vfio --method hot_reset
bind $second pci-stub
untouched "pci-stub" vfio-reset reset $first --via vfio --method hot_reset

step "both owned"
bind_vfio $second
for function in $first $second; do set_register $function 0x4 2 0x0006; done
config $first /tmp/first
config $second /tmp/second
config $port /tmp/port
forget_resets
expect_exit 0 vfio-reset reset $first --via vfio --method hot_reset
check "VFIO was asked for two" said "2 functions, all ours"
check "the kernel did a bus reset" test "$(count_resets bus)" = 1
for round in first second; do
    check "the first is as before" same_config $first /tmp/first
    check "the second is as before" same_config $second /tmp/second
    check "the port is as before" same_config $port /tmp/port
    [ $round = second ] || expect_exit 0 vfio-reset reset $second --via vfio --method hot_reset
done

step "the drivers take them"
check "nvme binds" bind $first nvme
check "the namespace is readable after" reads $first HELLO-MULTI-FUNCTION
check "e1000e binds" bind $second e1000e
