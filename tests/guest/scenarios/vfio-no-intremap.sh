# An IOMMU without interrupt remapping: VFIO refuses with a permission error, and the tool says why, and which setting
# allows it; with the setting it works. Resets by the kernel need none of that.
# disk: n0 HELLO-NVME-NAMESPACE
# device: pcie-root-port,id=rp1,bus=pcie.0,chassis=1,slot=1
# device: nvme,bus=rp1,serial=A,drive=n0
# iommu: intremap=off
# modules: nvme

nvme=0000:01:00.0
bind_vfio $nvme
config $nvme /tmp/before
trace_resets

# By iommufd a group that a virtual machine has gives the same error number, and is what it is on most hosts.
permission=5
if [ -d /dev/vfio/devices ]; then permission=3; fi

step "refused"
for method in vfio_reset hot_reset; do
    forget_resets
    expect_exit $permission vfio-reset reset $nvme --via vfio --method $method
    check "the cause is given" said "does not remap interrupts"
    check "the setting is named" said "allow_unsafe_interrupts=1"
    check "the kernel did none: '$(resets)'" test -z "$(resets)"
    check "it is untouched" same_config $nvme /tmp/before
done
expect_exit 0 vfio-reset reset $nvme --via kernel --method flr

step "allowed"
# Which of the two it is depends on how the kernel gives devices away: by groups or by iommufd.
for module in vfio_iommu_type1 iommufd; do
    setting=/sys/module/$module/parameters/allow_unsafe_interrupts
    if test -e $setting; then echo Y >$setting; fi
done
expect_exit 0 vfio-reset reset $nvme --via vfio --method hot_reset
check "config space is as before" same_config $nvme /tmp/before
check "nvme binds" bind $nvme nvme
check "the namespace is readable" reads $nvme HELLO-NVME-NAMESPACE
